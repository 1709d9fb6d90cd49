// 8254 channel 2, counting down with its gate open and the speaker off: the reference of last resort. [8254 datasheet]
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>

namespace tenon {
namespace {

constexpr u16 channel_2 = 0x42, mode_port = 0x43, gate_port = 0x61;
constexpr u8 gate = 1, speaker = 2, channel_2_word_mode_0 = 0xb0, latch_channel_2 = 0x80;

u64 read_count()
{
    io::out8(mode_port, latch_channel_2);
    const u8 low = io::in8(channel_2);
    return u64{0xffff} - (u64(low) | u64(io::in8(channel_2)) << 8);
}

} // namespace

Counter pit_counter()
{
    io::out8(gate_port, u8((io::in8(gate_port) & ~speaker) | gate));
    io::out8(mode_port, channel_2_word_mode_0);
    io::out8(channel_2, 0xff);
    io::out8(channel_2, 0xff);
    return {read_count, 1'193'182, 0xffff, "PIT"};
}

} // namespace tenon
