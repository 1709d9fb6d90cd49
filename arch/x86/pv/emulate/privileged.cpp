// The #GP path: decode just enough, do what the guest kernel meant. [SDM 2; the list is in docs/abi/instructions.md]
#include "../../cpu/features.hpp"
#include "../pin.hpp"
#include "../update.hpp"
#include "../vcpu.hpp"
#include "emulate.hpp"
#include <tenon/guest/handle.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

Code::Code(const Regs& regs)
{
    if (const GuestVa va{regs.rip}; arch::guest_range_ok(va, sizeof byte_))
        count_ = unsigned(sizeof byte_ - arch::copy_from_guest(byte_, va, sizeof byte_));
    for (;;) {
        opcode = next();
        if (opcode == 0x66)
            operand = 2;
        else if (opcode == 0xf3 || opcode == 0xf2)
            rep = true;
        else if ((opcode & 0xe7) != 0x26 && (opcode & 0xfe) != 0x64 && opcode != 0xf0) // segments: 26 2e 36 3e 64 65; lock
            break;
    }
    if ((opcode & 0xf0) == 0x40 && (regs.cs & 0xffff) != guest_cs32) {
        rex = opcode;
        opcode = next();
    }
}

u64 Code::immediate(unsigned bytes)
{
    u64 value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= u64(next()) << 8 * i;
    const unsigned unused = 64 - 8 * bytes;
    return u64(s64(value << unused) >> unused);
}

void Code::skip_operand(u8 modrm)
{
    const unsigned mod = modrm >> 6, rm = modrm & 7, base = rm == 4 ? next() & 7 : rm;
    at_ += mod == 2 || (mod == 0 && base == 5) ? 4 : mod;
}

u64& register_of(Regs& r, unsigned number)
{
    static constexpr u64 Regs::*all[] = {&Regs::rax, &Regs::rcx, &Regs::rdx, &Regs::rbx, &Regs::rsp, &Regs::rbp, &Regs::rsi, &Regs::rdi,
                                         &Regs::r8,  &Regs::r9,  &Regs::r10, &Regs::r11, &Regs::r12, &Regs::r13, &Regs::r14, &Regs::r15};
    return r.*all[number & 15];
}

void skip(Vcpu& vcpu, Regs& regs, unsigned bytes)
{
    regs.rip += bytes;
    regs.rflags &= ~flag::rf;
    if (regs.rflags & flag::tf) {
        vcpu.arch.state->dr[6] |= bit(14) | 0xffff0ff0;
        deliver_exception(vcpu, regs, 1);
    }
}

