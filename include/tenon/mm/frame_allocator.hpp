// Buddy allocator of machine frames. Every frame it hands out has refs == 1 and the owner asked for; contents are zeroed
// before another owner sees them. Pure: memory contents and TLBs are reached through arch/memory.hpp.
#pragma once
#include <tenon/mm/frame_table.hpp>

namespace tenon {

struct MemoryStats {
    u64 total, free; ///< frames
};

namespace frame_allocator {

inline constexpr unsigned max_order = 18; // 1 GiB

/// Gives [first, first+count) to the allocator. Boot and tests. Frame 0 stays out: list links use its number as "none".
void add_range(Mfn first, u64 count);
/// 2^order contiguous, aligned frames with every machine address below 2^address_bits; fails with Error::nomem. Memory above
/// 4 GiB is used first, and among what lies below, the highest.
Result<Mfn> allocate(DomainId owner, unsigned order, unsigned address_bits = 64);
/// Takes back one frame whose refs are 0. Called by Frame::put; the owner's accounting is done already.
void free(Mfn frame);
MemoryStats stats();

} // namespace frame_allocator
} // namespace tenon
