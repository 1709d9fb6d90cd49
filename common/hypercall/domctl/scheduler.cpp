// domctl: where a domain's vCPUs may run, and their share. The scheduler shows the parameters of the public "credit2".
#include "../cpu_bitmap.hpp"
#include "request.hpp"
#include <tenon/sched/scheduler.hpp>

namespace tenon::domctls {

CallResult set_affinity(Request& r)
{
    auto& a = r.op.u.vcpuaffinity;
    Vcpu& vcpu = *TRY(r.vcpu(a.vcpu));
    constexpr u32 known = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE;
    if (!(a.flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) || a.flags & ~known)
        return Error::inval;
    CpuSet hard = vcpu.sched.hard_affinity, soft = vcpu.sched.soft_affinity;
    if (a.flags & XEN_VCPUAFFINITY_HARD)
        hard = TRY(read_cpus(a.cpumap_hard));
    if (a.flags & XEN_VCPUAFFINITY_SOFT)
        soft = TRY(read_cpus(a.cpumap_soft));
    if (!(hard & arch::online_cpus()).any() || !soft.any())
        return Error::inval;
    if (a.flags & XEN_VCPUAFFINITY_HARD)
        TRY(scheduler::set_affinity(vcpu, hard));
    vcpu.sched.soft_affinity = soft;
    // Tools read back what came of it.
    if (a.flags & XEN_VCPUAFFINITY_HARD)
        TRY(write_cpus(a.cpumap_hard, hard & arch::online_cpus()));
    if (a.flags & XEN_VCPUAFFINITY_SOFT)
        TRY(write_cpus(a.cpumap_soft, soft & hard & arch::online_cpus()));
    return s64{0};
}

CallResult get_affinity(Request& r)
{
    auto& a = r.op.u.vcpuaffinity;
    Vcpu& vcpu = *TRY(r.vcpu(a.vcpu));
    if (a.flags & XEN_VCPUAFFINITY_HARD)
        TRY(write_cpus(a.cpumap_hard, vcpu.sched.hard_affinity));
    if (a.flags & XEN_VCPUAFFINITY_SOFT)
        TRY(write_cpus(a.cpumap_soft, vcpu.sched.soft_affinity));
    return s64{0};
}

/// The machine is one node.
CallResult set_node_affinity(Request& r)
{
    if (!TRY(read_cpus(r.op.u.nodeaffinity.nodemap)).test(0))
        return Error::inval;
    return s64{0};
}

CallResult get_node_affinity(Request& r)
{
    CpuSet node;
    node.set(0);
    TRY(write_cpus(r.op.u.nodeaffinity.nodemap, node));
    return s64{0};
}

CallResult scheduler_op(Request& r)
{
    auto& op = r.op.u.scheduler_op;
    if (op.sched_id != XEN_SCHEDULER_CREDIT2)
        return Error::inval;
    auto& share = op.u.credit2;
    switch (op.cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo: {
        auto now = scheduler::params(*r.target);
        share = {now.weight, now.cap};
        return s64{0};
    }
    case XEN_DOMCTL_SCHEDOP_putinfo:
        if (share.cap > 100 * r.target->max_vcpus)
            return Error::inval;
        // Weight 0 leaves the weight as it is.
        scheduler::set_params(*r.target, {share.weight ? share.weight : scheduler::params(*r.target).weight, share.cap});
        return s64{0};
    default: return Error::inval; // all vCPUs of a domain share its parameters
    }
}

} // namespace tenon::domctls
