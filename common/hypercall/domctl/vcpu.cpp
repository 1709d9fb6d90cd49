// domctl: the registers and the state of one vCPU, where it may run, and the domain's share. The scheduler shows the parameters of
// the public "credit2".
#include "../cpu_bitmap.hpp"
#include "request.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/sched/scheduler.hpp>

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

Status set_context(Request& r)
{
    Vcpu& vcpu = *TRY(r.vcpu(r.u.vcpucontext.vcpu));
    // On the stack, which is this vCPU's own: registers are secrets and do not belong on the heap.
    vcpu_guest_context context;
    TRY(GuestPtr<vcpu_guest_context>(r.u.vcpucontext.ctxt).read_array(&context, 1));
    ContextTurn turn(vcpu);
    if (!turn.taken)
        return Error::restart;
    Stopped stopped(r.target);
    TRY(arch::set_vcpu_context(vcpu, context));
    if (context.flags & VGCF_online)
        resume_vcpu(vcpu, pause_down);
    else
        pause_vcpu_async(vcpu, pause_down);
    return success;
}

Status get_context(Request& r)
{
    Vcpu& vcpu = *TRY(r.vcpu(r.u.vcpucontext.vcpu));
    if (!vcpu.initialised)
        return Error::nodata;
    vcpu_guest_context context{};
    {
        Stopped stopped(r.target);
        arch::get_vcpu_context(vcpu, context);
    }
    if (!(vcpu.pause.load(std::memory_order_relaxed) & pause_down))
        context.flags |= VGCF_online;
    return GuestPtr<vcpu_guest_context>(r.u.vcpucontext.ctxt).write(context);
}

Status get_vcpu_info(Request& r)
{
    auto& info = r.u.getvcpuinfo;
    Vcpu& vcpu = *TRY(r.vcpu(info.vcpu));
    u32 reasons = vcpu.pause.load(std::memory_order_relaxed);
    info.online = !(reasons & pause_down);
    info.blocked = (reasons & (pause_blocked | pause_polling)) != 0;
    info.running = vcpu.is_on_cpu.load(std::memory_order_relaxed) && !reasons;
    info.cpu_time = run_time(vcpu);
    info.cpu = vcpu.home().raw();
    return success;
}

Status set_affinity(Request& r)
{
    const auto& a = r.u.vcpuaffinity;
    Vcpu& vcpu = *TRY(r.vcpu(a.vcpu));
    const bool sets_hard = a.flags & XEN_VCPUAFFINITY_HARD, sets_soft = a.flags & XEN_VCPUAFFINITY_SOFT;
    constexpr u32 known = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE;
    if (!(sets_hard || sets_soft) || a.flags & ~known)
        return Error::inval;
    CpuSet hard = sets_hard ? TRY(read_cpus(a.cpumap_hard)) : vcpu.sched.hard_affinity;
    CpuSet soft = sets_soft ? TRY(read_cpus(a.cpumap_soft)) : vcpu.sched.soft_affinity;
    if (!(hard & arch::online_cpus()).any() || !soft.any())
        return Error::inval;
    if (sets_hard)
        TRY(scheduler::set_affinity(vcpu, hard));
    vcpu.sched.soft_affinity = soft;
    // Tools read back what came of it.
    if (sets_hard)
        TRY(write_cpus(a.cpumap_hard, hard & arch::online_cpus()));
    return sets_soft ? write_cpus(a.cpumap_soft, soft & hard & arch::online_cpus()) : success;
}

Status get_affinity(Request& r)
{
    const auto& a = r.u.vcpuaffinity;
    Vcpu& vcpu = *TRY(r.vcpu(a.vcpu));
    if (a.flags & XEN_VCPUAFFINITY_HARD)
        TRY(write_cpus(a.cpumap_hard, vcpu.sched.hard_affinity));
    return a.flags & XEN_VCPUAFFINITY_SOFT ? write_cpus(a.cpumap_soft, vcpu.sched.soft_affinity) : success;
}

/// The machine is one node.
Status set_node_affinity(Request& r) { return hypercall::only_if(TRY(read_cpus(r.u.nodeaffinity.nodemap)).test(0), Error::inval); }

Status get_node_affinity(Request& r)
{
    CpuSet node;
    node.set(0);
    return write_cpus(r.u.nodeaffinity.nodemap, node);
}

/// All vCPUs of a domain share its parameters. Weight 0 leaves the weight as it is.
Status scheduler_op(Request& r)
{
    auto& op = r.u.scheduler_op;
    auto& share = op.u.credit2;
    if (op.sched_id == XEN_SCHEDULER_CREDIT2 && op.cmd == XEN_DOMCTL_SCHEDOP_getinfo)
        share = {r.target.weight, r.target.cap};
    else if (op.sched_id == XEN_SCHEDULER_CREDIT2 && op.cmd == XEN_DOMCTL_SCHEDOP_putinfo && share.cap <= 100 * r.target.max_vcpus)
        scheduler::set_params(r.target, {share.weight ? share.weight : r.target.weight, share.cap});
    else
        return Error::inval;
    return success;
}

} // namespace tenon::domctls
