// domctl: the registers and the state of one vCPU, where it may run, the domain's share, and what its CPUs look like. The scheduler
// shows the parameters of the public "credit2".
#include "request.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon::hypercall::domctls {

namespace {

/// The domain does not run while this lives.
struct Stopped : Pinned {
    explicit Stopped(Domain& d) : domain(d) { domains::pause(d); }
    ~Stopped() { domains::unpause(domain); }
    Domain& domain;
};

constexpr u32 tsc_default = 0, tsc_native = 2;

bool has_run(Domain& domain)
{
    bool any = false;
    domain.for_each_vcpu([&](Vcpu& vcpu) { any |= vcpu.initialised; });
    return any;
}

} // namespace

Status set_context(Request& r)
{
    Vcpu& vcpu = *TRY(r.vcpu(r.u.vcpucontext.vcpu));
    // On the stack, which is this vCPU's own: registers are secrets and do not belong on the heap.
    vcpu_guest_context context;
    TRY(GuestPtr<vcpu_guest_context>(r.u.vcpucontext.ctxt).read_array(&context, 1));
    Turn turn(vcpu.context_busy); // the guest's own VCPUOP_initialise may be at work on it, or stopped half-way
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
Status set_node_affinity(Request& r) { return only_if(TRY(read_cpus(r.u.nodeaffinity.nodemap)).test(0), Error::inval); }

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

/// The guest reads the machine's counter; modes that would have to intercept it are refused.
Status set_tsc_info(Request& r)
{
    const auto& info = r.u.tsc_info;
    if (has_run(r.target))
        return Error::busy;
    if (info.tsc_mode != tsc_default && info.tsc_mode != tsc_native)
        return Error::notsup;
    r.target.arch.tsc_mode = info.tsc_mode;
    r.target.arch.tsc_khz = info.gtsc_khz;
    r.target.arch.tsc_incarnation = info.incarnation;
    return success;
}

void get_tsc_info(Request& r)
{
    const auto& arch = r.target.arch;
    u32 khz = arch.tsc_khz ? arch.tsc_khz : arch::processor_info().khz;
    r.u.tsc_info = {arch.tsc_mode, khz, arch.tsc_incarnation, 0, arch::now_ns()};
}

Status get_cpu_policy(Request& r)
{
    return give_policy(r.u.cpu_policy, arch::domain_policy_leaves(r.target), [&](u32 i) { return arch::domain_policy_leaf(r.target, i); });
}

Status set_cpu_policy(Request& r)
{
    auto& policy = r.u.cpu_policy;
    if (has_run(r.target))
        return Error::busy;
    if (policy.nr_leaves > most_leaves)
        return Error::toobig;
    xen_cpuid_leaf leaves[most_leaves];
    TRY(GuestPtr<xen_cpuid_leaf>(policy.leaves).read_array(leaves, policy.nr_leaves));
    arch::PolicyError where;
    policy.err_msr = ~0u;
    Status done = Error::inval;
    if (policy.nr_msrs) // no model-specific register is the tools' to choose
        policy.err_msr = TRY(GuestPtr<xen_msr_entry>(policy.msrs).read()).idx;
    else
        done = arch::set_domain_policy(r.target, {leaves, policy.nr_leaves}, where);
    policy.err_leaf = where.leaf; // for who reads why it was refused
    policy.err_subleaf = where.subleaf;
    return done;
}

} // namespace tenon::hypercall::domctls