namespace {

Result<u64> read_guest_cr(const Vcpu& vcpu, unsigned number)
{
    switch (number) {
    case 0: return 0x80050033 | (vcpu.arch.state->task_switched ? cr0::ts : 0);
    case 2: return u64{vcpu.info->arch.cr2};
    case 3: return vcpu.arch.kernel_table.raw() << page_shift;
    case 4: return vcpu.arch.state->guest_cr4 | cr4::pae | cr4::mce | cr4::osfxsr | cr4::osxmmexcpt;
    case 8: return u64{0};
    }
    return Error::inval;
}

/// Error::restart: the instruction is to be executed again, when other work has had its turn.
Status write_guest_cr(Vcpu& vcpu, unsigned number, u64 value)
{
    switch (number) {
    case 0: set_task_switched(vcpu, value & cr0::ts); return success;
    case 2: vcpu.info->arch.cr2 = value; return success;
    case 3: {
        Guard guard(vcpu.domain.arch.mm_lock);
        TRY(finish_deferred(vcpu, vcpu.domain));
        return set_base(vcpu, vcpu.arch.kernel_table, Mfn{value >> page_shift});
    }
    case 4:
        vcpu.arch.state->guest_cr4 =
            value & (cr4::tsd | cr4::de | (features.xsave ? cr4::osxsave : 0) | (features.fsgsbase ? cr4::fsgsbase : 0));
        this_cpu().guest_cr4_bits = vcpu.arch.state->guest_cr4 & cr4::guests_choice;
        write_cr4((read_cr4() & ~cr4::guests_choice) | this_cpu().guest_cr4_bits);
        return success;
    case 8: return success;
    }
    return Error::inval;
}

u64 hi_lo(const Regs& r) { return u64(u32(r.rdx)) << 32 | u32(r.rax); }
void set_hi_lo(Regs& r, u64 v)
{
    r.rax = u32(v);
    r.rdx = v >> 32;
}

bool set_guest_xcr0(Vcpu& vcpu, Regs& r)
{
    u64 v = hi_lo(r);
    bool avx512 = (v & 0xe0) != 0;
    if (!features.xsave || u32(r.rcx) != 0 || !(v & 1) || (v & ~features.xcr0_mask) || ((v & 4) && !(v & 2)) ||
        (avx512 && ((v & 0xe0) != 0xe0 || !(v & 4))))
        return false;
    vcpu.arch.state->xcr0 = this_cpu().xcr0 = v;
    asm volatile("xsetbv" ::"c"(0), "a"(u32(v)), "d"(u32(v >> 32)));
    return true;
}

/// MOV between a general register and control or debug register `number`.
Status move_register(Vcpu& vcpu, u8 op, unsigned number, u64& reg)
{
    switch (op) {
    case 0x20: reg = TRY(read_guest_cr(vcpu, number)); return success;
    case 0x21: reg = TRY(get_debugreg(*vcpu.arch.state, number)); return success;
    case 0x22: return write_guest_cr(vcpu, number, reg);
    default: return set_debugreg(vcpu, number, reg);
    }
}

[[gnu::noinline]] bool read_any_msr(Vcpu& vcpu, Regs& regs)
{
    u64 value;
    const bool good = read_guest_msr(vcpu, u32(regs.rcx), value);
    if (good)
        set_hi_lo(regs, value);
    return good;
}

[[gnu::always_inline]] inline bool emulate_msr(Vcpu& vcpu, Regs& regs, bool is_read)
{
    const u32 index = u32(regs.rcx);
    if (!is_read)
        return write_guest_msr(vcpu, index, hi_lo(regs));
    if (!is_base_msr(index))
        return read_any_msr(vcpu, regs);
    set_hi_lo(regs, read_msr(index));
    return true;
}

/// Two-byte opcodes, kernel mode only. Error::restart: nothing is done yet that the guest could see, and rip stays.
Status two_byte(Vcpu& vcpu, Regs& regs, Code& code)
{
    auto accepted = [](bool good) -> Status { return good ? Status(success) : Error::inval; };
    const u8 op = code.next();
    const bool is_move = (op & 0xfc) == 0x20, is_msr = op == 0x30 || op == 0x32;
    const u8 modrm = is_move || op == 0x01 ? code.next() : 0;
    if (!code.is_whole())
        return Error::inval;
    count(vcpu, is_msr ? Emulated::msrs : is_move ? Emulated::control : Emulated::others);
    if (is_move)
        return move_register(vcpu, op, (modrm >> 3 & 7) | (code.rex & 4) << 1, register_of(regs, (modrm & 7) | (code.rex & 1) << 3));
    switch (op) {
    case 0x06: set_task_switched(vcpu, false); return success; // clts
    case 0x08:                                                 // invd
    case 0x09:                                                 // wbinvd
        if (vcpu.domain.arch.has_hardware)
            asm volatile("wbinvd" ::: "memory");
        return success;
    case 0x30: // wrmsr
    case 0x32: return accepted(emulate_msr(vcpu, regs, op == 0x32));
    case 0x31: set_hi_lo(regs, read_tsc()); return success; // rdtsc under CR4.TSD
    case 0x01:
        if (modrm == 0xd1) // xsetbv
            return accepted(set_guest_xcr0(vcpu, regs));
        if (modrm == 0xf9) { // rdtscp
            set_hi_lo(regs, read_tsc());
            regs.rcx = u32(vcpu.arch.state->tsc_aux);
            return success;
        }
        code.skip_operand(modrm);
        if ((modrm >> 3 & 7) != 7 || modrm >> 6 == 3 || !code.is_whole())
            return Error::inval;
        load_tables(vcpu); // invlpg: of everything, which is always enough
        return success;
    }
    return Error::inval;
}

/// INT n through a gate that the CPU keeps for ring 0.
[[gnu::noinline]] bool software_interrupt(Vcpu& vcpu, Regs& regs)
{
    Code code(regs);
    const u8 vector = code.next();
    if (code.opcode != 0xcd || !code.is_whole())
        return false;
    const GuestState& state = *vcpu.arch.state;
    const u8 dpl = state.trap_dpl[vector];
    if (state.trap_address[vector] == 0 || dpl == 0 || (guest_in_user() && dpl < 3)) {
        deliver_exception(vcpu, regs, 13, vector * 8u + 2); // some emulators give another number here
        return true;
    }
    regs.rip += code.length();
    deliver(vcpu, regs, {state.trap_address[vector], state.trap_masks[vector]});
    return true;
}

/// The eight bytes at rip, for a first look; false where one of them cannot be read.
[[gnu::always_inline]] inline bool load_code(u64& code, u64 rip)
{
    if (!arch::few_words_ok<8>(rip))
        return false;
    arch::open_user_pages();
    const bool good = arch::load_word(code, rip);
    arch::close_user_pages();
    return good;
}

/// At the end of a page, as many as belong to an instruction; 0 where they cannot be read.
[[gnu::noinline]] u64 load_last_bytes(u64 rip, unsigned bytes)
{
    u64 code = 0;
    return arch::guest_range_ok(GuestVa{rip}, bytes) && arch::copy_from_guest(&code, GuestVa{rip}, bytes) == 0 ? code : 0;
}

/// What kernels execute often, as they write it: without prefixes. False: to be looked at closely.
[[gnu::always_inline]] inline bool emulate_usual(Vcpu& vcpu, Regs& regs, u32 code)
{
    if (guest_in_user() || regs.rflags & flag::tf)
        return false;
    if ((code & 0xfe) == 0xfa) { // cli, sti: must not mask events, see docs/abi/instructions.md
        count(vcpu, Emulated::flags);
        regs.rip++;
    } else if (u16(code & ~u32{0x200}) == 0x300f) { // wrmsr 0f 30, rdmsr 0f 32
        if (!emulate_msr(vcpu, regs, code & 0x200))
            return false;
        count(vcpu, Emulated::msrs);
        regs.rip += 2;
    } else
        return false;
    regs.rflags &= ~flag::rf;
    return true;
}

/// SYSENTER, which only 32-bit code means: its kernel gets it where it said. The CPU would keep neither rip nor rsp.
bool emulate_sysenter(Vcpu& vcpu, Regs& regs, Code& code)
{
    const Callback& callback = vcpu.arch.state->sysenter;
    if (!callback.address || code.opcode != 0x0f || code.next() != 0x34)
        return false;
    regs.rip = regs.rsp = 0;
    regs.rflags = (regs.rflags | flag::interrupt) & ~flag::tf;
    deliver(vcpu, regs, {callback.address, callback.masks});
    return true;
}

/// Any form of them, and all others.
[[gnu::noinline]] bool emulate_any(Vcpu& vcpu, Regs& regs)
{
    Code code(regs);
    if (emulate_port_io(vcpu, regs, code))
        return true;
    if (guest_in_user())
        return emulate_sysenter(vcpu, regs, code);
    if ((code.opcode & 0xfe) == 0xfa) // cli, sti
        count(vcpu, Emulated::flags);
    else if (code.opcode != 0x0f)
        return false;
    else if (Status s = two_byte(vcpu, regs, code); !s)
        return s.error() == Error::restart;
    skip(vcpu, regs, code.length());
    return true;
}

} // namespace

bool emulate_privileged(Vcpu& vcpu, Regs& regs)
{
    if (regs.error_code != 0) [[unlikely]]
        return regs.error_code & 2 ? software_interrupt(vcpu, regs) : false;
    u64 code = 0;
    if (load_code(code, regs.rip) && emulate_usual(vcpu, regs, u32(code))) [[likely]]
        return true;
    return emulate_any(vcpu, regs);
}

bool emulate_invalid_opcode(Vcpu& vcpu, Regs& regs)
{
    constexpr u64 forced_cpuid = 0xa20f'6e65'780b'0f; // ud2; "xen"; cpuid
    constexpr unsigned length = 7;
    u64 code;
    if (!load_code(code, regs.rip))
        code = load_last_bytes(regs.rip, length);
    if (code << 8 != forced_cpuid << 8)
        return false;
    count(vcpu, Emulated::cpuid);
    const CpuidResult r = guest_cpuid(vcpu, u32(regs.rax), u32(regs.rcx));
    regs.rax = r.eax;
    regs.rbx = r.ebx;
    regs.rcx = r.ecx;
    regs.rdx = r.edx;
    skip(vcpu, regs, length);
    return true;
}

} // namespace tenon::x86::pv
