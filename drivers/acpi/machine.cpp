// The machine's ACPI record, the registers that it names, and what they are for: sleep, reset and the end. [ACPI 4.8.3, 7.4, 16.1]
#include <tenon/device/acpi.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/power.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon {
namespace acpi {
namespace {

constinit Machine the_machine;
constexpr u32 sleep_enable = 1 << 13, sleep_type_mask = 7 << 10;
constexpr u16 cf9_port = 0xcf9, keyboard_port = 0x64;

/// Some tens of microseconds: a port that does nothing takes about one. [ISA bus cycle]
void short_delay(unsigned microseconds)
{
    for (unsigned i = 0; i < microseconds; i++)
        io::out8(0x80, 0);
}

/// Writes the type first and then the type with the enable bit, as the specification's OSPM does.
void write_sleep_type(const Gas& control, u32 type_bits)
{
    if (!control)
        return;
    const u32 kept = read(control) & ~(sleep_type_mask | sleep_enable);
    write(control, kept | type_bits);
    write(control, kept | type_bits | sleep_enable);
}

/// The FADT's reset register; returns when there is none or it did nothing.
void reset()
{
    const auto& [reg, value] = the_machine.power.reset;
    if (!reg)
        return;
    write(reg, value);
    short_delay(50'000);
}

} // namespace

Status init(Bytes rsdp)
{
    TRY(read_tables(the_machine, rsdp, [](MachineAddr address, u64 bytes) {
        return static_cast<const u8*>(x86::map_device(address, bytes, x86::DeviceMemory::write_back));
    }));
    u32 enabled = 0;
    for (u32 i = 0; i < the_machine.cpu_count; i++)
        enabled += the_machine.cpus[i].enabled;
    log_info("ACPI: %u CPUs, %u I/O APICs, %u overrides, %u MCFG ranges", enabled, the_machine.ioapic_count, the_machine.override_count,
             the_machine.mcfg_count);
    return success;
}

const Machine& machine() { return the_machine; }

u32 read(const Gas& gas)
{
    if (gas.space == Gas::port)
        return io::in(u16(gas.address), gas.width / 8);
    const void* at = gas.space == Gas::memory ? io::map_register(gas.address, gas.width / 8) : nullptr;
    return at ? io::read(at, gas.width / 8) : ~0u;
}

void write(const Gas& gas, u32 value)
{
    if (gas.space == Gas::port)
        return io::out(u16(gas.address), gas.width / 8, value);
    if (void* at = gas.space == Gas::memory ? io::map_register(gas.address, gas.width / 8) : nullptr)
        io::write(at, gas.width / 8, value);
}

Status enter_sleep(u32 value_a, u32 value_b, u32 state, bool extended)
{
    const Power& p = the_machine.power;
    if (state == 0 || state > 5)
        return Error::inval;
    if (state < 4) // S1-S3 come back: no CPU state is kept for that
        return Error::notsup;
    if (!(extended ? p.sleep_control : p.pm1a_control))
        return Error::nodev;
    asm volatile("wbinvd" ::: "memory");
    if (extended) {
        write(p.sleep_control, value_a & 0xff);
    } else {
        write_sleep_type(p.pm1a_control, value_a & sleep_type_mask);
        write_sleep_type(p.pm1b_control, value_b & sleep_type_mask);
    }
    short_delay(100'000);
    return Error::io;
}

} // namespace acpi

namespace power {

void reboot()
{
    asm volatile("cli");
    acpi::reset();
    // The chipset's reset control: a full reset, then a transition of the CPU reset bit. [ICH9 13.7.5]
    const u8 kept = io::in8(acpi::cf9_port) & u8(~6u);
    io::out8(acpi::cf9_port, u8(kept | 2));
    acpi::short_delay(50);
    io::out8(acpi::cf9_port, u8(kept | 6));
    acpi::short_delay(50'000);
    for (unsigned i = 0; i < 10; i++) { // keyboard controller: pulse the reset line once its input buffer is empty
        for (unsigned n = 0; n < 10'000 && (io::in8(acpi::keyboard_port) & 2); n++)
            io::relax();
        io::out8(acpi::keyboard_port, 0xfe);
        acpi::short_delay(1'000);
    }
    const struct [[gnu::packed]] {
        u16 limit = 0;
        u64 base = 0;
    } no_idt;
    asm volatile("lidt %0; int3" ::"m"(no_idt)); // no handler for the exception, nor for the double fault: the CPU shuts down
    halt();
}

void off()
{
    const acpi::Power& p = acpi::machine().power;
    asm volatile("cli");
    // A machine without the PM1 registers has the sleep control register: type in bits 2-4, enable in bit 5. [ACPI 4.8.3.7]
    const bool extended = !p.pm1a_control;
    if (p.has_s5 && !acpi::enter_sleep(extended ? u32(p.s5_a) << 2 | 0x20 : u32(p.s5_a) << 10, u32(p.s5_b) << 10, 5, extended))
        log_error("The machine did not switch off");
    halt();
}

void halt()
{
    for (;;)
        asm volatile("cli; hlt");
}

} // namespace power
} // namespace tenon
