// Handing control to the guest kernel: exception, event and syscall frames.
#pragma once
#include "../cpu/per_cpu.hpp"

namespace tenon::x86::pv {

struct Delivery {
    u64 address;
    bool masks = false;
    bool has_error = false;
    u32 error = 0;
};

/// Builds the frame on the guest's kernel stack and points the registers at the handler. A frame that can't be written
/// ends the domain. [public header xen.h; frame layout in docs/abi/frames.md]
[[gnu::noinline]] void deliver(Vcpu& vcpu, Regs& regs, const Delivery& what);
/// An exception for the guest's own handler; no handler registered ends the domain.
[[gnu::noinline]] void deliver_exception(Vcpu& vcpu, Regs& regs, u8 vector, u32 error = 0);
void deliver_page_fault(Vcpu& vcpu, Regs& regs, u64 address, u32 error);
/// The guest did what it cannot survive: says so with registers and shuts the domain down as crashed.
void crash_guest(Vcpu& vcpu, const Regs& regs, const char* why);

/// HYPERVISOR_iret.
void guest_iret(Vcpu& vcpu, Regs& regs);

/// Flags that a guest may choose: arithmetic, TF, DF, NT is ours, RF, AC, ID.
inline constexpr u64 honoured_flags = 0xdd5 | bit(16) | bit(18) | bit(21);
/// What is left of them, and of IF, when a handler begins.
inline constexpr u64 handler_flags = (honoured_flags & ~(bit(8) | bit(10) | bit(16) | bit(18))) | bit(9) | bit(1);

/// Recomputes what the assembly needs, after the kernel stack or the syscall handler changed.
void update_bounce(GuestState& state);

/// RFLAGS that a guest may run with.
u64 guest_rflags(u64 flags);

} // namespace tenon::x86::pv
