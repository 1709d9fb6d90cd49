// What the calls of control tools share: their envelope, CPU sets (a bitmap in the tool's memory, of any length), CPUID policies.
#pragma once
#include "argument.hpp"
#include <abi/types.h>
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/cpuid.hpp>

namespace tenon::hypercall {

/// A control call: one structure of a command, an interface version and a payload. run(copy of it) answers; what it changes goes back
/// to the tool, after a failure too.
template <class T, class Run> CallResult control_call(Call& call, u64 argument, u32 version, Run&& run)
{
    GuestPtr<T> handle(argument);
    auto op = TRY(handle.read());
    if (op.interface_version != version)
        return Error::access;
    const Status result = run(op), written = handle.write(op);
    if (result.ok())
        return done(written);
    if (result.error() == Error::nosys || result.error() == Error::notsup)
        note_refused(call, op.cmd, result.error());
    return done(result);
}

/// Numbers beyond max_cpus are not looked at: no such CPU exists.
inline Result<CpuSet> read_cpus(const xenctl_bitmap& from)
{
    u8 bytes[max_cpus / 8]{};
    u32 bits = min(from.nr_bits, u32{max_cpus});
    TRY(GuestPtr<u8>(from.bitmap).read_array(bytes, (bits + 7) / 8));
    CpuSet cpus;
    for (u32 i = 0; i < bits; i++)
        cpus.assign(i, bytes[i / 8] >> (i % 8) & 1);
    return cpus;
}

/// Fills the whole bitmap; what lies beyond max_cpus becomes zero. A null handle takes nothing.
inline Status write_cpus(const xenctl_bitmap& to, const CpuSet& cpus)
{
    constexpr u32 most = 4096; // bits; a longer map is the tool's own affair
    if (!to.bitmap)
        return success;
    u8 bytes[most / 8]{};
    u32 bits = min(to.nr_bits, most);
    for (u32 i = 0; i < min(bits, u32{max_cpus}); i++)
        bytes[i / 8] |= u8(cpus.test(i) << i % 8);
    return GuestPtr<u8>(to.bitmap).write_array(bytes, (bits + 7) / 8);
}

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
