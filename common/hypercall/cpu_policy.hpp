// CPUID policies as domctl and sysctl give them.
#pragma once
#include <tenon/arch/cpuid.hpp>
#include <tenon/guest/handle.hpp>

namespace tenon::hypercall {

/// Writes leaf(0) to leaf(count - 1). A null array asks for the length.
template <class Policy, class Leaf> Status give_policy(Policy& policy, u32 count, Leaf&& leaf)
{
    if (policy.leaves && policy.nr_leaves < count)
        return Error::nospc;
    for (u32 i = 0; policy.leaves && i < count; i++)
        TRY((GuestPtr<xen_cpuid_leaf>(policy.leaves) + i).write(leaf(i)));
    policy.nr_leaves = count;
    policy.nr_msrs = 0;
    return success;
}

} // namespace tenon::hypercall
