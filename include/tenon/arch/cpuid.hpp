// CPUID policies: what the machine has, what a PV guest may and does see, and what the tools chose for one domain.
#pragma once
#include <abi/cpuid.h>
#include <span>
#include <tenon/ids.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::arch {

/// Numbered as in sysctl get_cpu_policy.
enum class PolicyIndex : u8 { raw = 0, host = 1, pv_max = 2, pv_default = 4 };

/// Leaves of a machine-wide policy, in ascending (leaf, subleaf) order; index < cpu_policy_leaves(which).
unsigned cpu_policy_leaves(PolicyIndex which);
xen_cpuid_leaf cpu_policy_leaf(PolicyIndex which, unsigned index);

/// Leaves that a domain sees: its own policy, or the default.
unsigned domain_policy_leaves(const Domain& domain);
xen_cpuid_leaf domain_policy_leaf(const Domain& domain, unsigned index);

/// Names the leaf that was refused.
struct PolicyError {
    u32 leaf = ~0u, subleaf = ~0u;
};
/// Replaces the domain's policy by these leaves merged over the default; refuses what a PV guest cannot have.
/// The domain has not run yet. Error::inval with `where` filled in, or Error::nomem.
Status set_domain_policy(Domain& domain, std::span<const xen_cpuid_leaf> leaves, PolicyError& where);

} // namespace tenon::arch
