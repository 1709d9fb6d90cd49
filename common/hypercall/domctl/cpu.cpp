// domctl: what a domain's CPUs look like: CPUID policy and time stamp counter.
#include "../cpu_policy.hpp"
#include "request.hpp"
#include <tenon/arch/machine.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::domctls {
namespace {

constexpr u32 tsc_default = 0, tsc_native = 2;

bool has_run(Domain& domain)
{
    bool any = false;
    domain.for_each_vcpu([&](Vcpu& vcpu) { any |= vcpu.initialised; });
    return any;
}

Status take_leaves(Domain& domain, const xen_domctl_cpu_policy& policy, arch::PolicyError& where)
{
    auto* leaves = make_array<xen_cpuid_leaf>(max(policy.nr_leaves, 1u));
    if (!leaves)
        return Error::nomem;
    Status done = GuestPtr<xen_cpuid_leaf>(policy.leaves).read_array(leaves, policy.nr_leaves);
    if (done.ok())
        done = arch::set_domain_policy(domain, {leaves, policy.nr_leaves}, where);
    heap::free(leaves);
    return done;
}

} // namespace

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

Status get_tsc_info(Request& r)
{
    const auto& arch = r.target.arch;
    u32 khz = arch.tsc_khz ? arch.tsc_khz : arch::processor_info().khz;
    r.u.tsc_info = {arch.tsc_mode, khz, arch.tsc_incarnation, 0, arch::now_ns()};
    return success;
}

Status get_cpu_policy(Request& r)
{
    return hypercall::give_policy(r.u.cpu_policy, arch::domain_policy_leaves(r.target),
                                  [&](u32 i) { return arch::domain_policy_leaf(r.target, i); });
}

Status set_cpu_policy(Request& r)
{
    auto& policy = r.u.cpu_policy;
    if (has_run(r.target))
        return Error::busy;
    if (policy.nr_leaves > hypercall::most_leaves)
        return Error::toobig;
    arch::PolicyError where;
    policy.err_msr = ~0u;
    Status done = Error::inval;
    if (policy.nr_msrs) // no model-specific register is the tools' to choose
        policy.err_msr = TRY(GuestPtr<xen_msr_entry>(policy.msrs).read()).idx;
    else
        done = take_leaves(r.target, policy, where);
    policy.err_leaf = where.leaf;
    policy.err_subleaf = where.subleaf;
    TRY(r.handle.write(r.op)); // also, and above all, when it was refused
    return done;
}

} // namespace tenon::domctls
