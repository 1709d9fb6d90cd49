// multicall: a list of calls in one entry, executed in order. Each result is written into its entry. When a call inside wants to
// be executed again, its new arguments go into its entry and the multicall itself restarts there.
#include <abi/multicall.h>
#include <tenon/arch/cpu.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>

namespace tenon::hypercall {
namespace {

constexpr u32 yield_interval = 16; ///< entries between two looks at the clock

Error restart_at(Call& call, GuestPtr<multicall_entry> entry, u32 left)
{
    call.args[0] = entry.va().raw();
    return call.restart_with(1, left);
}

} // namespace

CallResult multicall(Call& call, u64 list, u32 count)
{
    GuestPtr<multicall_entry> entry(list);
    for (u32 i = 0; i < count; i++, entry = entry + 1) {
        if (i && i % yield_interval == 0 && arch::should_yield())
            return restart_at(call, entry, count - i);
        multicall_entry request;
        TRY(entry.read_array(&request, 1));
        Call inner{
            call.vcpu, call.domain, u32(request.op), {request.args[0], request.args[1], request.args[2], request.args[3], request.args[4]}};
        // Neither can be continued from here: iret does not return, and lists do not nest.
        bool refused = request.op == __HYPERVISOR_multicall || request.op == __HYPERVISOR_iret;
        CallResult result = request.op >= ABI_HYPERCALL_COUNT ? CallResult(Error::nosys)
                            : refused                         ? CallResult(Error::inval)
                                                              : dispatch(inner);
        if (!result.ok() && result.error() == Error::restart) {
            for (unsigned a = 0; a < 5; a++)
                request.args[a] = inner.args[a];
            TRY(entry.write(request));
            return restart_at(call, entry, count - i);
        }
        TRY(entry.at(&multicall_entry::result).write(u64(to_register(result))));
    }
    return s64{0};
}

CallResult iret(Call&) { return Error::inval; }

} // namespace tenon::hypercall
