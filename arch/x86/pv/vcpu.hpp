// State of a PV vCPU: creation, contexts, what is loaded when it runs.
#pragma once
#include "../cpu/per_cpu.hpp"
#include <abi/arch_x86.h>

namespace tenon::x86::pv {

bool is_guest_address(u64 address);
Status set_trap(GuestState& state, const trap_info& trap);
/// Virtual CR0.TS of the current vCPU.
void set_task_switched(Vcpu& vcpu, bool set);
/// Error::inval for a reserved register.
Result<u64> get_debugreg(const GuestState& state, unsigned reg);
/// Error::inval for a reserved register or bit.
Status set_debugreg(GuestState& state, unsigned reg, u64 value);
/// The same of the current vCPU, and loads it.
Status set_debugreg(Vcpu& vcpu, unsigned reg, u64 value);
/// Loads a selector into the user half's GS; a bad one becomes null.
void load_user_gs(u16 selector);
/// The guest-visible registers of a vCPU that is not running, at the top of its own stack.
void write_saved_regs(Vcpu& vcpu, const Regs& regs);
/// Saves and loads what lives in the CPU: FPU, segments, debug registers.
void save_cpu_state(Vcpu& vcpu);
void load_cpu_state(Vcpu& vcpu);

} // namespace tenon::x86::pv
