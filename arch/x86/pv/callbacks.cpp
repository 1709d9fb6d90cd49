// set_trap_table, callback_op, stack_switch, fpu_taskswitch, debug registers, segment bases. [public headers xen.h, callback.h]
#include "bounce.hpp"
#include "vcpu.hpp"
#include <abi/arch_x86.h>
#include <abi/callback.h>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

bool is_guest_address(u64 address) { return is_canonical(address) && (address < hypervisor_start || address >= hypervisor_end); }

Status set_trap(GuestState& state, const trap_info& t)
{
    if (!is_guest_address(t.address))
        return Error::inval;
    state.trap_address[t.vector] = t.address;
    state.trap_dpl[t.vector] = t.flags & TI_DPL_MASK;
    state.trap_masks[t.vector] = (t.flags & TI_CLEAR_IF) != 0;
    return success;
}

Result<u64> get_debugreg(const GuestState& state, unsigned reg)
{
    if (reg > 7)
        return Error::inval;
    return state.dr[reg == 4 || reg == 5 ? reg + 2 : reg];
}

} // namespace tenon::x86::pv

namespace tenon::hypercall {

using namespace x86;
using namespace x86::pv;

CallResult set_trap_table(Call& call, u64 list)
{
    if (list == 0) {
        for (unsigned i = 0; i < 256; i++)
            TRY(set_trap(*call.vcpu.arch.state, {u8(i), 0, 0, 0}));
        return s64{0};
    }
    GuestPtr<trap_info> at(list);
    for (unsigned i = 0; i < 4096; i++) {
        trap_info t = TRY((at + i).read());
        if (t.address == 0)
            break;
        TRY(set_trap(*call.vcpu.arch.state, t));
    }
    return s64{0};
}

CallResult callback_op(Call& call, u32 command, u64 argument)
{
    if (command != CALLBACKOP_register && command != CALLBACKOP_unregister) {
        note_refused(call, command, Error::nosys);
        return Error::nosys;
    }
    auto c = TRY(GuestPtr<callback_register>(argument).read());
    Callback* slot = nullptr;
    GuestState& a = *call.vcpu.arch.state;
    switch (c.type) {
    case CALLBACKTYPE_event: slot = &a.event; break;
    case CALLBACKTYPE_failsafe: slot = &a.failsafe; break;
    case CALLBACKTYPE_syscall: slot = &a.syscall; break;
    case CALLBACKTYPE_syscall32: slot = &a.syscall32; break;
    case CALLBACKTYPE_sysenter:
    case CALLBACKTYPE_sysenter_deprecated: slot = &a.sysenter; break;
    case CALLBACKTYPE_nmi: slot = &a.nmi; break;
    default: return Error::nosys;
    }
    if (command == CALLBACKOP_unregister) {
        if (slot == &a.event || slot == &a.failsafe || slot == &a.syscall)
            return Error::inval;
        *slot = {};
        return s64{0};
    }
    if (!is_guest_address(c.address))
        return Error::inval;
    *slot = {c.address, slot == &a.event || (c.flags & CALLBACKF_mask_events)};
    update_bounce(*call.vcpu.arch.state);
    return s64{0};
}

CallResult stack_switch(Call& call, u64 ss, u64 sp)
{
    call.vcpu.arch.state->kernel_ss = ss | 3;
    call.vcpu.arch.state->kernel_sp = sp;
    update_bounce(*call.vcpu.arch.state);
    return s64{0};
}

CallResult fpu_taskswitch(Call& call, u32 set)
{
    set_task_switched(call.vcpu, set != 0);
    return s64{0};
}

CallResult set_debugreg(Call& call, u32 reg, u64 value)
{
    TRY(x86::pv::set_debugreg(call.vcpu, reg, value));
    return s64{0};
}

CallResult get_debugreg(Call& call, u32 reg) { return s64(TRY(x86::pv::get_debugreg(*call.vcpu.arch.state, reg))); }

CallResult set_segment_base(Call&, u32 which, u64 base)
{
    if (which != SEGBASE_GS_USER_SEL && !is_canonical(base))
        return Error::inval;
    switch (which) {
    case SEGBASE_FS: write_msr(msr::fs_base, base); break;
    case SEGBASE_GS_USER: write_msr(msr::kernel_gs_base, base); break;
    case SEGBASE_GS_KERNEL: write_msr(msr::gs_base, base); break;
    case SEGBASE_GS_USER_SEL: load_user_gs(u16(base)); break;
    default: return Error::inval;
    }
    return s64{0};
}

} // namespace tenon::hypercall
