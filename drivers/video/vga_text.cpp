// VGA text mode: 80x25 cells of character and attribute. [VGA: CRTC registers 0x0e, 0x0f hold the cursor]
#include "device.hpp"
#include <tenon/device/io.hpp>
#include <tenon/device/screen.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::screen {
namespace {

constexpr u32 columns = 80, rows = 25;
constexpr u16 blank = 0x0720, crtc_index = 0x3d4, crtc_data = 0x3d5;
constinit u16* cells = nullptr;

void draw(u32 column, u32 row, char c) { io::write_at<u16>(cells, 2 * (row * columns + column), u16((blank & 0xff00) | u8(c))); }

void wipe()
{
    for (u32 i = 0; i < columns * rows; i++)
        io::write_at<u16>(cells, 2 * i, blank);
}

void show_cursor(u32 column, u32 row)
{
    const u16 position = u16(row * columns + column);
    io::out8(crtc_index, 0x0f);
    io::out8(crtc_data, u8(position));
    io::out8(crtc_index, 0x0e);
    io::out8(crtc_data, u8(position >> 8));
}

} // namespace

Status init_text()
{
    cells = static_cast<u16*>(x86::map_device(MachineAddr{0xb8000}, columns * rows * 2));
    if (!cells)
        return Error::nomem;
    use({columns, rows, draw, wipe, show_cursor, [] { x86::unmap_device(cells, columns * rows * 2); }});
    return success;
}

} // namespace tenon::screen
