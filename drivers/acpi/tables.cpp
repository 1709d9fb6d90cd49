// From the RSDP over the RSDT or XSDT to each table that Tenon reads. [ACPI 5.2.5 - 5.2.12, PCI firmware 4.1.2]
#include <iterator>
#include <tenon/device/acpi.hpp>

namespace tenon::acpi {
namespace {

constexpr u64 rsdp_signature = 0x2052'5450'2044'5352;   // "RSD PTR "
constexpr u64 header_size = 36, table_limit = 16 << 20; // no sane table is longer
constexpr u32 signature(const char (&s)[5]) { return u32(u8(s[0])) | u32(u8(s[1])) << 8 | u32(u8(s[2])) << 16 | u32(u8(s[3])) << 24; }

/// The table at `address` with length and checksum verified, or an empty view.
Bytes open_table(MachineAddr address, MapTable map, u32 wanted = 0)
{
    const u8* head = address.raw() ? map(address, header_size) : nullptr;
    if (!head)
        return {};
    const Bytes header{head, header_size};
    const u32 length = header.get<u32>(4);
    if ((wanted && header.get<u32>(0) != wanted) || length < header_size || length > table_limit)
        return {};
    const u8* whole = map(address, length);
    return whole && Bytes{whole, length}.sums_to_zero() ? Bytes{whole, length} : Bytes{};
}

/// One more entry of a list, unless the record is full.
template <class T, std::size_t N> void append(T (&list)[N], u32& count, const T& entry)
{
    if (count < N)
        list[count++] = entry;
}

void add_cpu(Machine& machine, u32 apic, u32 acpi_id, u32 flags)
{
    for (u32 i = 0; i < machine.cpu_count; i++)
        if (machine.cpus[i].apic.raw() == apic) // listed as LAPIC and as x2APIC
            return;
    append(machine.cpus, machine.cpu_count, {ApicId{apic}, acpi_id, bool(flags & 1)});
}

/// MPS INTI flags: 0 in a field means "as the bus does", and ISA is edge, active high. [ACPI 5.2.12.5]
constexpr bool is_low(u16 flags) { return (flags & 3) == 3; }
constexpr bool is_level(u16 flags) { return (flags >> 2 & 3) == 3; }

/// One structure of the MADT. [ACPI 5.2.12.2 - 5.2.12.13]
void read_madt_entry(const Bytes& e, Machine& machine)
{
    static constexpr u8 lengths[] = {8, 12, 10, 0, 0, 0, 0, 0, 0, 16};
    const u8 type = e.get<u8>(0);
    if (type >= std::size(lengths) || e.size() < lengths[type])
        return;
    switch (type) {
    case 0: // local APIC; id 0xff stands for an x2APIC entry elsewhere
        if (e.get<u8>(3) != 0xff)
            add_cpu(machine, e.get<u8>(3), e.get<u8>(2), e.get<u32>(4));
        return;
    case 1: return append(machine.ioapics, machine.ioapic_count, {e.get<u32>(4), e.get<u32>(8)});
    case 2: return append(machine.overrides, machine.override_count, {e.get<u32>(4), is_level(e.get<u16>(8)), is_low(e.get<u16>(8))});
    case 9: return add_cpu(machine, e.get<u32>(4), e.get<u32>(12), e.get<u32>(8));
    }
}

void read_madt(const Bytes& t, Machine& machine)
{
    if (!t.has(header_size, 8) || machine.cpu_count || machine.ioapic_count) // a second MADT is a firmware bug
        return;
    u8 length;
    for (u64 at = header_size + 8; (length = t.get<u8>(at + 1)) >= 2 && t.has(at, length); at += length)
        read_madt_entry(t.part(at, length), machine);
}

/// Generic Address Structure; a port beyond the last one is none. [ACPI 5.2.3.2]
Gas read_gas(const Bytes& t, u64 offset)
{
    const Gas gas{t.get<u8>(offset), t.get<u8>(offset + 1), t.get<u64>(offset + 4)};
    return gas.space == Gas::port && gas.address > 0xffff ? Gas{} : gas;
}

/// The 64-bit form of a register block where the table has one, else the old port number. The width is that of the registers: many
/// firmwares give access sizes that their own registers do not take.
Gas register_block(const Bytes& t, u64 old_offset, u64 new_offset, u8 bits)
{
    const Gas extended = read_gas(t, new_offset);
    if (extended && (extended.space == Gas::memory || extended.space == Gas::port))
        return {extended.space, bits, extended.address};
    const u32 port = t.get<u32>(old_offset);
    return port <= 0xffff ? Gas{Gas::port, bits, port} : Gas{};
}

/// Power management registers and the way to reset. [ACPI 5.2.9]
void read_fadt(const Bytes& t, Machine& machine)
{
    Power& p = machine.power;
    const u32 flags = t.get<u32>(112);
    machine.has_power = true;
    p.timer_is_32_bit = flags & bit(8);
    p.has_rtc = !(t.get<u16>(109) & bit(5));
    p.century_index = t.get<u8>(108);
    const u64 dsdt = t.get<u64>(140);
    p.dsdt = MachineAddr{dsdt ? dsdt : t.get<u32>(40)};
    if (const bool hardware_reduced = flags & bit(20); !hardware_reduced) {
        p.pm1a_control = register_block(t, 64, 172, 16);
        p.pm1b_control = register_block(t, 68, 184, 16);
        p.timer = register_block(t, 76, 208, 32);
    }
    p.sleep_control = read_gas(t, 244);
    p.sleep_control.width = 8;
    if ((flags & bit(10)) && t.has(116, 13)) {
        p.reset = {read_gas(t, 116), t.get<u8>(128)};
        p.reset.reg.width = 8;
    }
}

void read_mcfg(const Bytes& t, Machine& machine)
{
    for (u64 at = header_size + 8; t.has(at, 16); at += 16) {
        const McfgEntry entry{t.get<u64>(at), t.get<u16>(at + 8), t.get<u8>(at + 10), t.get<u8>(at + 11)};
        if (entry.base && entry.last_bus >= entry.first_bus)
            append(machine.mcfg, machine.mcfg_count, entry);
    }
}

void read_one(const Bytes& table, Machine& machine)
{
    switch (table.get<u32>(0)) {
    case signature("APIC"): return read_madt(table, machine);
    case signature("FACP"): return read_fadt(table, machine);
    case signature("MCFG"): return read_mcfg(table, machine);
    }
}

} // namespace

Status read_tables(Machine& machine, Bytes rsdp, MapTable map)
{
    if (rsdp.get<u64>(0) != rsdp_signature || !rsdp.part(0, 20).sums_to_zero())
        return Error::nodev;
    Bytes list;
    u64 width = 8;
    if (rsdp.get<u8>(15) >= 2 && rsdp.sums_to_zero())
        list = open_table(MachineAddr{rsdp.get<u64>(24)}, map, signature("XSDT"));
    if (list.empty()) {
        list = open_table(MachineAddr{rsdp.get<u32>(16)}, map, signature("RSDT"));
        width = 4;
    }
    if (list.empty())
        return Error::nodev;
    for (u64 at = header_size; list.has(at, width); at += width)
        read_one(open_table(MachineAddr{width == 8 ? list.get<u64>(at) : list.get<u32>(at)}, map), machine);

    // The DSDT hangs off the FADT.
    const Bytes dsdt = open_table(machine.power.dsdt, map, signature("DSDT"));
    machine.power.has_s5 = find_s5(dsdt.data(), dsdt.size(), machine.power.s5_a, machine.power.s5_b);
    return success;
}

/// `Name (_S5_, Package () {a, b, ...})`: NameOp, the name, PackageOp, PkgLength, NumElements, then two integers, each a
/// ByteConst or one of the single-byte constants. [ACPI 20.2]
bool find_s5(const u8* aml, u64 bytes, u8& a, u8& b)
{
    const Bytes t{aml, bytes};
    for (u64 at = header_size + 1; t.has(at, 12); at++) {
        if (t.get<u32>(at) != signature("_S5_") || t.get<u8>(at + 4) != 0x12)
            continue;
        const u8 before = t.get<u8>(at - 1);
        u64 next = at + 5 + (t.get<u8>(at + 5) >> 6) + 1; // PkgLength: its lead byte counts the bytes that follow
        if ((before != 0x08 && !(before == '\\' && t.get<u8>(at - 2) == 0x08)) || t.get<u8>(next++) < 1)
            continue;
        for (u8* value : {&a, &b}) {
            const u8 op = t.get<u8>(next++);
            *value = (op == 0x0a ? t.get<u8>(next++) : op == 0x01) & 7;
        }
        return true;
    }
    return false;
}

} // namespace tenon::acpi
