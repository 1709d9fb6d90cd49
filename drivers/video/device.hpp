// What a kind of screen must do: cells of characters, and moving everything up by one line.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::screen {

struct Device {
    u32 columns = 0, rows = 0;
    void (*put)(u32 column, u32 row, char c) = nullptr;
    void (*scroll)() = nullptr;
    void (*clear)() = nullptr;
    void (*show_cursor)(u32 column, u32 row) = nullptr;
};

void use(const Device& device);

} // namespace tenon::screen
