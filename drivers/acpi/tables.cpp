// From the RSDP over the RSDT or XSDT to each table that Tenon reads. [ACPI 5.2.5 - 5.2.8]
#include "table.hpp"

namespace tenon::acpi {
namespace {

constexpr u64 rsdp_signature = 0x2052'5450'2044'5352; // "RSD PTR "

/// The table at `address` with length and checksum verified, or an empty view.
Bytes open_table(MachineAddr address, MapTable map, u32 wanted = 0)
{
    if (address.raw() == 0)
        return {};
    const u8* head = map(address, header_size);
    if (!head)
        return {};
    const Bytes header{head, header_size};
    const u32 length = header.get<u32>(4);
    if ((wanted && header.get<u32>(0) != wanted) || length < header_size || length > table_limit)
        return {};
    const u8* whole = map(address, length);
    const Bytes table{whole, length};
    return whole && table.sums_to_zero() ? table : Bytes{};
}

bool is_rsdp(const Bytes& bytes) { return bytes.get<u64>(0) == rsdp_signature && bytes.part(0, 20).size && bytes.part(0, 20).sums_to_zero(); }

/// [ACPI 5.2.5.1] The first KiB of the EBDA, then 0xe0000-0xfffff, on 16-byte boundaries.
MachineAddr scan(MapTable map)
{
    u64 ebda = 0;
    if (const u8* bda = map(MachineAddr{0x400}, 0x100))
        ebda = u64{Bytes{bda, 0x100}.get<u16>(0x0e)} << 4;
    const struct {
        u64 start, bytes;
    } areas[] = {{ebda, 0x400}, {0xe0000, 0x20000}};
    for (const auto& area : areas) {
        const u8* base = area.start >= 0x80000 ? map(MachineAddr{area.start}, area.bytes) : nullptr;
        for (u64 i = 0; base && i + 20 <= area.bytes; i += 16)
            if (is_rsdp({base + i, 20}))
                return MachineAddr{area.start + i};
    }
    return MachineAddr{0};
}

void read_one(MachineAddr address, MapTable map, Machine& machine)
{
    const Bytes table = open_table(address, map);
    switch (table.get<u32>(0)) {
    case signature("APIC"): return read_madt(table, machine);
    case signature("FACP"): return read_fadt(table, machine);
    case signature("MCFG"): return read_mcfg(table, machine);
    case signature("HPET"): return read_hpet(table, machine);
    }
}

} // namespace

Gas read_gas(const Bytes& table, u64 offset)
{
    return {table.get<u8>(offset), table.get<u8>(offset + 1), table.get<u8>(offset + 2), table.get<u8>(offset + 3),
            table.get<u64>(offset + 4)};
}

Status read_tables(Machine& machine, MachineAddr rsdp, MapTable map)
{
    if (rsdp.raw() == 0)
        rsdp = scan(map);
    const u8* base = rsdp.raw() ? map(rsdp, 36) : nullptr;
    if (!base || !is_rsdp({base, 36}))
        return Error::nodev;
    machine.rsdp = rsdp;
    const Bytes root{base, 36};
    const bool has_xsdt = root.get<u8>(15) >= 2 && root.get<u64>(24) != 0 && root.sums_to_zero();
    Bytes list;
    u64 width = 8;
    if (has_xsdt)
        list = open_table(MachineAddr{root.get<u64>(24)}, map, signature("XSDT"));
    if (list.size == 0) {
        list = open_table(MachineAddr{root.get<u32>(16)}, map, signature("RSDT"));
        width = 4;
    }
    if (list.size == 0)
        return Error::nodev;
    for (u64 at = header_size; list.has(at, width); at += width)
        read_one(MachineAddr{width == 8 ? list.get<u64>(at) : list.get<u32>(at)}, map, machine);

    // The DSDT hangs off the FADT.
    const Bytes dsdt = open_table(machine.power.dsdt, map, signature("DSDT"));
    if (dsdt.size)
        machine.power.has_s5 = find_s5(dsdt.base, dsdt.size, machine.power.s5_a, machine.power.s5_b);
    return success;
}

void read_mcfg(const Bytes& table, Machine& machine)
{
    for (u64 at = header_size + 8; table.has(at, 16) && machine.mcfg_count < std::size(machine.mcfg); at += 16) {
        const McfgEntry entry{table.get<u64>(at), table.get<u16>(at + 8), table.get<u8>(at + 10), table.get<u8>(at + 11)};
        if (entry.base && entry.last_bus >= entry.first_bus)
            machine.mcfg[machine.mcfg_count++] = entry;
    }
}

void read_hpet(const Bytes& table, Machine& machine)
{
    const Gas address = read_gas(table, 40);
    if (address.space == Gas::memory && !machine.hpet_address)
        machine.hpet_address = address.address;
}

} // namespace tenon::acpi
