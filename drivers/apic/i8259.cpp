// See the header. The controllers are initialised rather than only masked: a spurious interrupt must not look like an exception.
#include <tenon/device/i8259.hpp>
#include <tenon/device/io.hpp>

void tenon::i8259::disable(u8 first_vector)
{
    constexpr u16 master = 0x20, slave = 0xa0;
    const struct {
        u16 port;
        u8 value;
    } writes[] = {
        {master, 0x11},
        {slave, 0x11}, // ICW1: edge, cascade, ICW4 follows
        {master + 1, first_vector},
        {slave + 1, u8(first_vector + 8)}, // ICW2: vectors
        {master + 1, 4},
        {slave + 1, 2}, // ICW3: the slave is on line 2
        {master + 1, 1},
        {slave + 1, 1}, // ICW4: 8086 mode
        {master + 1, 0xff},
        {slave + 1, 0xff}, // every line masked
    };
    for (const auto& write : writes) {
        io::out8(write.port, write.value);
        io::out8(0x80, 0); // old controllers need a moment between two writes
    }
}
