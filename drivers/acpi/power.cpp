// Sleep, reset and the end of the machine. [ACPI 4.8.3, 7.4, 16.1]
#include <tenon/device/acpi.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/power.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace acpi {
namespace {

constexpr u32 sleep_enable = 1 << 13, sleep_type_mask = 7 << 10;
constexpr u16 cf9_port = 0xcf9, cf8_port = 0xcf8, keyboard_port = 0x64;

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

} // namespace

Status enter_sleep(u32 value_a, u32 value_b, u32 state, bool extended)
{
    const Power& p = machine().power;
    if (state == 0 || state > 5)
        return Error::inval;
    if (state < 4) // S1-S3 come back: no CPU state is kept for that
        return Error::notsup;
    asm volatile("wbinvd" ::: "memory");
    if (extended) {
        if (!p.sleep_control)
            return Error::nodev;
        Gas control = p.sleep_control;
        control.width = 8;
        write(control, value_a & 0xff);
    } else {
        if (!p.pm1a_control)
            return Error::nodev;
        write_sleep_type(p.pm1a_control, value_a & sleep_type_mask);
        write_sleep_type(p.pm1b_control, value_b & sleep_type_mask);
    }
    short_delay(100'000);
    return Error::io;
}

void reset()
{
    const Power& p = machine().power;
    if (!p.has_reset)
        return;
    if (p.reset.space == Gas::pci_config) { // device and function in bits 32-47, bus 0, register in bits 0-15
        const u32 device = u32(p.reset.address >> 32) & 0x1f, function = u32(p.reset.address >> 16) & 7;
        io::out32(cf8_port, 0x80000000 | device << 11 | function << 8 | (u32(p.reset.address) & 0xfc));
        io::out8(u16(0xcfc + (p.reset.address & 3)), p.reset_value);
    } else {
        write(p.reset, p.reset_value);
    }
    short_delay(50'000);
}

} // namespace acpi

namespace power {

void reboot()
{
    using namespace acpi;
    asm volatile("cli");
    acpi::reset();
    // The chipset's reset control: a full reset, then a transition of the CPU reset bit. [ICH9 13.7.5]
    const u8 kept = io::in8(cf9_port) & u8(~6u);
    io::out8(cf9_port, u8(kept | 2));
    short_delay(50);
    io::out8(cf9_port, u8(kept | 6));
    short_delay(50'000);
    for (unsigned i = 0; i < 10; i++) { // keyboard controller: pulse the reset line once its input buffer is empty
        for (unsigned n = 0; n < 10'000 && (io::in8(keyboard_port) & 2); n++)
            io::relax();
        io::out8(keyboard_port, 0xfe);
        short_delay(1'000);
    }
    const struct [[gnu::packed]] {
        u16 limit = 0;
        u64 base = 0;
    } no_idt;
    asm volatile("lidt %0; int3" ::"m"(no_idt)); // no handler for the exception, nor for the double fault: the CPU shuts down
    for (;;)
        asm volatile("hlt");
}

void off()
{
    const acpi::Power& p = acpi::machine().power;
    asm volatile("cli");
    const bool knows_values = acpi::machine().has_power && p.has_s5;
    if (knows_values && !acpi::enter_sleep(u32(p.s5_a) << 10, u32(p.s5_b) << 10, 5, false).ok())
        log_error("The machine did not switch off\n");
    for (;;)
        asm volatile("hlt");
}

} // namespace power
} // namespace tenon
