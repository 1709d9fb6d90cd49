// What this is: exceptions, callbacks and their frames as a guest kernel sees them, and catch_trap(), which
// runs a piece of code and says which trap it took. The entry stubs are in traps.S.
#pragma once

#include "abi.hpp"

namespace guest {

enum Vector : u64 {
    vector_de = 0,
    vector_db = 1,
    vector_nmi = 2,
    vector_bp = 3,
    vector_of = 4,
    vector_ud = 6,
    vector_nm = 7,
    vector_ts = 10,
    vector_np = 11,
    vector_ss = 12,
    vector_gp = 13,
    vector_pf = 14,
    vector_ac = 17,
    vector_int80 = 128,
    callback_event = 256,
    callback_syscall,
    callback_syscall32,
    callback_sysenter,
    callback_failsafe,
    vector_count
};

/// What the stubs leave on the stack. From `error` upwards it is what the hypervisor pushed (zero where it
/// pushed no error code).
struct Frame {
    u64 r15, r14, r13, r12, rbp, rbx, r10, r9, r8, rdx, rsi, rdi;
    u64 vector;
    u64 rax, r11, rcx, error, rip, cs, rflags, rsp, ss;
};

/// A trap as its handler found the machine.
struct Trap {
    bool taken;
    Frame frame;
    u64 entry_rsp;      ///< stack pointer at the handler's first instruction
    u64 handler_rflags; ///< real flags there
    u16 handler_cs, handler_ss;
    u8 handler_mask; ///< vcpu_info's upcall mask there
    u64 cr2;

    bool is(u64 vector) const { return taken && frame.vector == vector; }
    u8 saved_mask() const { return static_cast<u8>(frame.cs >> 32); }
};

extern Trap last_trap;

/// Returns true when it has dealt with the trap: the guest goes on where the (possibly changed) frame says.
using TrapHook = bool (*)(Frame&);
extern TrapHook trap_hooks[vector_count];

constexpr u8 trap_masks_events = 4; ///< trap_info flag: deliver with events masked

/// Registers every stub (with the given flags for exceptions) and the event, failsafe, syscall and sysenter
/// callbacks.
void install_traps(u8 exception_flags = trap_masks_events);
u64 stub_address(u64 vector);
trap_info trap_entry(u64 vector, u8 flags);
long register_callback(u16 type, u64 vector, u16 flags = CALLBACKF_mask_events);

extern "C" bool catch_call(void (*function)(void*), void* argument);
extern "C" [[noreturn]] void enter_frame(const Frame* frame);

/// Runs `code`; a trap ends it and is reported.
template <class Code> Trap catch_trap(Code code)
{
    last_trap.taken = false;
    bool caught = catch_call([](void* argument) { (*static_cast<Code*>(argument))(); }, &code);
    if (!caught)
        last_trap.taken = false;
    return last_trap;
}

} // namespace guest

extern "C" guest::u64 recovery_rsp, iret_flags, failsafe_selectors[4];
extern "C" char catch_resume[];
