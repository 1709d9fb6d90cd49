// Writes to read-only level-1 tables. Decodes the few instructions that kernels use on page-table entries, computes the new entry and
// updates it like mmu_update would. What is not a table, or not one of these instructions, is the guest's own fault to handle.
#include "emulate/emulate.hpp"
#include "update.hpp"
#include <algorithm>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

enum class Action : u8 { none, move, exchange, compare_exchange, logic, bits };

/// Instructions by opcode; 1xx is the byte after 0f. The other operand is a register, or an immediate. Which of a group one is say three
/// bits, of the opcode, or with an immediate of the ModRM byte.
struct Pattern {
    u16 mask, value;
    Action action;
    bool has_immediate = false;
    u8 known = 0xff; ///< a bit for each of the group that is carried out
};
constexpr u8 or_and_xor = bit(1) | bit(4) | bit(6), set_reset_complement = bit(5) | bit(6) | bit(7);
constexpr Pattern patterns[] = {
    {0x1fe, 0x1b0, Action::compare_exchange},
    {0x1fc, 0x080, Action::logic, true, or_and_xor},
    {0x1ff, 0x1ba, Action::bits, true, set_reset_complement},
    {0x1e7, 0x1a3, Action::bits, false, set_reset_complement},
    {0x1c6, 0x000, Action::logic, false, or_and_xor},
    {0x1fe, 0x086, Action::exchange},
    {0x1fe, 0x088, Action::move},
    {0x1fe, 0x0c6, Action::move, true, bit(0)},
};

struct Write {
    Action action = Action::none;
    unsigned which = 0; ///< logic: 1 or, 4 and, 6 xor; bits: 5 set, 6 reset, 7 complement
    unsigned bytes = 0; ///< 1, 2, 4, 8
    u8* reg = nullptr;  ///< register operand, in the machine's byte order
    u64 source = 0;     ///< register or immediate
};

constexpr u64 mask_of(unsigned bytes) { return bytes == 8 ? ~u64{0} : bit(bytes * 8) - 1; }

Write decode(Code& code, Regs& regs)
{
    Write w;
    const unsigned op = code.opcode == 0x0f ? 0x100 | code.next() : code.opcode, modrm = code.next();
    const Pattern* p = std::ranges::find_if(patterns, [&](const Pattern& p) { return (op & p.mask) == p.value; });
    if (p == std::end(patterns) || modrm >> 6 == 3)
        return w;
    code.skip_operand(u8(modrm));
    const unsigned operand = code.rex & 8 ? 8 : code.operand, field = modrm >> 3 & 7;
    w.bytes = op & 1 || p->action == Action::bits ? operand : 1;
    w.which = p->has_immediate ? field : op >> 3 & 7;
    if (p->has_immediate)
        w.source = code.immediate(op & 1 && op != 0x83 ? min(operand, 4u) : 1);
    else {
        const bool is_high_byte = w.bytes == 1 && !code.rex && field >= 4; // AH, CH, DH, BH
        u64& reg = register_of(regs, is_high_byte ? field - 4 : field | (code.rex & 4) << 1);
        w.reg = reinterpret_cast<u8*>(&reg) + is_high_byte;
        w.source = reg >> (is_high_byte ? 8 : 0);
    }
    w.source &= mask_of(w.bytes);
    if (code.is_whole() && p->known >> w.which & 1)
        w.action = p->action;
    return w;
}

/// A register of 32 bits gets zeros above.
void set_register(u8* reg, unsigned bytes, u64 value) { __builtin_memcpy(reg, &value, bytes == 4 ? 8 : bytes); }

struct Outcome {
    u64 value; ///< new operand
    u64 flags_mask = 0, flags = 0;
};

