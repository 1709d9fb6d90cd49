// The screen as a log: VGA text, or a linear framebuffer that the boot loader set up. dom0 may take it over.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::screen {

struct Framebuffer {
    MachineAddr address{};
    u32 pitch = 0, width = 0, height = 0;
    u8 bits = 0; ///< a pixel: 16, 24 or 32
    u8 red_position = 16, red_size = 8, green_position = 8, green_size = 8, blue_position = 0, blue_size = 8;
};

/// 80x25 at 0xb8000, cleared. Needs x86::map_device.
Status init_text();
/// Error::inval when the description makes no sense. Needs x86::map_device.
Status init_framebuffer(const Framebuffer& description);
/// Nothing happens without a screen. The caller serialises.
void write(const char* text, std::size_t length);
/// dom0 draws from now on: the screen is cleared and mapped nowhere any more.
void relinquish();

} // namespace tenon::screen
