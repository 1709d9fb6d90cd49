// One hypercall being executed, and how handlers are declared. A handler's parameters after Call& are decoded from the guest's
// registers by type; a `Privileged` parameter makes the dispatcher refuse callers that are not the control domain.
#pragma once
#include <tenon/domain/domain.hpp>
#include <tenon/guest/handle.hpp>

namespace tenon {

/// Proof that the policy check was made. Only the check can make one.
class Privileged {
    friend struct PolicyCheck;
    template <class T> friend struct Held;
    Privileged() = default;
};

struct PolicyCheck {
    static Result<Privileged> control_domain(const Vcpu& caller);
};

struct Call {
    Vcpu& vcpu;
    Domain& domain; ///< the caller's
    u32 number;
    u64 args[5];
    /// Position-saving for long calls: store new argument values, then return Error::restart. The guest executes the same call
    /// again with these arguments, after any pending event was delivered.
    Error restart_with(unsigned index, u64 value)
    {
        args[index] = value;
        return Error::restart;
    }
};

using CallResult = Result<s64>;

/// What the guest finds in its result register.
inline s64 to_register(const CallResult& result) { return result.ok() ? result.value() : -s64(result.error()); }

namespace arch {
/// The guest, when it goes on, executes the call again with the arguments that it has now. Yields what its result register is to hold.
u64 repeat_call(const Call& call);
} // namespace arch

/// How the entry code calls a handler: the guest's argument registers, in the order that costs no instruction.
using EnterCall = u64 (*)(u64 arg0, u64 arg1, u64 arg2, Vcpu& vcpu, u64 arg4, u64 arg3);

/// One row of a call table.
struct CallRow {
    u32 number;
    const char* name;
    EnterCall enter; ///< nullptr: no such call
    bool privileged;
    const char* signature; ///< argument list as text, for docs and the fuzzer
};

namespace detail {
template <auto handler, class... Args> struct Invoker;
template <auto handler, class... Args> struct Invoker<handler, CallResult (*)(Call&, Args...)> {
    static constexpr bool privileged = false;
    template <std::size_t... I> static CallResult run(Call& call, std::index_sequence<I...>)
    {
        return handler(call, Args(call.args[I])...);
    }
    static CallResult invoke(Call& call) { return run(call, std::index_sequence_for<Args...>{}); }
};
template <auto handler, class... Args> struct Invoker<handler, CallResult (*)(Call&, Privileged, Args...)> {
    static constexpr bool privileged = true;
    template <std::size_t... I> static CallResult run(Call& call, Privileged proof, std::index_sequence<I...>)
    {
        return handler(call, proof, Args(call.args[I])...);
    }
    static CallResult invoke(Call& call)
    {
        auto proof = TRY(PolicyCheck::control_domain(call.vcpu));
        return run(call, proof, std::index_sequence_for<Args...>{});
    }
};
} // namespace detail

/// A call that saved its position: goes back to whoever runs it, a multicall or the guest.
u64 repeat_call(const Call& call);

/// The one place that a handler is called from, so that it is inlined there, and nowhere else: what calls this does the usual case without
/// a frame.
template <auto handler, u32 number>
__attribute__((noinline, no_stack_protector)) u64 enter_call(u64 arg0, u64 arg1, u64 arg2, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    Call call{vcpu, vcpu.domain, number, {arg0, arg1, arg2, arg3, arg4}};
    CallResult result = detail::Invoker<handler, decltype(handler)>::invoke(call);
    if (result.ok()) [[likely]]
        return u64(*result);
    return result.error() == Error::restart ? repeat_call(call) : u64(-s64(result.error()));
}

/// `enter`: one that does the usual case by itself, and leaves the others to the handler.
template <auto handler, u32 number, EnterCall enter = &enter_call<handler, number>>
constexpr CallRow row(const char* name, const char* signature)
{
    return {number, name, enter, detail::Invoker<handler, decltype(handler)>::privileged, signature};
}

/// Logs a refused sub-operation once per (call, sub-operation).
void note_refused(const Call& call, u32 sub_operation, Error error);

/// Handlers, one file each in common/hypercall (or arch/x86/pv for the paging and register calls).
namespace hypercall {
CallResult memory_op(Call&, u32 command, u64 argument);
CallResult multicall(Call&, u64 list, u32 count);
CallResult set_timer_op(Call&, u64 deadline);
CallResult event_channel_op(Call&, u32 command, u64 argument);
CallResult xen_version(Call&, u32 command, u64 argument);
CallResult console_io(Call&, u32 command, u32 count, u64 buffer);
CallResult grant_table_op(Call&, u32 command, u64 operations, u32 count);
CallResult vm_assist(Call&, u32 command, u32 type);
CallResult vcpu_op(Call&, u32 command, u32 vcpu, u64 argument);
CallResult sched_op(Call&, u32 command, u64 argument);
CallResult physdev_op(Call&, u32 command, u64 argument);
CallResult platform_op(Call&, Privileged, u64 argument);
CallResult sysctl(Call&, Privileged, u64 argument);
CallResult domctl(Call&, Privileged, u64 argument);
} // namespace hypercall

} // namespace tenon
