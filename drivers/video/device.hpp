// What a kind of screen must do: draw one cell, or none at all.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::screen {

inline constexpr u32 max_columns = 256, max_rows = 100;

struct Device {
    u32 columns = 0, rows = 0;
    void (*draw)(u32 column, u32 row, char c) = nullptr;
    void (*wipe)() = nullptr; ///< every cell becomes blank
    void (*show_cursor)(u32 column, u32 row) = nullptr;
    void (*unmap)() = nullptr; ///< it is somebody else's from now on
};

/// Clears the screen and shows text on it from now on; columns and rows are cut to what there is room for.
void use(const Device& device);

} // namespace tenon::screen
