// The hypervisor's own half of every address space: root table, mapping helpers, memory handed out before the allocator exists.
#pragma once
#include "pte.hpp"
#include <tenon/lib/result.hpp>
#include <tenon_arch/layout.hpp>
#include <tenon_arch/state.hpp>

namespace tenon::x86 {

/// L4 of the idle vCPUs, and of the boot CPU before there are any.
extern Mfn root_table;
/// While Tenon and dom0 are built, own_base + frame number × 4 KiB shows all RAM; the first 4 GiB from the first instruction on.
extern bool boot_map_is_there;

/// One zeroed frame for a hypervisor page table.
Result<Mfn> allocate_table();

/// Boot: maps [va, va+bytes) in the root tables to frames from `first` with the largest pages that fit. Tables are made as needed.
void map_range(u64 va, Mfn first, u64 bytes, u64 flags);
/// Builds the final tables for all memory and loads them. `load_base` is where the image lies.
void build_address_space(MachineAddr load_base);
/// The end of the boot map. From here on the root tables, too, show no domain's memory.
void drop_boot_map();

/// Maps one page in the slots that all domains share. Error::nomem: no frame for a table on the way.
Status map_shared(u64 va, Mfn mfn, u64 flags);
/// Takes such a page away and says which frame it was. Old translations go with the next flush.
Mfn unmap_shared(u64 va);
/// The frame behind an address in these slots; invalid_mfn when nothing is mapped.
Mfn shared_frame(u64 va);

/// Which guest mode a level-4 table is for says what it has of the hypervisor's slots. The table's mm_lock is held.
enum class GuestMode : u8 { kernel, user };
void install_slots(Mfn l4, const ArchDomain& domain, GuestMode mode);
/// A table that has what Tenon runs on.
bool is_for_kernel_mode(Mfn l4);

} // namespace tenon::x86
