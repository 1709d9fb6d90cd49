// Text on whichever screen there is: position, line ends, scrolling. The text is kept, so that scrolling draws only cells that change and
// never reads video memory, which is slow.
#include <tenon/device/screen.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::screen {
namespace {

constinit Device device;
constinit u32 column = 0, row = 0;

constinit char shown[max_rows][max_columns];

void put(u32 at_column, u32 at_row, char c)
{
    if (shown[at_row][at_column] != c)
        device.draw(at_column, at_row, shown[at_row][at_column] = c);
}

void new_line()
{
    column = 0;
    if (row + 1 < device.rows)
        row++;
    else
        for (u32 r = 0; r < device.rows; r++)
            for (u32 c = 0; c < device.columns; c++)
                put(c, r, r + 1 < device.rows ? shown[r + 1][c] : ' ');
}

} // namespace

Status use(const Device& chosen)
{
    if (!chosen.memory)
        return Error::nomem;
    device = chosen;
    device.columns = min(device.columns, max_columns);
    device.rows = min(device.rows, max_rows);
    column = row = 0;
    __builtin_memset(shown, ' ', sizeof shown);
    __builtin_memset(device.memory, 0, device.bytes);
    return success;
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
            put(column++, row, c);
        }
    }
}

void relinquish()
{
    if (device.columns) {
        __builtin_memset(device.memory, 0, device.bytes);
        x86::unmap_device(device.memory, device.bytes);
    }
    device = {};
}

} // namespace tenon::screen
