// Hypercalls that the architecture answers (paging, descriptors, callbacks), and those of the table that are small enough
// to share a file. The other handlers are declared in call.hpp.
#pragma once
#include <tenon/hypercall/call.hpp>

namespace tenon::hypercall {

CallResult set_trap_table(Call&, u64 list);
CallResult mmu_update(Call&, u64 requests, u32 count, u64 done, u32 domid);
CallResult set_gdt(Call&, u64 frames, u32 entries);
CallResult stack_switch(Call&, u64 ss, u64 sp);
CallResult fpu_taskswitch(Call&, u32 set);
CallResult set_debugreg(Call&, u32 reg, u64 value);
CallResult get_debugreg(Call&, u32 reg);
CallResult update_descriptor(Call&, u64 maddr, u64 desc);
CallResult update_va_mapping(Call&, u64 va, u64 pte, u64 flags);
CallResult update_va_mapping_otherdomain(Call&, u64 va, u64 pte, u64 flags, u32 domid);
CallResult set_segment_base(Call&, u32 which, u64 base);
CallResult mmuext_op(Call&, u64 ops, u32 count, u64 done, u32 domid);
CallResult callback_op(Call&, u32 command, u64 argument);

/// Entries of the table that do the usual case by themselves, and leave the others to the handler.
u64 enter_mmu_update(u64 list, u64 count, u64 done_at, Vcpu&, u64 arg4, u64 domid);
u64 enter_grant_table_op(u64 command, u64 list, u64 count, Vcpu&, u64 arg4, u64 arg3);
u64 enter_update_va_mapping(u64 va, u64 pte, u64 flags, Vcpu&, u64 arg4, u64 arg3);
u64 enter_sched_op(u64 command, u64 argument, u64 arg2, Vcpu&, u64 arg4, u64 arg3);
u64 enter_vcpu_op(u64 command, u64 id, u64 argument, Vcpu&, u64 arg4, u64 arg3);

/// The entry code executes iret itself; this row is reached from a multicall only, and refuses.
CallResult iret(Call&);
CallResult mca(Call&, Privileged, u64 argument);
/// A number of the public list that Tenon does not have.
CallResult unsupported(Call&);

} // namespace tenon::hypercall
