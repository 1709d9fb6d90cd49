// Text on whichever screen there is: position, line ends, scrolling.
#include "device.hpp"
#include <tenon/device/screen.hpp>

namespace tenon::screen {
namespace {

constinit Device device;
constinit u32 column = 0, row = 0;

void new_line()
{
    column = 0;
    if (row + 1 < device.rows)
        row++;
    else
        device.scroll();
}

} // namespace

void use(const Device& chosen)
{
    device = chosen;
    column = row = 0;
    device.clear();
}

void write(const char* text, std::size_t length)
{
    if (device.columns == 0)
        return;
    for (std::size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (c == '\n') {
            new_line();
        } else if (c == '\r') {
            column = 0;
        } else if (c == '\t') {
            column = min(align_up(column + 1, 8), device.columns - 1);
        } else if (c == '\b') {
            column -= column > 0;
        } else if (u8(c) >= ' ') {
            if (column == device.columns)
                new_line();
            device.put(column++, row, c);
        }
    }
    if (device.show_cursor)
        device.show_cursor(min(column, device.columns - 1), row);
}

void relinquish()
{
    if (device.columns)
        device.clear();
    device = {};
}

} // namespace tenon::screen
