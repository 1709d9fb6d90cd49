// Typed guest handles: a virtual address that the calling guest gave. Values are copied in once and then stable, never valid.
#pragma once
#include <tenon/arch/guest_copy.hpp>
#include <tenon/result.hpp>
#include <type_traits>

namespace tenon {

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
        TRY(read_array(&result.value(), 1)); // in place: what is read is not copied again
        return result;
    }
    Status write(const T& value) const { return write_array(&value, 1); }
    Status read_array(std::remove_const_t<T>* to, u64 count) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        u64 bytes;
        if (__builtin_mul_overflow(count, sizeof(T), &bytes) || !arch::guest_range_ok(va_, bytes) ||
            arch::copy_from_guest(to, va_, bytes) != 0)
            return Error::fault;
        return success;
    }
    Status write_array(const T* from, u64 count) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        u64 bytes;
        if (__builtin_mul_overflow(count, sizeof(T), &bytes) || !arch::guest_range_ok(va_, bytes) ||
            arch::copy_to_guest(va_, from, bytes) != 0)
            return Error::fault;
        return success;
    }

  private:
    GuestVa va_{};
};

} // namespace tenon
