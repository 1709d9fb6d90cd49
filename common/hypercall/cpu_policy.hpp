// CPUID policies as domctl and sysctl give them.
#pragma once
#include <tenon/arch/cpuid.hpp>
#include <tenon/guest/handle.hpp>

namespace tenon::hypercall {

/// The room that a null array is told. Tools have leaves and registers of their own, and put all of them into arrays of this length
/// to pass a policy back: it is what Xen 4.17 answers, not the length of ours.
constexpr u32 most_leaves = 120, most_msrs = 2;

/// Writes leaf(0) to leaf(count - 1). A null array asks for the room.
template <class Policy, class Leaf> Status give_policy(Policy& policy, u32 count, Leaf&& leaf)
{
    if (policy.leaves && policy.nr_leaves < count)
        return Error::nospc;
    for (u32 i = 0; policy.leaves && i < count; i++)
        TRY((GuestPtr<xen_cpuid_leaf>(policy.leaves) + i).write(leaf(i)));
    policy.nr_leaves = policy.leaves ? count : most_leaves;
    policy.nr_msrs = policy.msrs ? 0 : most_msrs;
    return success;
}

} // namespace tenon::hypercall
