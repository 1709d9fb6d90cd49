// The hypervisor's own half of every address space: root table, mapping helpers, memory handed out before the allocator exists.
#pragma once
#include "pte.hpp"
#include <tenon/result.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86 {

/// L4 whose hypervisor slots every other L4 copies; loaded while an idle vCPU runs.
extern Mfn root_table;

/// Takes one zeroed frame for a hypervisor page table.
Result<Mfn> allocate_table();

/// Maps [va, va+bytes) to frames from `first` with the largest pages that fit. Tables are made as needed.
Status map_range(Mfn l4, u64 va, Mfn first, u64 bytes, u64 flags);
/// The L1 entry for va, or nullptr; `create` makes the tables on the way.
Pte* find_entry(Mfn l4, u64 va, bool create);
/// The frame behind one of the hypervisor's own addresses; invalid_mfn when nothing is mapped.
Mfn translate(u64 va);
/// Points an existing hypervisor mapping at a frame, or at nothing, on this CPU only.
void set_entry(Pte* entry, Pte value, u64 va);

/// Builds the final tables for all memory and loads them. `load_base` is where the image lies.
void build_address_space(MachineAddr load_base);
/// Puts the hypervisor's slots into a guest's L4.
void install_slots(Mfn l4, Mfn domain_l3);

} // namespace tenon::x86
