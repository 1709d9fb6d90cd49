// The hypercall table by number, and what every call counts.
#pragma once
#include <abi/hypercall.h>
#include <array>
#include <tenon/hypercall/call.hpp>

namespace tenon {

using CallTable = std::array<CallRow, ABI_HYPERCALL_COUNT>;
extern const CallTable call_table;
/// The same for the entry code; a number without a handler has one that refuses.
extern "C" const std::array<EnterCall, ABI_HYPERCALL_COUNT> call_entries;

inline const CallRow* find_call(u64 number)
{
    return number < call_table.size() && call_table[number].enter ? &call_table[number] : nullptr;
}

namespace call_counts {
/// Calls of this number by the domains that there are.
u64 total(u32 number);
/// Writes every number that was called to the log.
void log_all();
} // namespace call_counts

/// dom_self and the caller's own id name the caller; any other domain needs the control domain's privilege.
/// Error::srch when there is no such domain.
Result<DomainRef> target_of(const Call& call, u16 domid);

} // namespace tenon
