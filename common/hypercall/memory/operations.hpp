// memory_op's parts, one file a family. A long operation keeps its progress in the bits of the command word above the command:
// the guest executes memory_op(command | done << command_bits, argument) again.
#pragma once
#include "../argument.hpp"
#include <abi/memory.h>

namespace tenon::hypercall::memory {

inline constexpr u32 command_bits = 6; ///< the command's share of its word, as in Linux' and the tools' calls
inline constexpr u32 command_mask = (1u << command_bits) - 1;
inline constexpr u64 max_extents = ~u32{0} >> command_bits;
/// Largest extent: its frames are handled without a pause. 2 MiB is also the largest that Linux exchanges.
inline constexpr unsigned max_extent_order = 9;

CallResult change_reservation(Call&, u32 command, u64 argument);
Status claim(Call&, const xen_memory_reservation& request);
CallResult exchange(Call&, u64 argument);

/// Where new frames may lie: below 2 to the power of this.
constexpr unsigned address_bits(u32 mem_flags)
{
    const unsigned bits = XENMEMF_get_address_bits(mem_flags);
    return bits ? bits : 64;
}

/// Says in the machine-to-physical table where the domain has a frame, if it still has it: another of its vCPUs may have given it away.
void name_frame(Domain& domain, Mfn mfn, u64 pfn);
/// Gives back any frame the domain still holds the allocation of; the m2p entry goes with it.
bool give_frame(Domain& domain, Mfn mfn);
void give_extent(Domain& domain, Mfn first, unsigned order);

} // namespace tenon::hypercall::memory
