// Process-context identifiers: with them a change of the guest's mode leaves the TLB alone. There are two: what is loaded for Tenon and the
// guest's kernel (an idle vCPU's root tables, too), and what is loaded for its user mode. Another vCPU's tables get the same two, so both are
// emptied on the way. Without PCIDs every load of CR3 empties the TLB. [SDM 3A 4.10.1, 4.10.4.1]
#pragma once
#include <tenon/addr.hpp>

namespace tenon::x86::tlb_tags {

enum class Tag : u64 { kernel = 1, user = 2 };

/// The CR3 value for a table; loaded, it keeps what the TLB holds under its tag, where there are tags.
u64 cr3_of(Mfn table, Tag tag);
/// Loads the tables of kernel mode; nothing that the TLB held before is used again, under either tag.
void load_and_forget(u64 kernel_cr3);
/// The value that switch_stacks loads instead, after the other tag was emptied.
u64 prepare_switch(u64 kernel_cr3);
void forget_all();
/// Other tables are loaded for user mode from now on.
void forget_user();
/// One page in both of the guest's modes.
void forget_page(u64 va);

} // namespace tenon::x86::tlb_tags
