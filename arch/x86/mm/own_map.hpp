// A domain's own map: exactly the frames that it owns, at own_base + frame number × 4 KiB in its kernel mode's tables and nowhere else.
// Blocks of 2 MiB that it owns whole are one entry. The tables lie on the heap: they hold frame numbers, no guest's data.
#pragma once
#include "pte.hpp"
#include <tenon/lib/result.hpp>
#include <tenon/mm/frame_table.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86 {

inline constexpr unsigned own_slots = last_slot - own_slot + 1;

class OwnMap : Pinned {
public:
    ~OwnMap();
    /// Tables for as much memory as there is. Error::nomem.
    Status init();
    /// Maps `count` frames; all or none. Error::nomem when there is no memory for tables.
    Status add(Mfn first, u64 count);
    void remove(Mfn mfn);
    /// The entry for one of its level-4 slots, counted from own_slot; empty where there is no memory.
    Pte root_entry(unsigned slot) const;

private:
    static constexpr u64 block_frames = entries_per_table, gib_frames = block_frames * entries_per_table;
    /// 1 GiB of addresses. A block's level-1 table stays once it was made, also while the block is one entry: taking a frame out of a
    /// block must not need memory.
    struct Gib {
        Pte* l2 = nullptr;
        Pte** l1 = nullptr; ///< of each block
    };
    Status make_tables(u64 mfn);
    Pte& block_entry(u64 mfn) { return gibs_[mfn / gib_frames].l2[mfn / block_frames % entries_per_table]; }
    Pte* block_table(u64 mfn) { return gibs_[mfn / gib_frames].l1[mfn / block_frames % entries_per_table]; }

    SpinLock<Rank::own_map> lock_; ///< the tables' structure
    Pte* l3_[own_slots]{};
    Gib* gibs_ = nullptr;
    u64 gib_count_ = 0;
};

} // namespace tenon::x86
