// Instructions that a guest kernel executes although it runs in ring 3.
#pragma once
#include "../bounce.hpp"
#include <tenon/domain/domain.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

/// #GP: true when the instruction was emulated or an exception was delivered; false: deliver the #GP as it is.
bool emulate_privileged(Vcpu& vcpu, Regs& regs);
/// #UD: the forced-emulation prefix with CPUID.
bool emulate_invalid_opcode(Vcpu& vcpu, Regs& regs);

/// The bytes at rip, as many as can be read; `emulated` instructions advance rip by what they used.
struct Code {
    u8 byte[15];
    unsigned count = 0, at = 0;
    explicit Code(u64 rip);
    bool next(u8& b)
    {
        if (at >= count)
            return false;
        b = byte[at++];
        return true;
    }
};

/// Register by its encoding number.
u64& register_of(Regs& regs, unsigned number);
/// Instruction done: rip moves on, a single step becomes #DB.
void skip(Vcpu& vcpu, Regs& regs, unsigned bytes);

inline void count(Vcpu& vcpu, Emulated kind) { vcpu.arch.emulated[unsigned(kind)]++; }

/// FS_BASE, GS_BASE, KERNEL_GS_BASE: nearly all that kernels ask for.
constexpr bool is_base_msr(u32 index) { return index - msr::fs_base <= 2; }
bool read_guest_msr(Vcpu& vcpu, u32 index, u64& value);
bool write_guest_msr(Vcpu& vcpu, u32 index, u64 value);
CpuidResult guest_cpuid(const Vcpu& vcpu, u32 leaf, u32 subleaf);

/// The I/O privilege level that a guest's kernel has for itself, and what the TSS says while it runs.
void set_iopl_of(GuestState& state, const Domain& domain, u32 level);
/// Marks the ports that need no look at them in the bitmap that the CPUs have. Boot, once Tenon's serial port is known.
void open_ports();
/// IN and OUT of one element; the guest's kernel has the right to it.
void emulate_port_access(Vcpu& vcpu, Regs& regs, u16 port, unsigned bytes, bool is_in);
/// IN, OUT, INS, OUTS after their prefixes, of a guest kernel, or of its user mode where the guest allowed it. False: not one of them, or
/// not permitted.
bool emulate_port_io(Vcpu& vcpu, Regs& regs, Code& code, u8 opcode, unsigned operand, bool rep);

} // namespace tenon::x86::pv