Outcome compute(const Write& w, const Regs& regs, u64 old)
{
    switch (w.action) {
    case Action::compare_exchange:
        if ((regs.rax & mask_of(w.bytes)) != old)
            return {old, flag::zf, 0};
        return {w.source, flag::zf, flag::zf};
    case Action::logic: {
        const u64 v = w.which == 1 ? old | w.source : w.which == 4 ? old & w.source : old ^ w.source;
        return {v, 0x8d5, (v == 0 ? flag::zf : 0) | (v >> (w.bytes * 8 - 1) & 1 ? 0x80 : 0) | (__builtin_parity(u8(v)) ? 0 : 4)};
    }
    case Action::bits: {
        const u64 n = w.source & (w.bytes * 8 - 1), v = w.which == 5 ? old | bit(n) : w.which == 6 ? old & ~bit(n) : old ^ bit(n);
        return {v, flag::cf, old >> n & 1};
    }
    default: return {w.source};
    }
}

/// Kernels write whole entries by `mov %r64, memory` or `xchg`: length and register; 0: another instruction, for decode().
unsigned decode_store(u64 rip, unsigned& reg, bool& exchanges)
{
    u64 code;
    if (!arch::guest_range_ok(GuestVa{rip}, 8) || arch::copy_from_guest(&code, GuestVa{rip}, 8))
        return 0;
    exchanges = (code & 0xfff8) == 0x8748;
    if (!exchanges && (code & 0xfff8) != 0x8948)
        return 0;
    const unsigned modrm = u8(code >> 16), mod = modrm >> 6, rm = modrm & 7, sib_base = code >> 24 & 7;
    if (mod == 3)
        return 0;
    reg = (modrm >> 3 & 7) | unsigned(code & 4) << 1;
    const bool has_base = mod != 0 || !(rm == 5 || (rm == 4 && sib_base == 5));
    return 3 + (rm == 4) + (!has_base || mod == 2 ? 4 : mod);
}

} // namespace

bool emulate_table_write(Vcpu& vcpu, Regs& regs, u64 address)
{
    Domain& domain = vcpu.domain;
    if (!arch::guest_range_ok(GuestVa{address}, 8))
        return false;
    Guard guard(domain.arch.mm_lock);
    if (!finish_deferred(vcpu, domain))
        return true; // the instruction runs again
    auto place = find_l1(vcpu.arch.kernel_table, GuestVa{address});
    if (!place.ok())
        return false;
    const Pte mapping = place->entry();
    if (!mapping.is_present())
        return false;
    if (mapping.is_writable())
        return true; // another vCPU made it writable meanwhile
    Pte* const at = own_l1_entry(domain, MachineAddr{(mapping.raw & Pte::frame_bits) | (address & page_mask & ~u64{7})});
    if (!at)
        return false;
    bool exchanges;
    if (unsigned reg, length; address % 8 == 0 && (length = decode_store(regs.rip, reg, exchanges)) != 0) [[likely]] {
        u64& value = register_of(regs, reg);
        Pte old;
        if (!write_l1_entry(domain, at, Pte{value}, domain.id, AdBits::replace, &old))
            return false;
        if (exchanges)
            value = old.raw;
        regs.rip += length;
        return true;
    }
    Code code(regs);
    const Write w = decode(code, regs);
    const unsigned shift = unsigned(address & 7) * 8;
    if (w.action == Action::none || (address & 7) + w.bytes > 8)
        return false;
    const u64 whole = std::atomic_ref(at->raw).load(std::memory_order_acquire), mask = mask_of(w.bytes);
    const u64 old = whole >> shift & mask;
    const Outcome result = compute(w, regs, old);
    const bool differs = w.action == Action::compare_exchange && !result.flags;
    const Pte next{(whole & ~(mask << shift)) | result.value << shift};
    if (!differs && !write_l1_entry(domain, at, next, domain.id, AdBits::replace))
        return false;
    if (w.action == Action::exchange)
        set_register(w.reg, w.bytes, old);
    else if (differs)
        set_register(reinterpret_cast<u8*>(&regs.rax), w.bytes, old);
    regs.rflags = (regs.rflags & ~result.flags_mask) | result.flags;
    regs.rip += code.length();
    return true;
}

} // namespace tenon::x86::pv
