// One domctl being executed, and the handlers in vcpu.cpp.
#pragma once
#include "../argument.hpp"
#include <abi/domctl.h>

namespace tenon::domctls {

struct Request {
    GuestPtr<xen_domctl> handle;
    xen_domctl& op;             ///< a copy; given back after success
    decltype(xen_domctl::u)& u; ///< its payload
    Domain& target;             ///< the caller's own for createdomain

    /// The target's vCPU with this number.
    Result<Vcpu*> vcpu(u32 id) const
    {
        Vcpu* found = target.vcpu(id);
        return found ? Result<Vcpu*>(found) : Error::noent;
    }
};

Status set_context(Request& r);
Status get_context(Request& r);
Status get_vcpu_info(Request& r);
Status set_affinity(Request& r);
Status get_affinity(Request& r);
Status set_node_affinity(Request& r);
Status get_node_affinity(Request& r);
Status scheduler_op(Request& r);
Status set_tsc_info(Request& r);
void get_tsc_info(Request& r);
Status get_cpu_policy(Request& r);
Status set_cpu_policy(Request& r);

/// What getdomaininfo and getdomaininfolist say of a domain.
xen_domctl_getdomaininfo describe(Domain& domain);
/// Nanoseconds that a vCPU has run.
u64 run_time(Vcpu& vcpu);

} // namespace tenon::domctls
