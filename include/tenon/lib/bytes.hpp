// Bytes that somebody else wrote: firmware tables, boot loader tags, files.
#pragma once
#include <span>
#include <tenon/lib/types.hpp>

namespace tenon {

/// May be read at any offset: what lies outside reads as zero. Fields are unaligned and little-endian.
struct Bytes : std::span<const u8> {
    using span::span;
    constexpr Bytes(std::span<const u8> s) : span(s) {}

    constexpr bool has(u64 offset, u64 bytes) const { return offset <= size() && size() - offset >= bytes; }
    template <class T> T get(u64 offset) const
    {
        T value{};
        if (has(offset, sizeof(T)))
            __builtin_memcpy(&value, data() + offset, sizeof(T));
        return value;
    }
    constexpr Bytes part(u64 offset, u64 bytes) const { return has(offset, bytes) ? Bytes(subspan(offset, bytes)) : Bytes(); }
    constexpr bool starts_with(std::span<const u8> magic) const
    {
        return has(0, magic.size()) && __builtin_memcmp(data(), magic.data(), magic.size()) == 0;
    }
    constexpr bool sums_to_zero() const
    {
        u8 sum = 0;
        for (u8 byte : *this)
            sum = u8(sum + byte);
        return sum == 0;
    }
};

} // namespace tenon
