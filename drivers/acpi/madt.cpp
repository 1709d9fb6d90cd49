// MADT: processors, I/O APICs, how ISA interrupts arrive, which local pin is NMI. [ACPI 5.2.12]
#include "table.hpp"

namespace tenon::acpi {
namespace {

void add_cpu(Machine& machine, u32 apic, u32 acpi_id, u32 flags)
{
    const bool enabled = flags & 1;
    for (u32 i = 0; i < machine.cpu_count; i++)
        if (machine.cpus[i].apic.raw() == apic) // listed as LAPIC and as x2APIC
            return;
    if (machine.cpu_count < std::size(machine.cpus))
        machine.cpus[machine.cpu_count++] = {ApicId{apic}, acpi_id, enabled};
}

/// MPS INTI flags: 0 in a field means "as the bus does", and ISA is edge, active high. [ACPI 5.2.12.5]
constexpr bool is_low(u16 flags) { return (flags & 3) == 3; }
constexpr bool is_level(u16 flags) { return (flags >> 2 & 3) == 3; }

void add_nmi(Machine& machine, u32 acpi_id, u16 flags, u8 lint)
{
    if (machine.nmi_count < std::size(machine.nmis) && lint < 2)
        machine.nmis[machine.nmi_count++] = {acpi_id, lint, is_level(flags), is_low(flags)};
}

void read_entry(const Bytes& e, Machine& machine)
{
    switch (e.get<u8>(0)) {
    case 0: // local APIC; id 0xff stands for an x2APIC entry elsewhere
        if (e.size >= 8 && e.get<u8>(3) != 0xff)
            add_cpu(machine, e.get<u8>(3), e.get<u8>(2), e.get<u32>(4));
        return;
    case 1:
        if (e.size >= 12 && machine.ioapic_count < std::size(machine.ioapics))
            machine.ioapics[machine.ioapic_count++] = {e.get<u8>(2), e.get<u32>(4), e.get<u32>(8)};
        return;
    case 2:
        if (e.size >= 10 && machine.override_count < std::size(machine.overrides)) {
            const u16 flags = e.get<u16>(8);
            machine.overrides[machine.override_count++] = {e.get<u8>(3), e.get<u32>(4), is_level(flags), is_low(flags)};
        }
        return;
    case 4:
        if (e.size >= 6) {
            const u8 uid = e.get<u8>(2);
            add_nmi(machine, uid == 0xff ? ~0u : uid, e.get<u16>(3), e.get<u8>(5));
        }
        return;
    case 5:
        if (e.size >= 12)
            machine.lapic_address = e.get<u64>(4);
        return;
    case 9:
        if (e.size >= 16)
            add_cpu(machine, e.get<u32>(4), e.get<u32>(12), e.get<u32>(8));
        return;
    case 10:
        if (e.size >= 12)
            add_nmi(machine, e.get<u32>(4), e.get<u16>(2), e.get<u8>(8));
        return;
    }
}

} // namespace

void read_madt(const Bytes& table, Machine& machine)
{
    if (!table.has(header_size, 8) || machine.cpu_count || machine.ioapic_count) // a second MADT is a firmware bug
        return;
    machine.lapic_address = table.get<u32>(header_size);
    machine.has_8259 = table.get<u32>(header_size + 4) & 1;
    for (u64 at = header_size + 8; table.has(at, 2);) {
        const u8 length = table.get<u8>(at + 1);
        if (length < 2 || !table.has(at, length))
            return;
        read_entry(table.part(at, length), machine);
        at += length;
    }
}

} // namespace tenon::acpi
