// Labels of the entry code, and what it calls. See entry.S for the contracts.
#pragma once
#include <tenon/lib/types.hpp>
#include <tenon_arch/regs.hpp>

namespace tenon {
struct Vcpu;
}

namespace tenon::x86 {

extern "C" {
extern char entry_stubs[], entry_syscall[], entry_syscall32[], entry_first_run[], entry_exit[];
void handle_trap(Regs* regs);                 ///< exceptions and interrupts of any context
void handle_emulated(Regs* regs, Vcpu* vcpu); ///< #UD and #GP of a guest
void handle_syscall(Regs* regs);              ///< iret, and SYSCALL in 64-bit user code, where the assembly did not do it
u64 unknown_call(Regs* regs);                 ///< a hypercall beyond the table
void handle_syscall32(Regs* regs);            ///< SYSCALL in compatibility mode
void handle_ist_trap(Regs* regs);             ///< NMI, #DF, #MC on their own stacks
void leave_to_guest(Regs* regs);              ///< everything that must happen before the guest runs again
void finish_switch_here();                    ///< on the stack of the vCPU that was switched to
/// Saves callee-saved registers and the stack pointer, loads the next vCPU's tables and stack. `info` is its StackInfo.
void switch_stacks(u64* save_sp, u64 next_sp, u64 next_cr3, void* cpu, void* info);
}
inline constexpr unsigned entry_stub_size = 16;

[[gnu::noinline]] void handle_interrupt(u8 vector);
void handle_nmi();
[[noreturn]] void panic_with_registers(const Regs& regs);

} // namespace tenon::x86
