// domctl: the registers and the state of one vCPU.
#include "request.hpp"
#include <tenon/arch/guest.hpp>

namespace tenon::domctls {
namespace {

/// The domain does not run while this lives.
struct Stopped : Pinned {
    explicit Stopped(Domain& d) : domain(d) { domains::pause(d); }
    ~Stopped() { domains::unpause(domain); }
    Domain& domain;
};

/// The guest's own VCPUOP_initialise may be at work on the same vCPU, or stopped half-way.
struct ContextTurn : Pinned {
    explicit ContextTurn(Vcpu& v) : vcpu(v), taken(!v.context_busy.exchange(true, std::memory_order_acquire)) {}
    ~ContextTurn()
    {
        if (taken)
            vcpu.context_busy.store(false, std::memory_order_release);
    }
    Vcpu& vcpu;
    const bool taken;
};

} // namespace

CallResult set_context(Request& r)
{
    Vcpu& vcpu = *TRY(r.vcpu(r.op.u.vcpucontext.vcpu));
    // On the stack, which is this vCPU's own: registers are secrets and do not belong on the heap.
    vcpu_guest_context context;
    TRY(GuestPtr<vcpu_guest_context>(r.op.u.vcpucontext.ctxt).read_array(&context, 1));
    ContextTurn turn(vcpu);
    if (!turn.taken)
        return Error::restart;
    Stopped stopped(*r.target);
    TRY(arch::set_vcpu_context(vcpu, context));
    if (context.flags & VGCF_online)
        resume_vcpu(vcpu, pause_down);
    else
        pause_vcpu_async(vcpu, pause_down);
    return s64{0};
}

CallResult get_context(Request& r)
{
    Vcpu& vcpu = *TRY(r.vcpu(r.op.u.vcpucontext.vcpu));
    if (!vcpu.initialised)
        return Error::nodata;
    vcpu_guest_context context{};
    {
        Stopped stopped(*r.target);
        arch::get_vcpu_context(vcpu, context);
    }
    if (!(vcpu.pause.load(std::memory_order_relaxed) & pause_down))
        context.flags |= VGCF_online;
    TRY(GuestPtr<vcpu_guest_context>(r.op.u.vcpucontext.ctxt).write(context));
    return s64{0};
}

CallResult get_vcpu_info(Request& r)
{
    u32 id = r.op.u.getvcpuinfo.vcpu;
    Vcpu& vcpu = *TRY(r.vcpu(id));
    u32 reasons = vcpu.pause.load(std::memory_order_relaxed);
    xen_domctl_getvcpuinfo info{};
    info.vcpu = id;
    info.online = !(reasons & pause_down);
    info.blocked = (reasons & (pause_blocked | pause_polling)) != 0;
    info.running = vcpu.is_on_cpu.load(std::memory_order_relaxed) && !reasons;
    info.cpu_time = run_time(vcpu);
    info.cpu = vcpu.cpu.raw();
    r.op.u.getvcpuinfo = info;
    return s64{0};
}

/// The other triggers are an emulated machine's buttons.
CallResult send_trigger(Request& r)
{
    if (r.op.u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
        return Error::nosys;
    notify_vcpu(*TRY(r.vcpu(r.op.u.sendtrigger.vcpu)), mail_nmi);
    return s64{0};
}

} // namespace tenon::domctls
