#include "../../../../drivers/video/font.hpp"
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <tenon/device/screen.hpp>
#include <tenon_arch/layout.hpp>

using namespace tenon;

namespace {

constexpr u32 columns = 10, rows = 3;
char cells[rows * columns];
unsigned unmapped;

void open_screen()
{
    unmapped = 0;
    memset(cells, 'x', sizeof cells);
    ASSERT_TRUE(screen::use({columns, rows, cells, sizeof cells, [](u32 c, u32 r, char ch) { cells[r * columns + c] = ch; }}).ok());
}
std::string line(u32 row)
{
    std::string text(cells + row * columns, columns);
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
}
void show(const std::string& text) { screen::write(text.data(), text.size()); }

} // namespace

void tenon::x86::unmap_device(void*, u64 bytes) { unmapped = unsigned(bytes); }

TEST(Screen, WrapsAndScrolls)
{
    open_screen();
    show("0123456789ab\nsecond\nlast");
    EXPECT_EQ(line(0) + line(1) + line(2), "ab        second    last      ");
    show("\rx\ty\b\bz");
    EXPECT_EQ(line(2), "xast   zy ");
}

TEST(Screen, AFullLineFollowedByItsEndMakesNoEmptyOne)
{
    open_screen();
    show("0123456789\nnext");
    EXPECT_EQ(line(1), "next      ");
}

TEST(Screen, IsNotTouchedAfterDom0TookIt)
{
    open_screen();
    show("text");
    screen::relinquish();
    EXPECT_EQ(unmapped, sizeof cells);
    show("more");
    EXPECT_EQ(line(0), std::string(10, ' '));
}

TEST(Font, StaysInsideItsCell)
{
    unsigned inked = 0;
    for (char c = ' '; c <= '~'; c++)
        for (u32 y = 0; y < screen::cell_height; y++) {
            EXPECT_EQ(screen::cell_row(c, y) & 0x83, 0) << c;
            inked += screen::cell_row(c, y) != 0;
        }
    EXPECT_GT(inked, 500u);
    EXPECT_EQ(screen::cell_row('\x01', 0), screen::cell_row('?', 0));
    EXPECT_EQ(screen::cell_row('E', 0), 0x7c); // a full top bar
}
