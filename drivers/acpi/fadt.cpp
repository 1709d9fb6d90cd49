// FADT: power management registers and the way to reset. [ACPI 5.2.9]
#include "table.hpp"

namespace tenon::acpi {
namespace {

/// The 64-bit form of a register block where the table has one, else the old port number.
Gas block(const Bytes& t, u64 old_offset, u64 new_offset, u8 bytes)
{
    const Gas extended = read_gas(t, new_offset);
    if (extended && (extended.space == Gas::memory || extended.space == Gas::port))
        return extended;
    const u32 port = t.get<u32>(old_offset);
    if (port == 0 || port > 0xffff)
        return {};
    return {Gas::port, u8(bytes * 8), 0, 0, port};
}

} // namespace

void read_fadt(const Bytes& t, Machine& machine)
{
    Power& p = machine.power;
    const u32 flags = t.get<u32>(112);
    machine.has_power = true;
    p.hardware_reduced = flags & bit(20);
    p.timer_is_32_bit = flags & bit(8);
    p.has_rtc = !(t.get<u16>(109) & bit(5));
    p.sci = t.get<u16>(46);
    p.century_index = t.get<u8>(108);
    const u64 facs = t.get<u64>(132), dsdt = t.get<u64>(140);
    p.facs = MachineAddr{facs ? facs : t.get<u32>(36)};
    p.dsdt = MachineAddr{dsdt ? dsdt : t.get<u32>(40)};
    if (!p.hardware_reduced) {
        p.pm1a_event = block(t, 56, 148, t.get<u8>(88));
        p.pm1b_event = block(t, 60, 160, t.get<u8>(88));
        p.pm1a_control = block(t, 64, 172, 2);
        p.pm1b_control = block(t, 68, 184, 2);
        p.timer = block(t, 76, 208, 4);
    }
    // Many firmwares give access sizes that their own registers do not take: PM1 control is 16 bits wide.
    p.pm1a_control.width = p.pm1b_control.width = 16;
    p.timer.width = 32;
    p.sleep_control = read_gas(t, 244);
    if ((flags & bit(10)) && t.has(116, 13)) {
        p.reset = read_gas(t, 116);
        p.reset.width = 8;
        p.reset_value = t.get<u8>(128);
        p.has_reset = bool(p.reset);
    }
}

/// `Name (_S5_, Package () {a, b, ...})`: NameOp, the name, PackageOp, PkgLength, NumElements, then two integers, each a
/// ByteConst or one of the single-byte constants. [ACPI 20.2]
bool find_s5(const u8* aml, u64 bytes, u8& a, u8& b)
{
    const Bytes t{aml, bytes};
    for (u64 at = header_size + 1; t.has(at, 12); at++) {
        if (t.get<u32>(at) != signature("_S5_") || t.get<u8>(at + 4) != 0x12)
            continue;
        const bool named = t.get<u8>(at - 1) == 0x08 || (t.get<u8>(at - 1) == '\\' && t.get<u8>(at - 2) == 0x08);
        if (!named)
            continue;
        u64 next = at + 5 + (t.get<u8>(at + 5) >> 6) + 1; // PkgLength: its lead byte counts the bytes that follow
        if (t.get<u8>(next++) < 1)
            continue;
        u8 values[2]{};
        for (u8& value : values) {
            const u8 op = t.get<u8>(next++);
            value = op == 0x0a ? t.get<u8>(next++) : op == 0x01 ? 1 : 0;
        }
        a = values[0] & 7;
        b = values[1] & 7;
        return true;
    }
    return false;
}

} // namespace tenon::acpi
