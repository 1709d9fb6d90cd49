// Writes to read-only level-1 tables. Decodes the few instructions that kernels use on page-table entries, computes the new entry and
// updates it like mmu_update would. What is not a table, or not one of these instructions, is the guest's own fault to handle.
#include "writable_tables.hpp"
#include "emulate/emulate.hpp"
#include "update.hpp"
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

enum class Action : u8 { move, exchange, compare_exchange, logic_or, logic_and, logic_xor, bit_set, bit_reset, bit_complement, add };

struct Write {
    Action action;
    unsigned bytes; ///< 1, 2, 4, 8
    unsigned reg;   ///< register operand, when `has_immediate` is false
    bool has_immediate;
    bool high_byte; ///< AH, CH, DH, BH
    u64 immediate;
    unsigned length;
};

bool read_immediate(Code& code, unsigned bytes, u64& value)
{
    value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        u8 b;
        if (!code.next(b))
            return false;
        value |= u64(b) << 8 * i;
    }
    if (bytes == 4)
        value = u64(s64(s32(value)));
    else if (bytes == 1)
        value = u64(s64(s8(value)));
    return true;
}

/// Skips the memory operand's bytes; `reg` is the ModRM register field.
bool read_modrm(Code& code, unsigned rex, unsigned& reg)
{
    u8 modrm, sib = 0;
    if (!code.next(modrm) || modrm >> 6 == 3)
        return false;
    unsigned mod = modrm >> 6, rm = modrm & 7;
    reg = (modrm >> 3 & 7) | (rex & 4 ? 8 : 0);
    if (rm == 4 && !code.next(sib))
        return false;
    code.at += mod == 1 ? 1 : mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))) ? 4 : 0;
    return code.at <= code.count;
}

bool decode(Code& code, Write& w)
{
    unsigned rex = 0, operand = 4;
    u8 op;
    do {
        if (!code.next(op))
            return false;
        if (op == 0x66)
            operand = 2;
    } while (op == 0x66 || op == 0xf0 || op == 0x2e || op == 0x3e || op == 0x36 || op == 0x26);
    if ((op & 0xf0) == 0x40) {
        rex = op & 0xf;
        if (rex & 8)
            operand = 8;
        if (!code.next(op))
            return false;
    }
    w = {};
    auto modrm = [&] { return read_modrm(code, rex, w.reg); };
    auto with_register = [&](Action a, bool wide) {
        w.action = a;
        w.bytes = wide ? operand : 1;
        if (!modrm())
            return false;
        if (!wide && !rex && w.reg >= 4) {
            w.high_byte = true;
            w.reg -= 4;
        }
        return true;
    };
    auto with_immediate = [&](Action a, bool wide, unsigned immediate_bytes) {
        w.action = a;
        w.bytes = wide ? operand : 1;
        w.has_immediate = true;
        return read_immediate(code, immediate_bytes, w.immediate);
    };
    bool ok = false;
    switch (op) {
    case 0x88:
    case 0x89: ok = with_register(Action::move, op & 1); break;
    case 0x86:
    case 0x87: ok = with_register(Action::exchange, op & 1); break;
    case 0x08:
    case 0x09: ok = with_register(Action::logic_or, op & 1); break;
    case 0x20:
    case 0x21: ok = with_register(Action::logic_and, op & 1); break;
    case 0x30:
    case 0x31: ok = with_register(Action::logic_xor, op & 1); break;
    case 0xc6:
    case 0xc7: ok = modrm() && (w.reg & 7) == 0 && with_immediate(Action::move, op & 1, op & 1 ? min(operand, 4u) : 1); break;
    case 0x80:
    case 0x81:
    case 0x83: {
        if (!modrm())
            return false;
        static constexpr Action by_field[] = {Action::add,       Action::logic_or, Action::add,       Action::add,
                                              Action::logic_and, Action::add,      Action::logic_xor, Action::add};
        unsigned field = w.reg & 7;
        ok = by_field[field] != Action::add && with_immediate(by_field[field], op != 0x80, op == 0x81 ? min(operand, 4u) : 1);
        break;
    }
    case 0x0f:
        if (!code.next(op))
            return false;
        switch (op) {
        case 0xb0:
        case 0xb1: ok = with_register(Action::compare_exchange, op & 1); break;
        case 0xab: ok = with_register(Action::bit_set, true); break;
        case 0xb3: ok = with_register(Action::bit_reset, true); break;
        case 0xbb: ok = with_register(Action::bit_complement, true); break;
        case 0xba: {
            if (!modrm())
                return false;
            unsigned field = w.reg & 7;
            ok = field >= 5 && with_immediate(field == 5   ? Action::bit_set
                                              : field == 6 ? Action::bit_reset
                                                           : Action::bit_complement,
                                              true, 1);
            break;
        }
        }
        break;
    }
    w.length = code.at;
    return ok;
}

