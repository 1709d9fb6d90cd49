// Fixed-width names and the few arithmetic helpers that every file uses.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tenon {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

inline constexpr u64 page_shift = 12;
inline constexpr u64 page_size = u64{1} << page_shift;
inline constexpr u64 page_mask = page_size - 1;

template <class T> constexpr T align_up(T value, u64 unit) { return T((u64(value) + unit - 1) & ~(unit - 1)); }
template <class T> constexpr T align_down(T value, u64 unit) { return T(u64(value) & ~(unit - 1)); }
constexpr u64 pages_for(u64 bytes) { return (bytes + page_size - 1) >> page_shift; }
template <class T> constexpr T min(T a, T b) { return b < a ? b : a; }
template <class T> constexpr T max(T a, T b) { return a < b ? b : a; }
constexpr u64 bit(unsigned n) { return u64{1} << n; }
constexpr unsigned log2_floor(u64 v) { return 63u - unsigned(__builtin_clzll(v)); }
constexpr unsigned log2_ceil(u64 v) { return v <= 1 ? 0 : log2_floor(v - 1) + 1; }

/// What hot paths call rarely stays out of line and out of the way.
#define RARE_CALL [[gnu::noinline, gnu::cold]]

/// Marks a class as neither copied nor moved.
struct Pinned {
    Pinned() = default;
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;
};

} // namespace tenon
