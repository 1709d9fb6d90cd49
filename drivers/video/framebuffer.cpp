// A linear framebuffer drawn by the processor.
#include "device.hpp"
#include "font.hpp"
#include <tenon/device/io.hpp>
#include <tenon/device/screen.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::screen {
namespace {

constinit u8* base = nullptr;
constinit Framebuffer fb;
constinit u32 ink = 0;

/// Full strength of one colour, three quarters of it used: light grey.
constexpr u32 shade(u8 position, u8 size) { return ((1u << size) - 1) * 3 / 4 << position; }

void draw_pixel(u8* at, u32 colour)
{
    if (fb.bits == 32)
        return io::write_at<u32>(at, 0, colour);
    io::write_at<u16>(at, 0, u16(colour));
    if (fb.bits == 24)
        io::write_at<u8>(at, 2, u8(colour >> 16));
}

void draw(u32 column, u32 row, char c)
{
    const u32 bytes = fb.bits / 8;
    u8* line = base + u64(row) * cell_height * fb.pitch + column * cell_width * bytes;
    for (u32 y = 0; y < cell_height; y++, line += fb.pitch)
        for (u32 x = 0; x < cell_width; x++)
            draw_pixel(line + x * bytes, cell_row(c, y) >> (7 - x) & 1 ? ink : 0);
}

void wipe()
{
    for (u32 y = 0; y < fb.height; y++)
        for (u32 x = 0; x < fb.width; x++)
            draw_pixel(base + u64(y) * fb.pitch + x * (fb.bits / 8), 0);
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
    use({fb.width / cell_width, fb.height / cell_height, draw, wipe, nullptr, [] { x86::unmap_device(base, u64(fb.pitch) * fb.height); }});
    return success;
}

} // namespace tenon::screen