constexpr u64 mask_of(unsigned bytes) { return bytes == 8 ? ~u64{0} : bit(bytes * 8) - 1; }

void set_register(Regs& regs, const Write& w, u64 value)
{
    u64& r = register_of(regs, w.reg);
    unsigned shift = w.high_byte ? 8 : 0;
    if (w.bytes >= 4)
        r = value & mask_of(w.bytes);
    else
        r = (r & ~(mask_of(w.bytes) << shift)) | (value & mask_of(w.bytes)) << shift;
}

struct Outcome {
    u64 value; ///< new operand
    bool store = true;
    u64 flags_mask = 0, flags = 0;
};

Outcome compute(const Write& w, Regs& regs, u64 old)
{
    u64 source = w.has_immediate ? w.immediate : register_of(regs, w.reg) >> (w.high_byte ? 8 : 0);
    source &= mask_of(w.bytes);
    auto logic = [&](u64 v) -> Outcome {
        v &= mask_of(w.bytes);
        u64 f = (v == 0 ? flag::zf : 0) | (v >> (w.bytes * 8 - 1) & 1 ? 0x80 : 0) | (__builtin_parity(unsigned(v & 0xff)) ? 0 : 4);
        return {v, true, 0x8d5, f};
    };
    unsigned n = unsigned(source & (w.bytes * 8 - 1));
    u64 carry = old >> n & 1;
    switch (w.action) {
    case Action::logic_or: return logic(old | source);
    case Action::logic_and: return logic(old & source);
    case Action::logic_xor: return logic(old ^ source);
    case Action::bit_set: return {old | bit(n), true, flag::cf, carry};
    case Action::bit_reset: return {old & ~bit(n), true, flag::cf, carry};
    case Action::bit_complement: return {old ^ bit(n), true, flag::cf, carry};
    case Action::compare_exchange: {
        bool same = (regs.rax & mask_of(w.bytes)) == old;
        return {same ? source : old, same, flag::zf, same ? flag::zf : 0};
    }
    default: return {source};
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
    if (!is_ram(mapping.mfn()))
        return false;
    Frame& frame = frame_at(mapping.mfn());
    if (frame.owner_id() != domain.id || !frame.type_word().is_valid_table(1))
        return false;
    const unsigned index = unsigned((address & page_mask) / 8);
    u64* entries = own_frame<u64>(mapping.mfn());
    bool exchanges;
    if (unsigned reg, length; address % 8 == 0 && (length = decode_store(regs.rip, reg, exchanges)) != 0) [[likely]] {
        auto* at = reinterpret_cast<Pte*>(&entries[index]);
        u64& value = register_of(regs, reg);
        Pte old;
        if (!write_l1_entry(domain, at, Pte{value}, domain.id, AdBits::replace, &old))
            return false;
        if (exchanges)
            value = old.raw;
        regs.rip += length;
        return true;
    }
    Code code(regs.rip);
    Write w;
    if (!decode(code, w))
        return false;
    unsigned shift = unsigned(address & 7) * 8;
    if ((address & 7) + w.bytes > 8)
        return false;
    u64 whole = std::atomic_ref(entries[index]).load(std::memory_order_acquire);
    u64 old = whole >> shift & mask_of(w.bytes);
    Outcome result = compute(w, regs, old);
    if (result.store) {
        u64 next = (whole & ~(mask_of(w.bytes) << shift)) | (result.value & mask_of(w.bytes)) << shift;
        if (!write_entry(vcpu, domain, frame, index, Pte{next}, 1, domain.id, AdBits::replace))
            return false;
    }
    if (w.action == Action::exchange)
        set_register(regs, w, old);
    else if (w.action == Action::compare_exchange && !result.store) {
        Write accumulator = w;
        accumulator.reg = 0;
        accumulator.high_byte = false;
        set_register(regs, accumulator, old);
    }
    regs.rflags = (regs.rflags & ~result.flags_mask) | result.flags;
    regs.rip += w.length;
    return true;
}

} // namespace tenon::x86::pv
