// domctl: what a domain's CPUs look like: CPUID policy and time stamp counter.
#include "request.hpp"
#include <tenon/arch/cpuid.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::domctls {
namespace {

constexpr u32 tsc_default = 0, tsc_native = 2;
constexpr u32 most_leaves = 512;

bool has_run(Domain& domain)
{
    bool any = false;
    domain.for_each_vcpu([&](Vcpu& vcpu) { any |= vcpu.initialised; });
    return any;
}

} // namespace

/// The guest reads the machine's counter; modes that would have to intercept it are refused.
CallResult set_tsc_info(Request& r)
{
    const auto& info = r.op.u.tsc_info;
    if (has_run(*r.target))
        return Error::busy;
    if (info.tsc_mode != tsc_default && info.tsc_mode != tsc_native)
        return Error::notsup;
    r.target->arch.tsc_mode = info.tsc_mode;
    r.target->arch.tsc_khz = info.gtsc_khz;
    r.target->arch.tsc_incarnation = info.incarnation;
    return s64{0};
}

CallResult get_tsc_info(Request& r)
{
    u32 khz = r.target->arch.tsc_khz;
    r.op.u.tsc_info = {.tsc_mode = r.target->arch.tsc_mode,
                       .gtsc_khz = khz ? khz : arch::processor_info().khz,
                       .incarnation = r.target->arch.tsc_incarnation,
                       .pad = 0,
                       .elapsed_nsec = arch::now_ns()};
    return s64{0};
}

/// Null arrays ask for the lengths.
CallResult get_cpu_policy(Request& r)
{
    auto& policy = r.op.u.cpu_policy;
    unsigned count = arch::domain_policy_leaves(*r.target);
    if (policy.leaves) {
        if (policy.nr_leaves < count)
            return Error::nospc;
        for (unsigned i = 0; i < count; i++)
            TRY((GuestPtr<xen_cpuid_leaf>(policy.leaves) + i).write(arch::domain_policy_leaf(*r.target, i)));
    }
    policy.nr_leaves = count;
    policy.nr_msrs = 0;
    return s64{0};
}

CallResult set_cpu_policy(Request& r)
{
    auto& policy = r.op.u.cpu_policy;
    if (has_run(*r.target))
        return Error::busy;
    if (policy.nr_leaves > most_leaves)
        return Error::toobig;
    arch::PolicyError where;
    u32 refused_msr = ~0u;
    Status done = success;
    if (policy.nr_msrs) { // no model-specific register is the tools' to choose
        refused_msr = TRY(GuestPtr<xen_msr_entry>(policy.msrs).read()).idx;
        done = Error::inval;
    } else {
        auto* leaves = make_array<xen_cpuid_leaf>(max(policy.nr_leaves, 1u));
        if (!leaves)
            return Error::nomem;
        done = GuestPtr<xen_cpuid_leaf>(policy.leaves).read_array(leaves, policy.nr_leaves);
        if (done.ok())
            done = arch::set_domain_policy(*r.target, {leaves, policy.nr_leaves}, where);
        heap::free(leaves);
    }
    policy.err_leaf = where.leaf;
    policy.err_subleaf = where.subleaf;
    policy.err_msr = refused_msr;
    TRY(r.handle.write(r.op)); // also, and above all, when it was refused
    TRY(done);
    return s64{0};
}

} // namespace tenon::domctls
