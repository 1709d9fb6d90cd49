// sysctl: the scheduler, shown as the public "credit2" because its parameters (weight, cap) mean the same, and CPU pool 0.
#include "../cpu_bitmap.hpp"
#include "request.hpp"
#include <abi/domctl.h>

namespace tenon::sysctls {

CallResult scheduler_id(Request& r)
{
    r.op.u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
    return s64{0};
}

/// No rate limit is applied: it reads as 0, and only 0 can be set.
CallResult scheduler_op(Request& r)
{
    auto& op = r.op.u.scheduler_op;
    if (op.sched_id != XEN_SCHEDULER_CREDIT2 || op.cpupool_id != 0)
        return Error::inval;
    switch (op.cmd) {
    case XEN_SYSCTL_SCHEDOP_getinfo: op.u.sched_credit2.ratelimit_us = 0; return s64{0};
    case XEN_SYSCTL_SCHEDOP_putinfo: return op.u.sched_credit2.ratelimit_us ? CallResult(Error::notsup) : s64{0};
    default: return Error::inval;
    }
}

/// All CPUs and all domains are in pool 0.
CallResult cpu_pool(Request& r)
{
    auto& op = r.op.u.cpupool_op;
    switch (op.op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO: // the first pool at or above the number
        if (op.cpupool_id != 0 && op.cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
            return Error::noent;
        op.cpupool_id = 0;
        op.sched_id = XEN_SCHEDULER_CREDIT2;
        op.n_dom = 0;
        for (u32 first = 0;; op.n_dom++) {
            DomainRef domain = domains::next(first);
            if (!domain)
                break;
            first = domain->id.raw() + 1u;
        }
        TRY(write_cpus(op.cpumap, arch::online_cpus()));
        return s64{0};
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO: TRY(write_cpus(op.cpumap, CpuSet{})); return s64{0};
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        if (op.cpupool_id == 0)
            return s64{0};
        [[fallthrough]];
    default: return Error::notsup;
    }
}

} // namespace tenon::sysctls
