// The two kinds of screens: VGA text cells of character and attribute, and a linear framebuffer drawn by the processor.
#include "font.hpp"
#include <tenon/device/io.hpp>
#include <tenon/device/screen.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::screen {
namespace {

constexpr u32 text_columns = 80, text_rows = 25, text_bytes = 2 * text_columns * text_rows;
constexpr u16 light_grey = 0x0700, crtc_index = 0x3d4, crtc_data = 0x3d5;
constinit void* cells = nullptr;

void draw_cell(u32 column, u32 row, char c) { io::write_at<u16>(cells, 2 * (row * text_columns + column), u16(light_grey | u8(c))); }

constinit u8* base = nullptr;
constinit BootFramebuffer fb;
constinit u32 ink = 0;

/// Full strength of one colour, three quarters of it used: light grey.
constexpr u32 shade(BootFramebuffer::Channel c) { return ((1u << c.size) - 1) * 3 / 4 << c.position; }

void draw_pixel(u8* at, u32 colour)
{
    if (fb.bits_per_pixel == 32)
        return io::write_at<u32>(at, 0, colour);
    io::write_at<u16>(at, 0, u16(colour));
    if (fb.bits_per_pixel == 24)
        io::write_at<u8>(at, 2, u8(colour >> 16));
}

void draw_glyph(u32 column, u32 row, char c)
{
    const u32 bytes = fb.bits_per_pixel / 8;
    u8* line = base + u64(row) * cell_height * fb.pitch + column * cell_width * bytes;
    for (u32 y = 0; y < cell_height; y++, line += fb.pitch)
        for (u32 x = 0; x < cell_width; x++)
            draw_pixel(line + x * bytes, cell_row(c, y) >> (7 - x) & 1 ? ink : 0);
}

} // namespace

Status init_text()
{
    cells = x86::map_device(MachineAddr{0xb8000}, text_bytes);
    TRY(use({text_columns, text_rows, cells, text_bytes, draw_cell}));
    io::out8(crtc_index, 0x0a); // [VGA: bit 5 of CRTC register 0x0a turns the cursor off]
    io::out8(crtc_data, 0x20);
    return success;
}

Status init_framebuffer(const BootFramebuffer& description)
{
    fb = description;
    const u64 bytes = u64(fb.pitch) * fb.height;
    base = static_cast<u8*>(x86::map_device(MachineAddr{fb.address}, bytes, x86::DeviceMemory::write_combining));
    ink = shade(fb.red) | shade(fb.green) | shade(fb.blue);
    return use({fb.width / cell_width, fb.height / cell_height, base, bytes, draw_glyph});
}

} // namespace tenon::screen
