// Page-table entries of all levels. [SDM 3A 4.5, table 4-14 ff.]
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/types.hpp>

namespace tenon::x86 {

struct Pte {
    u64 raw = 0;
    static constexpr u64 present = bit(0), writable = bit(1), user = bit(2), pwt = bit(3), pcd = bit(4), accessed = bit(5), dirty = bit(6),
                         large = bit(7), global = bit(8), pat = bit(7), no_execute = bit(63);
    static constexpr u64 memory_type = pwt | pcd | pat; ///< of a level-1 entry
    static constexpr u64 frame_bits = 0x000f'ffff'ffff'f000;
    constexpr bool is_present() const { return raw & present; }
    constexpr bool is_writable() const { return raw & writable; }
    constexpr Mfn mfn() const { return Mfn{(raw & frame_bits) >> page_shift}; }
    constexpr u64 flags() const { return raw & ~frame_bits; }
    static constexpr Pte of(Mfn mfn, u64 flags) { return {mfn.raw() << page_shift | flags}; }
    constexpr bool operator==(const Pte&) const = default;
};

inline constexpr unsigned entries_per_table = 512;
inline constexpr u64 table_flags = Pte::present | Pte::writable | Pte::accessed;
inline constexpr u64 data_flags = Pte::present | Pte::writable | Pte::accessed | Pte::dirty | Pte::no_execute;

constexpr unsigned index_at(u64 va, unsigned level) { return va >> (12 + 9 * (level - 1)) & 511; }
constexpr u64 bytes_mapped(unsigned level) { return page_size << (9 * (level - 1)); }

} // namespace tenon::x86
