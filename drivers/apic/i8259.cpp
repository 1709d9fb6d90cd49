// See the header. The controllers are initialised rather than only masked: a spurious interrupt must not look like an exception.
#include <tenon/device/i8259.hpp>
#include <tenon/device/io.hpp>

namespace tenon::i8259 {
namespace {

constexpr u16 master = 0x20, slave = 0xa0;

void command(u16 port, u8 value)
{
    io::out8(port, value);
    io::out8(0x80, 0); // old controllers need a moment between two writes
}

} // namespace

void disable(u8 first_vector)
{
    constexpr u16 ports[] = {master, slave};
    for (const u16 port : ports) {
        const bool is_master = port == master;
        command(port, 0x11);                                             // ICW1: edge, cascade, ICW4 follows
        command(u16(port + 1), u8(first_vector + (is_master ? 0 : 8)));  // ICW2: vectors
        command(u16(port + 1), is_master ? 4 : 2);                       // ICW3: the slave is on line 2
        command(u16(port + 1), 1);                                       // ICW4: 8086 mode
    }
    command(slave + 1, 0xff);
    command(master + 1, 0xff);
}

} // namespace tenon::i8259
