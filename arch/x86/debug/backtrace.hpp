// Dying legibly.
#pragma once
#include <tenon/lib/types.hpp>
#include <tenon_arch/regs.hpp>

namespace tenon::x86 {

bool is_panicking();
/// "name+offset" of an address in the image.
void print_symbol(u64 address);
/// Follows frame pointers from `rbp`; stops at anything that does not look like a frame.
void print_backtrace(u64 rip, u64 rbp);
void print_registers(const Regs& regs);

} // namespace tenon::x86
