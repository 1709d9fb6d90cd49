// What this is: page tables as a PV guest sees them: machine frames in entries, read through the guest's own
// mapping of its tables. Frames to play with come from a pool inside the image.
#pragma once

#include "abi.hpp"

namespace guest {

constexpr u64 pte_p = 1, pte_w = 2, pte_u = 4, pte_pwt = 8, pte_pcd = 16, pte_a = 32, pte_d = 64, pte_ps = 128, pte_g = 256,
              pte_nx = 1ull << 63;
constexpr u64 pte_rw = pte_p | pte_w | pte_u | pte_a | pte_d;
constexpr u64 pte_ro = pte_p | pte_u | pte_a | pte_d;
constexpr u64 pte_table = pte_p | pte_w | pte_u | pte_a | pte_d;
constexpr u64 pte_frame_mask = 0x000ffffffffff000;

constexpr u64 machine_to_phys_base = hypervisor_start;

inline u64 mfn_of_pte(u64 entry) { return (entry & pte_frame_mask) >> page_shift; }
u64 pfn_of(const void* va); ///< of an address inside the initial mapping
u64 mfn_of(const void* va);
u64 maddr_of(const void* va);         ///< machine address of a byte in the initial mapping
u64 phys_of_mfn(u64 mfn);             ///< machine-to-phys table
void* va_of_mfn(u64 mfn);             ///< in the initial mapping
unsigned index_at(u64 va, int level); ///< which entry of a level-N table translates va

u64* current_l4();
void set_current_l4(void* table);       ///< told by the test after NEW_BASEPTR
u64* table_of(u64 va, int level);       ///< the level-N table that translates va now, or nullptr
u64* entry_of(u64 va, int level = 1);   ///< its entry for va, or nullptr
u64 entry_maddr(u64 va, int level = 1); ///< machine address of that entry

void* take_page(); ///< a zeroed page of the pool
void* take_pages(unsigned count);
long make_ro(void* page);
long make_rw(void* page);
long set_entry(void* table_va, unsigned index, u64 value); ///< by mmu_update

/// A free virtual page with an L1 entry that is not present, outside the pool.
u64 take_empty_va();

} // namespace guest
