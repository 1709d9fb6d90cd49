// The #GP path: decode just enough, do what the guest kernel meant. [SDM 2; the list is in docs/abi/instructions.md]
#include "../../cpu/features.hpp"
#include "../pin.hpp"
#include "../update.hpp"
#include "../vcpu.hpp"
#include "emulate.hpp"
#include <tenon/guest/handle.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

Code::Code(u64 rip)
{
    GuestVa va{rip};
    if (!arch::guest_range_ok(va, sizeof byte))
        return;
    count = unsigned(sizeof byte - arch::copy_from_guest(byte, va, sizeof byte));
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
    if (op == 0x22)
        return write_guest_cr(vcpu, number, reg);
    if (number > 7 && op != 0x20)
        return Error::inval;
    if (op == 0x23)
        return set_debugreg(vcpu, number, reg);
    const unsigned dr = number == 4 || number == 5 ? number + 2 : number;
    const Result<u64> value = op == 0x20 ? read_guest_cr(vcpu, number) : Result<u64>(vcpu.arch.state->dr[dr]);
    reg = TRY(value);
    return success;
}

/// The rest of INVLPG's operand; the address itself is of no interest.
bool skip_memory_operand(Code& code, u8 modrm)
{
    const unsigned rm = modrm & 7, mod = modrm >> 6;
    u8 sib = 0;
    if (rm == 4 && !code.next(sib))
        return false;
    code.at += mod == 1 ? 1 : mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))) ? 4 : 0;
    return code.at <= code.count;
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

constexpr Emulated kind_of(u8 second_byte)
{
    return second_byte == 0x30 || second_byte == 0x32 ? Emulated::msrs
           : (second_byte & 0xfc) == 0x20             ? Emulated::control
                                                      : Emulated::others;
}

/// Two-byte opcodes, kernel mode only.
bool two_byte(Vcpu& vcpu, Regs& regs, Code& code, unsigned rex)
{
    u8 op, modrm = 0;
    if (!code.next(op))
        return false;
    count(vcpu, kind_of(op));
    switch (op) {
    case 0x06: // clts
        set_task_switched(vcpu, false);
        return true;
    case 0x08: // invd
    case 0x09: // wbinvd
        if (vcpu.domain.arch.has_hardware)
            asm volatile("wbinvd" ::: "memory");
        return true;
    case 0x20:   // mov cr, r
    case 0x21:   // mov dr, r
    case 0x22:   // mov r, cr
    case 0x23: { // mov r, dr
        if (!code.next(modrm))
            return false;
        const Status s = move_register(vcpu, op, (modrm >> 3 & 7) | (rex & 4) << 1, register_of(regs, (modrm & 7) | (rex & 1) << 3));
        if (s.error() == Error::restart)
            code.at = 0; // nothing is done yet that the guest could see
        return s.ok() || code.at == 0;
    }
    case 0x30: // wrmsr
    case 0x32: return emulate_msr(vcpu, regs, op == 0x32);
    case 0x31: // rdtsc under CR4.TSD
        set_hi_lo(regs, read_tsc());
        return true;
    case 0x01:
        if (!code.next(modrm))
            return false;
        if (modrm == 0xd1) // xsetbv
            return set_guest_xcr0(vcpu, regs);
        if (modrm == 0xf9) { // rdtscp
            set_hi_lo(regs, read_tsc());
            regs.rcx = u32(vcpu.arch.state->tsc_aux);
            return true;
        }
        if ((modrm >> 3 & 7) != 7 || modrm >> 6 == 3 || !skip_memory_operand(code, modrm))
            return false;
        load_tables(vcpu); // invlpg: of everything, which is always enough
        return true;
    }
    return false;
}

/// INT n through a gate that the CPU keeps for ring 0.
[[gnu::noinline]] bool software_interrupt(Vcpu& vcpu, Regs& regs)
{
    Code code(regs.rip);
    if (code.count < 2 || code.byte[0] != 0xcd)
        return false;
    const GuestState& state = *vcpu.arch.state;
    const u8 vector = code.byte[1], dpl = state.trap_dpl[vector];
    if (state.trap_address[vector] == 0 || dpl == 0 || (guest_in_user() && dpl < 3)) {
        deliver_exception(vcpu, regs, 13, code.byte[1] * 8u + 2); // some emulators give another number here
        return true;
    }
    regs.rip += 2;
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

/// What kernels execute often, as they write it: without prefixes but the one for 16 bits. False: to be looked at closely.
[[gnu::always_inline]] inline bool emulate_usual(Vcpu& vcpu, Regs& regs, u32 code)
{
    if (guest_in_user() || regs.rflags & flag::tf)
        return false;
    unsigned length = 1, operand = 4;
    if (u8(code) == 0x66) {
        code >>= 8;
        length = operand = 2;
    }
    const u8 op = u8(code);
    if ((op & 0xfe) == 0xfa) // cli, sti: must not mask events, see docs/abi/instructions.md
        count(vcpu, Emulated::flags);
    else if (u16(code & ~u32{0x200}) == 0x300f) { // wrmsr 0f 30, rdmsr 0f 32
        length++;
        if (!emulate_msr(vcpu, regs, code & 0x200))
            return false;
        count(vcpu, Emulated::msrs);
    } else if ((op & 0xf4) == 0xe4 && vcpu.arch.state->iopl) { // in, out: e4-e7 with an immediate port, ec-ef by dx
        const bool by_dx = op & 8;
        length += !by_dx;
        count(vcpu, Emulated::ports);
        emulate_port_access(vcpu, regs, by_dx ? u16(regs.rdx) : u8(code >> 8), op & 1 ? operand : 1, !(op & 2));
    } else
        return false;
    regs.rip += length;
    regs.rflags &= ~flag::rf;
    return true;
}

/// SYSENTER, which only 32-bit code means: its kernel gets it where it said. The CPU would keep neither rip nor rsp.
bool emulate_sysenter(Vcpu& vcpu, Regs& regs, const Code& code)
{
    const Callback& callback = vcpu.arch.state->sysenter;
    if (!guest_in_user() || !callback.address || code.count < 2 || code.byte[0] != 0x0f || code.byte[1] != 0x34)
        return false;
    regs.rip = regs.rsp = 0;
    regs.rflags = (regs.rflags | flag::interrupt) & ~flag::tf;
    deliver(vcpu, regs, {callback.address, callback.masks});
    return true;
}

/// Any form of them, and all others.
[[gnu::noinline]] bool emulate_any(Vcpu& vcpu, Regs& regs)
{
    Code code(regs.rip);
    unsigned operand = 4, rex = 0;
    bool rep = false;
    u8 op;
    for (;;) {
        if (!code.next(op))
            return false;
        if (op == 0x66)
            operand = 2;
        else if (op == 0xf3 || op == 0xf2)
            rep = true;
        else if (op != 0x2e && op != 0x36 && op != 0x3e && op != 0x26 && op != 0x64 && op != 0x65 && op != 0xf0)
            break;
    }
    if ((op & 0xf0) == 0x40 && (regs.cs & 0xffff) != guest_cs32) {
        rex = op & 0xf;
        if (!code.next(op))
            return false;
    }
    if (emulate_port_io(vcpu, regs, code, op, operand, rep))
        return true;
    const bool is_flag = (op & 0xfe) == 0xfa; // cli, sti
    if (guest_in_user() || !(is_flag || (op == 0x0f && two_byte(vcpu, regs, code, rex))))
        return emulate_sysenter(vcpu, regs, code);
    if (is_flag)
        count(vcpu, Emulated::flags);
    if (code.at != 0)
        skip(vcpu, regs, code.at);
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
