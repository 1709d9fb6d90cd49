// The address range of the hypervisor's heap. The heap decides which addresses are in use; the architecture maps them.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::arch {

HostVa heap_start(); ///< page aligned
u64 heap_bytes();

/// Maps one page, read and write, visible on every CPU. May need a frame for a page table: called without locks of rank
/// allocator or above. Error::nomem when there is none.
Status heap_map(HostVa va, Mfn mfn);
/// Removes the page and says which frame it was. Stale translations may live on: the heap does not use the address again
/// before arch::flush_tlb_older_than(stamp taken after this call), which therefore must drop these translations, too.
Mfn heap_unmap(HostVa va);

} // namespace tenon::arch
