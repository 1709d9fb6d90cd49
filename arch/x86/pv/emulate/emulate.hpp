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

/// A write by the guest's kernel to a present page that it may only read: true when it was executed as an update of a level-1 entry, or
/// the fault has vanished meanwhile.
bool emulate_table_write(Vcpu& vcpu, Regs& regs, u64 address);

/// The instruction at rip. Prefixes and opcode are read at once, the rest as it is asked for. A byte that cannot be read is 0, and the
/// instruction is then not whole: to be looked at before anything is done.
class Code {
public:
    explicit Code(const Regs& regs);
    u8 next() { return at_++ < count_ ? byte_[at_ - 1] : 0; }
    /// 1, 2 or 4 bytes, sign-extended.
    u64 immediate(unsigned bytes);
    /// What a memory operand has behind its ModRM byte; where it lies is of no interest.
    void skip_operand(u8 modrm);
    bool is_whole() const { return at_ <= count_; }
    unsigned length() const { return at_; }

    unsigned operand = 4; ///< bytes, by prefix: 2 or 4
    bool rep = false;
    u8 rex = 0; ///< 0: none
    u8 opcode;

private:
    u8 byte_[15];
    unsigned count_ = 0, at_ = 0;
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
/// IN, OUT, INS, OUTS of a guest kernel, or of its user mode where the guest allowed it. False: not one of them, or not permitted.
bool emulate_port_io(Vcpu& vcpu, Regs& regs, Code& code);

} // namespace tenon::x86::pv
