// The screen as a log: VGA text, or a linear framebuffer that the boot loader set up. dom0 may take it over.
#pragma once
#include <tenon/boot/boot_info.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::screen {

/// A kind of screen: draws one cell. With zeros in all of its memory it is black.
struct Device {
    u32 columns = 0, rows = 0;
    void* memory = nullptr; ///< by x86::map_device
    u64 bytes = 0;
    void (*draw)(u32 column, u32 row, char c) = nullptr;
};
inline constexpr u32 max_columns = 256, max_rows = 100;
/// Clears the screen and shows text on it from now on; columns and rows are cut to what there is room for. Error::nomem without memory.
Status use(const Device& device);

/// 80x25 at 0xb8000.
Status init_text();
Status init_framebuffer(const BootFramebuffer& description);
/// Nothing happens without a screen. The caller serialises.
void write(const char* text, std::size_t length);
/// dom0 draws from now on: the screen is cleared and mapped nowhere any more.
void relinquish();

} // namespace tenon::screen
