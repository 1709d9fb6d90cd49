// Interrupt vectors on their way to who handles them.
#pragma once
#include <tenon_arch/regs.hpp>

namespace tenon::x86 {

[[gnu::noinline]] void handle_interrupt(u8 vector);
void handle_nmi();
extern "C" void handle_ist_trap(Regs* regs); ///< NMI, #DF, #MC on their own stacks
[[noreturn]] void panic_with_registers(const Regs& regs);

} // namespace tenon::x86
