// What handlers of sub-operations share: the argument structure by reference, and results without a value.
#pragma once
#include <tenon/hypercall/table.hpp>

namespace tenon::hypercall {

/// The result of an operation that has nothing to say but whether it worked.
inline CallResult done(Status status) { return status.ok() ? CallResult(0) : status.error(); }
inline Status only_if(bool possible, Error otherwise) { return possible ? Status(success) : otherwise; }

/// A refusal that the log mentions once.
inline Error refuse(const Call& call, u32 command, Error error)
{
    note_refused(call, command, error);
    return error;
}

/// Runs handler(call, structure at `argument`). What a handler takes as T& goes back to the guest after success, as const T& not.
template <class T> Status with_argument(Status (*handler)(Call&, T&), Call& call, u64 argument)
{
    GuestPtr<std::remove_const_t<T>> place(argument);
    auto structure = TRY(place.read());
    TRY(handler(call, structure));
    return std::is_const_v<T> ? Status(success) : place.write(structure);
}

/// A handler for the row of a table; one that returns nothing cannot fail.
template <auto handler, class... Args> Status on(Args... args)
{
    if constexpr (std::is_void_v<decltype(handler(args...))>) {
        handler(args...);
        return success;
    } else
        return handler(args...);
}

/// One at a time: whoever finds it busy goes away and comes back, because a wait would be one with interrupts off.
struct Turn : Pinned {
    explicit Turn(std::atomic<bool>& b) : busy(b), taken(!b.exchange(true, std::memory_order_acquire)) {}
    ~Turn()
    {
        if (taken)
            busy.store(false, std::memory_order_release); // pairs with the acquire of the next one
    }
    std::atomic<bool>& busy;
    const bool taken;
};

/// A control call: one structure of a command, an interface version and a payload. run(copy of it) answers; what it changes goes back
/// to the tool after success.
template <class T, class Run> CallResult control_call(Call& call, u64 argument, u32 version, Run&& run)
{
    GuestPtr<T> handle(argument);
    auto op = TRY(handle.read());
    if (op.interface_version != version)
        return Error::access;
    Status result = run(op);
    if (result.ok())
        result = handle.write(op);
    else if (result.error() == Error::nosys || result.error() == Error::notsup)
        note_refused(call, op.cmd, result.error());
    return done(result);
}

/// The row of a table of sub-operations, or nullptr.
template <class Row, std::size_t N> constexpr const Row* find_row(const Row (&rows)[N], u32 command)
{
    for (const Row& row : rows)
        if (row.command == command)
            return &row;
    return nullptr;
}

/// No number stands twice: for a static_assert behind each table.
template <class Row, std::size_t N> consteval bool rows_differ(const Row (&rows)[N])
{
    for (const Row& row : rows)
        if (find_row(rows, row.command) != &row)
            return false;
    return true;
}

/// The one-shot timer of a vCPU: VIRQ_TIMER at `deadline`, never for 0. A time that is past means now, by the timer's interrupt: guests
/// rely on one event for each call.
CallResult set_singleshot_timer(Vcpu& vcpu, u64 deadline);

template <class T> Result<T> read(u64 argument) { return GuestPtr<T>(argument).read(); }

} // namespace tenon::hypercall
