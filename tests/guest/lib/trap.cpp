// What this is: the trap table of the guest, and the C++ end of every trap and callback.
#include "trap.hpp"

#include "check.hpp"
#include "hypercall.hpp"
#include "runtime.hpp"

// This macro never settles on a layout.
// clang-format off
#define FOR_EACH_STUB(X)                                                                                     \
    X(0)                                                                                                     \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) \
        X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(128) X(256) X(257) X(258)  \
            X(259) X(260)
// clang-format on

#define DECLARE(n) extern "C" char trap_entry_##n[];
FOR_EACH_STUB(DECLARE)
#undef DECLARE

namespace guest {

Trap last_trap;
TrapHook trap_hooks[vector_count];

u64 stub_address(u64 vector)
{
#define CASE(n) \
    case n: return number(trap_entry_##n);
    switch (vector) {
        FOR_EACH_STUB(CASE)
    }
#undef CASE
    return 0;
}

trap_info trap_entry(u64 vector, u8 flags)
{
    trap_info info{};
    info.vector = static_cast<u8>(vector);
    info.flags = flags;
    info.cs = flat_cs;
    info.address = stub_address(vector);
    return info;
}

long register_callback(u16 type, u64 vector, u16 flags)
{
    callback_register arg{};
    arg.type = type;
    arg.flags = flags;
    arg.address = stub_address(vector);
    return hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, &arg);
}

void install_traps(u8 exception_flags)
{
    static trap_info table[34];
    size_t count = 0;
    for (u64 vector = 0; vector < 32; vector++) {
        u8 privilege = vector == vector_bp || vector == vector_of ? 3 : 0;
        table[count++] = trap_entry(vector, exception_flags | privilege);
    }
    table[count++] = trap_entry(vector_int80, exception_flags | 3);
    table[count] = {};
    if (long rc = hypercall(__HYPERVISOR_set_trap_table, table))
        give_up("set_trap_table: %ld", rc);
    if (long rc = register_callback(CALLBACKTYPE_event, callback_event))
        give_up("callback event: %ld", rc);
    if (long rc = register_callback(CALLBACKTYPE_failsafe, callback_failsafe))
        give_up("callback failsafe: %ld", rc);
    if (long rc = register_callback(CALLBACKTYPE_syscall, callback_syscall))
        give_up("callback syscall: %ld", rc);
    register_callback(CALLBACKTYPE_syscall32, callback_syscall32);
    register_callback(CALLBACKTYPE_sysenter, callback_sysenter);
}

namespace {

bool pushes_error(u64 vector) { return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21; }

void record(const Frame& frame, u64 rflags)
{
    last_trap.taken = true;
    last_trap.frame = frame;
    last_trap.entry_rsp = number(&frame.rip) - (pushes_error(frame.vector) ? 24 : 16);
    if (frame.vector == callback_failsafe)
        last_trap.entry_rsp -= 32;
    last_trap.handler_rflags = rflags;
    asm volatile("mov %%cs, %0; mov %%ss, %1" : "=r"(last_trap.handler_cs), "=r"(last_trap.handler_ss));
    last_trap.handler_mask = vcpu0->evtchn_upcall_mask;
    last_trap.cr2 = vcpu0->arch.cr2;
}

} // namespace

extern "C" void trap_dispatch(Frame& frame, u64 rflags)
{
    iret_flags = 0;
    if (TrapHook hook = trap_hooks[frame.vector]; hook && hook(frame))
        return;
    record(frame, rflags);
    if (!recovery_rsp)
        give_up("unexpected trap %lu error %lx at %lx (cs %lx rflags %lx rsp %lx) cr2 %lx", frame.vector, frame.error, frame.rip, frame.cs,
                frame.rflags, frame.rsp, last_trap.cr2);
    if ((frame.cs & 3) == 3)
        frame.rflags &= ~flag_if; // back from user mode, which always runs unmasked
    frame.rip = number(catch_resume);
    frame.rsp = recovery_rsp;
    frame.cs = flat_kernel_cs;
    frame.ss = flat_ss;
    frame.rflags &= ~(flag_tf | flag_df | flag_nt | flag_ac);
}

} // namespace guest
