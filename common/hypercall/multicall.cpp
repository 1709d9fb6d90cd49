// multicall: a list of calls in one entry, executed in order. Each result is written into its entry. When a call inside wants to
// be executed again, its new arguments go into its entry and the multicall itself restarts there.
#include <abi/multicall.h>
#include <tenon/arch/cpu.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>

namespace tenon::hypercall {
namespace {

constexpr u32 yield_interval = 16; ///< entries between two looks at the clock

/// multicall_entry, by members.
struct Entry {
    u64 number, result, arg0, arg1, arg2, arg3, arg4, arg5;
};
static_assert(sizeof(Entry) == sizeof(multicall_entry) && offsetof(Entry, arg0) == offsetof(multicall_entry, args));

Error restart_at(Call& call, GuestPtr<Entry> at, u32 left)
{
    call.args[0] = at.va().raw();
    return call.restart_with(1, left);
}

} // namespace

CallResult multicall(Call& call, u64 list, u32 count)
{
    Vcpu& vcpu = call.vcpu;
    Call again{vcpu, call.domain, 0, {}};
    GuestPtr<Entry> at(list);
    for (u32 left = count; left; left--, at = at + 1) {
        if (left % yield_interval == 0 && left != count && arch::should_yield())
            return restart_at(call, at, left);
        Entry e;
        TRY((at.read_members<&Entry::number, &Entry::arg0, &Entry::arg1, &Entry::arg2, &Entry::arg3, &Entry::arg4>(e)));
        u64 result;
        if (e.number >= ABI_HYPERCALL_COUNT) [[unlikely]]
            result = u64(-s64(Error::nosys));
        else if (e.number == __HYPERVISOR_multicall || e.number == __HYPERVISOR_iret) [[unlikely]]
            result = u64(-s64(Error::inval)); // cannot be continued from here: iret does not return, and lists do not nest
        else {
            vcpu.calls[e.number]++;
            Call* const outer = std::exchange(vcpu.repeat_into, &again);
            result = call_entries[e.number](e.arg0, e.arg1, e.arg2, vcpu, e.arg4, e.arg3);
            if (!std::exchange(vcpu.repeat_into, outer)) [[unlikely]] {
                TRY(at.at(&Entry::arg0).write_array(again.args, std::size(again.args)));
                return restart_at(call, at, left);
            }
        }
        TRY(at.update(&Entry::result, result));
    }
    return s64{0};
}

CallResult iret(Call&) { return Error::inval; }

} // namespace tenon::hypercall
