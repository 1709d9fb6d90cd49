// Typed guest handles: a virtual address that the calling guest gave. Values are copied in once and then stable, never valid.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/result.hpp>
#include <tenon_arch/guest_words.hpp>
#include <type_traits>

namespace tenon {

namespace arch {
/// True when [va, va+bytes) is canonical and outside the hypervisor's range.
bool guest_range_ok(GuestVa va, u64 bytes);
/// Copies between the hypervisor and the current guest's address space, with fault fix-up. Each returns the number of bytes NOT
/// copied (0: all). The range must have passed guest_range_ok.
u64 copy_from_guest(void* to, GuestVa from, u64 bytes);
u64 copy_to_guest(GuestVa to, const void* from, u64 bytes);
} // namespace arch

template <class T> class GuestPtr {
public:
    constexpr GuestPtr() = default;
    constexpr explicit GuestPtr(u64 va) : va_(va) {}
    constexpr bool is_null() const { return va_.raw() == 0; }
    constexpr GuestVa va() const { return va_; }
    constexpr GuestPtr operator+(u64 n) const { return GuestPtr(va_.raw() + n * sizeof(T)); }
    template <class U> constexpr GuestPtr<U> as() const { return GuestPtr<U>(va_.raw()); }
    /// The handle of a member, as in ptr.at(&Struct::field).
    template <class M, class S> GuestPtr<M> at(M S::*member) const
    {
        static_assert(std::is_same_v<S, std::remove_const_t<T>>);
        alignas(T) static constexpr unsigned char base[sizeof(T)]{};
        auto* object = reinterpret_cast<const S*>(base);
        return GuestPtr<M>(va_.raw() + u64(reinterpret_cast<const unsigned char*>(&(object->*member)) - base));
    }

    Result<std::remove_const_t<T>> read() const
    {
        Result<std::remove_const_t<T>> result{std::remove_const_t<T>{}};
        TRY(read_to(result.value())); // in place: what is read is not copied again
        return result;
    }
    Status read_to(std::remove_const_t<T>& value) const
    {
        if constexpr (arch::is_few_words(sizeof(T))) {
            if (arch::few_words_ok<sizeof(T)>(va_.raw()) && arch::load_few_words<sizeof(T)>(&value, va_.raw())) [[likely]]
                return success;
            return Error::fault;
        } else
            return read_array(&value, 1);
    }
    Status write(const T& value) const
    {
        if constexpr (arch::is_few_words(sizeof(T))) {
            if (arch::few_words_ok<sizeof(T)>(va_.raw()) && arch::store_few_words<sizeof(T)>(va_.raw(), &value)) [[likely]]
                return success;
            return Error::fault;
        } else
            return write_array(&value, 1);
    }
    /// Reads the members that are named, each into its place in `value`: those that nobody needs take no register.
    template <auto... members> Status read_members(std::remove_const_t<T>& value) const
    {
        if constexpr ((arch::is_few_words(sizeof(value.*members)) && ...)) {
            if (!arch::few_words_ok<sizeof(T)>(va_.raw())) [[unlikely]]
                return Error::fault;
            arch::open_user_pages();
            auto load = [&](auto& member, u64 from) {
                std::remove_reference_t<decltype(member)> word = 0; // GCC 12 dies of an output of asm goto that has no value before
                const bool is_there = arch::load_word(word, from);
                member = word;
                return is_there;
            };
            const bool good = (load(value.*members, at(members).va().raw()) && ...);
            arch::close_user_pages();
            return good ? Status(success) : Error::fault;
        } else
            return read_array(&value, 1);
    }
    /// Writes a member of what was read: the range is known to be good.
    template <class M, class S> Status update(M S::*member, std::type_identity_t<const M&> value) const
    {
        const auto place = at(member);
        if constexpr (arch::is_few_words(sizeof(T)) && arch::is_few_words(sizeof(M)))
            return arch::store_few_words<sizeof(M)>(place.va().raw(), &value) ? Status(success) : Error::fault;
        else
            return place.write(value);
    }
    Status read_array(std::remove_const_t<T>* to, u64 count) const
    {
        return copied(count, [&](u64 bytes) { return arch::copy_from_guest(to, va_, bytes); });
    }
    Status write_array(const T* from, u64 count) const
    {
        return copied(count, [&](u64 bytes) { return arch::copy_to_guest(va_, from, bytes); });
    }

private:
    template <class F> Status copied(u64 count, F&& copy) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        u64 bytes;
        bool ok = !__builtin_mul_overflow(count, sizeof(T), &bytes) && arch::guest_range_ok(va_, bytes) && copy(bytes) == 0;
        return ok ? Status(success) : Error::fault;
    }
    GuestVa va_{};
};

} // namespace tenon
