// The machine's ACPI record, and access to the registers that its addresses name.
#include <tenon/device/acpi.hpp>
#include <tenon/device/io.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::acpi {
namespace {

constinit Machine the_machine;

const u8* map_table(MachineAddr address, u64 bytes)
{
    return static_cast<const u8*>(x86::map_device(address, bytes, x86::DeviceMemory::write_back));
}

/// One page of registers stays mapped; power registers are touched a few times in a machine's life.
void* map_register(u64 address)
{
    static constinit u64 page = ~u64{0};
    static constinit u8* base = nullptr;
    if (align_down(address, page_size) != page || !base) {
        page = align_down(address, page_size);
        base = static_cast<u8*>(x86::map_device(MachineAddr{page}, 2 * page_size));
    }
    return base ? base + (address & page_mask) : nullptr;
}

} // namespace

Status init(MachineAddr rsdp)
{
    TRY(read_tables(the_machine, rsdp, map_table));
    u32 enabled = 0;
    for (u32 i = 0; i < the_machine.cpu_count; i++)
        enabled += the_machine.cpus[i].enabled;
    log_info("ACPI: RSDP 0x%lx, %u CPUs, %u I/O APICs, %u overrides, %u MCFG ranges%s\n",
             the_machine.rsdp.raw(), enabled, the_machine.ioapic_count, the_machine.override_count, the_machine.mcfg_count,
             the_machine.hpet_address ? ", HPET" : "");
    return success;
}

const Machine& machine() { return the_machine; }

u32 read(const Gas& gas)
{
    if (gas.space == Gas::port) {
        const u16 port = u16(gas.address);
        return gas.width == 8 ? io::in8(port) : gas.width == 16 ? io::in16(port) : io::in32(port);
    }
    const void* at = gas.space == Gas::memory ? map_register(gas.address) : nullptr;
    if (!at)
        return ~0u;
    return gas.width == 8 ? io::read_at<u8>(at, 0) : gas.width == 16 ? io::read_at<u16>(at, 0) : io::read_at<u32>(at, 0);
}

void write(const Gas& gas, u32 value)
{
    if (gas.space == Gas::port) {
        const u16 port = u16(gas.address);
        if (gas.width == 8)
            io::out8(port, u8(value));
        else if (gas.width == 16)
            io::out16(port, u16(value));
        else
            io::out32(port, value);
        return;
    }
    void* at = gas.space == Gas::memory ? map_register(gas.address) : nullptr;
    if (!at)
        return;
    if (gas.width == 8)
        io::write_at<u8>(at, 0, u8(value));
    else if (gas.width == 16)
        io::write_at<u16>(at, 0, u16(value));
    else
        io::write_at<u32>(at, 0, value);
}

} // namespace tenon::acpi
