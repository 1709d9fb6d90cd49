// A linear framebuffer drawn by the processor. The text is kept beside it, so that scrolling redraws only cells that changed and never
// reads video memory.
#include "device.hpp"
#include "font.hpp"
#include <tenon/device/io.hpp>
#include <tenon/device/screen.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::screen {
namespace {

constexpr u32 max_columns = 256, max_rows = 100;
constinit u8* base = nullptr;
constinit Framebuffer fb;
constinit u32 columns = 0, rows = 0, ink = 0;
constinit char shown[max_rows][max_columns];

/// Full strength of one colour, three quarters of it used: light grey.
constexpr u32 shade(u8 position, u8 size) { return ((1u << size) - 1) * 3 / 4 << position; }

void draw_pixel(u8* at, u32 colour)
{
    if (fb.bits == 32) {
        io::write_at<u32>(at, 0, colour);
    } else if (fb.bits == 16) {
        io::write_at<u16>(at, 0, u16(colour));
    } else {
        io::write_at<u16>(at, 0, u16(colour));
        io::write_at<u8>(at, 2, u8(colour >> 16));
    }
}

void put(u32 column, u32 row, char c)
{
    shown[row][column] = c;
    const u32 bytes = fb.bits / 8;
    u8* line = base + u64(row) * cell_height * fb.pitch + column * cell_width * bytes;
    for (u32 y = 0; y < cell_height; y++, line += fb.pitch)
        for (u32 x = 0; x < cell_width; x++)
            draw_pixel(line + x * bytes, cell_row(c, y) >> (7 - x) & 1 ? ink : 0);
}

void scroll()
{
    for (u32 row = 0; row < rows; row++)
        for (u32 column = 0; column < columns; column++) {
            const char c = row + 1 < rows ? shown[row + 1][column] : ' ';
            if (c != shown[row][column])
                put(column, row, c);
        }
}

void clear()
{
    const u64 line_bytes = u64(fb.width) * fb.bits / 8;
    for (u32 y = 0; y < fb.height; y++) {
        u8* line = base + u64(y) * fb.pitch;
        u64 x = 0;
        for (; x + 8 <= line_bytes; x += 8)
            io::write_at<u64>(line, x, 0);
        for (; x < line_bytes; x++)
            io::write_at<u8>(line, x, 0);
    }
    for (auto& row : shown)
        for (char& c : row)
            c = ' ';
}

bool is_sane(const Framebuffer& f)
{
    const auto fits = [&](u8 position, u8 size) { return size >= 1 && size <= 8 && position + size <= f.bits; };
    return f.address.raw() && (f.bits == 16 || f.bits == 24 || f.bits == 32) && f.width >= cell_width && f.width <= 16384 &&
           f.height >= cell_height && f.height <= 16384 && f.pitch >= f.width * (f.bits / 8) && f.pitch <= 1 << 18 &&
           fits(f.red_position, f.red_size) && fits(f.green_position, f.green_size) && fits(f.blue_position, f.blue_size);
}

} // namespace

Status init_framebuffer(const Framebuffer& description)
{
    if (!is_sane(description))
        return Error::inval;
    fb = description;
    base = static_cast<u8*>(x86::map_device(fb.address, u64(fb.pitch) * fb.height, x86::DeviceMemory::write_combining));
    if (!base)
        return Error::nomem;
    ink = shade(fb.red_position, fb.red_size) | shade(fb.green_position, fb.green_size) | shade(fb.blue_position, fb.blue_size);
    columns = min(fb.width / cell_width, max_columns);
    rows = min(fb.height / cell_height, max_rows);
    use({columns, rows, put, scroll, clear, nullptr});
    return success;
}

} // namespace tenon::screen
