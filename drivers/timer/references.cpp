// Counters of a known rate, to measure the others by.
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>

namespace tenon {
namespace {

constinit acpi::Gas pm_timer;

constexpr u16 channel_2 = 0x42, mode_port = 0x43, gate_port = 0x61;
constexpr u8 gate = 1, speaker = 2, channel_2_word_mode_0 = 0xb0, latch_channel_2 = 0x80;

u64 read_pit()
{
    io::out8(mode_port, latch_channel_2);
    const u8 low = io::in8(channel_2);
    return u64{0xffff} - (u64(low) | u64(io::in8(channel_2)) << 8);
}

} // namespace

/// 3.579545 MHz, 24 or 32 bits. [ACPI 4.8.3.3]
Counter acpi_timer_counter(const acpi::Machine& machine)
{
    pm_timer = machine.power.timer;
    if (!pm_timer)
        return {};
    const u64 mask = machine.power.timer_is_32_bit ? 0xffff'ffff : 0xff'ffff;
    return {[]() -> u64 { return acpi::read(pm_timer); }, 3'579'545, mask, "ACPI PM timer"};
}

/// 8254 channel 2, counting down with its gate open and the speaker off: the reference of last resort. [8254 datasheet]
Counter pit_counter(const acpi::Machine&)
{
    io::out8(gate_port, u8((io::in8(gate_port) & ~speaker) | gate));
    io::out8(mode_port, channel_2_word_mode_0);
    io::out8(channel_2, 0xff);
    io::out8(channel_2, 0xff);
    return {read_pit, 1'193'182, 0xffff, "PIT"};
}

} // namespace tenon
