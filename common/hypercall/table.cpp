// Every hypercall, one row each: number, name, handler, arguments. The dispatcher, the statistics, the documents
// (tools/dev/abi_docs.py reads the rows as text) and the fuzzer all come from here.
#include <abi/event_channel.h>
#include <abi/version.h>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>

namespace tenon {

void two_rows_have_one_number(); ///< never defined: calling it in a constant expression does not compile

namespace {

using namespace hypercall;

/// Guests ask for the version only to have their events delivered.
u64 enter_xen_version(u64 command, u64 argument, u64 arg2, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    if (u32(command) == XENVER_version) [[likely]]
        return abi_version;
    return enter_call<xen_version, __HYPERVISOR_xen_version>(command, argument, arg2, vcpu, arg4, arg3);
}

/// Sending an event is what guests do most with this one.
__attribute__((no_stack_protector)) u64 enter_event_channel_op(u64 command, u64 argument, u64 arg2, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    if (u32(command) == EVTCHNOP_send) [[likely]] {
        auto send = GuestPtr<evtchn_send>(argument).read();
        return u64(-s64(send.ok() ? events::send(vcpu.domain, send->port).error() : Error::fault));
    }
    return enter_call<event_channel_op, __HYPERVISOR_event_channel_op>(command, argument, arg2, vcpu, arg4, arg3);
}

constexpr CallRow rows[] = {
    row<set_trap_table, __HYPERVISOR_set_trap_table>("set_trap_table", "list"),
    row<mmu_update, __HYPERVISOR_mmu_update, enter_mmu_update>("mmu_update", "requests, count, done, domid"),
    row<set_gdt, __HYPERVISOR_set_gdt>("set_gdt", "frames, entries"),
    row<stack_switch, __HYPERVISOR_stack_switch>("stack_switch", "ss, sp"),
    row<unsupported, __HYPERVISOR_set_callbacks>("set_callbacks", "event, failsafe, syscall"),
    row<fpu_taskswitch, __HYPERVISOR_fpu_taskswitch>("fpu_taskswitch", "set"),
    row<unsupported, __HYPERVISOR_sched_op_compat>("sched_op_compat", "command, argument"),
    row<platform_op, __HYPERVISOR_platform_op>("platform_op", "argument"),
    row<set_debugreg, __HYPERVISOR_set_debugreg>("set_debugreg", "register, value"),
    row<get_debugreg, __HYPERVISOR_get_debugreg>("get_debugreg", "register"),
    row<update_descriptor, __HYPERVISOR_update_descriptor>("update_descriptor", "maddr, descriptor"),
    row<memory_op, __HYPERVISOR_memory_op>("memory_op", "command, argument"),
    row<multicall, __HYPERVISOR_multicall>("multicall", "list, count"),
    row<update_va_mapping, __HYPERVISOR_update_va_mapping, enter_update_va_mapping>("update_va_mapping", "va, pte, flags"),
    row<set_timer_op, __HYPERVISOR_set_timer_op>("set_timer_op", "deadline"),
    row<unsupported, __HYPERVISOR_event_channel_op_compat>("event_channel_op_compat", "argument"),
    row<xen_version, __HYPERVISOR_xen_version, enter_xen_version>("xen_version", "command, argument"),
    row<console_io, __HYPERVISOR_console_io>("console_io", "command, count, buffer"),
    row<unsupported, __HYPERVISOR_physdev_op_compat>("physdev_op_compat", "argument"),
    row<grant_table_op, __HYPERVISOR_grant_table_op, enter_grant_table_op>("grant_table_op", "command, operations, count"),
    row<vm_assist, __HYPERVISOR_vm_assist>("vm_assist", "command, type"),
    row<update_va_mapping_otherdomain, __HYPERVISOR_update_va_mapping_otherdomain>("update_va_mapping_otherdomain",
                                                                                   "va, pte, flags, domid"),
    row<iret, __HYPERVISOR_iret>("iret", ""),
    row<vcpu_op, __HYPERVISOR_vcpu_op, enter_vcpu_op>("vcpu_op", "command, vcpu, argument"),
    row<set_segment_base, __HYPERVISOR_set_segment_base>("set_segment_base", "which, base"),
    row<mmuext_op, __HYPERVISOR_mmuext_op>("mmuext_op", "operations, count, done, domid"),
    row<unsupported, __HYPERVISOR_xsm_op>("xsm_op", "argument"),
    row<unsupported, __HYPERVISOR_nmi_op>("nmi_op", "command, argument"),
    row<sched_op, __HYPERVISOR_sched_op, enter_sched_op>("sched_op", "command, argument"),
    row<callback_op, __HYPERVISOR_callback_op>("callback_op", "command, argument"),
    row<unsupported, __HYPERVISOR_xenoprof_op>("xenoprof_op", "command, argument"),
    row<event_channel_op, __HYPERVISOR_event_channel_op, enter_event_channel_op>("event_channel_op", "command, argument"),
    row<physdev_op, __HYPERVISOR_physdev_op>("physdev_op", "command, argument"),
    row<unsupported, __HYPERVISOR_hvm_op>("hvm_op", "command, argument"),
    row<hypercall::sysctl, __HYPERVISOR_sysctl>("sysctl", "argument"),
    row<hypercall::domctl, __HYPERVISOR_domctl>("domctl", "argument"),
    row<unsupported, __HYPERVISOR_kexec_op>("kexec_op", "command, argument"),
    row<unsupported, __HYPERVISOR_tmem_op>("tmem_op", "argument"),
    row<unsupported, __HYPERVISOR_argo_op>("argo_op", "command, arguments"),
    row<unsupported, __HYPERVISOR_xenpmu_op>("xenpmu_op", "command, argument"),
    row<unsupported, __HYPERVISOR_dm_op>("dm_op", "domid, count, buffers"),
    row<unsupported, __HYPERVISOR_hypfs_op>("hypfs_op", "command, arguments"),
    row<mca, __HYPERVISOR_mca>("mca", "argument"),
};

consteval CallTable make_table()
{
    CallTable table{};
    for (const CallRow& entry : rows) {
        if (table[entry.number].enter)
            two_rows_have_one_number();
        table[entry.number] = entry;
    }
    return table;
}

template <u32 number> u64 enter_unknown(u64 arg0, u64 arg1, u64 arg2, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    Call call{vcpu, vcpu.domain, number, {arg0, arg1, arg2, arg3, arg4}};
    note_refused(call, 0, Error::nosys);
    return u64(-s64(Error::nosys));
}

template <std::size_t... number> consteval auto make_entries(std::index_sequence<number...>)
{
    std::array<EnterCall, ABI_HYPERCALL_COUNT> entries{enter_unknown<number>...};
    for (const CallRow& entry : rows)
        entries[entry.number] = entry.enter;
    return entries;
}

} // namespace

constinit const CallTable call_table = make_table();
extern "C" {
constinit const std::array<EnterCall, ABI_HYPERCALL_COUNT> call_entries = make_entries(std::make_index_sequence<ABI_HYPERCALL_COUNT>{});
}

} // namespace tenon
