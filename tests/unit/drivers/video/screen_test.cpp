#include "../../../../drivers/video/device.hpp"
#include "../../../../drivers/video/font.hpp"
#include <gtest/gtest.h>
#include <string>
#include <tenon/device/screen.hpp>
#include <vector>

using namespace tenon;

namespace {

std::vector<std::string> lines;
unsigned clears;

void open_screen()
{
    clears = 0;
    screen::use({10, 3, [](u32 c, u32 r, char ch) { lines[r][c] = ch; },
                 [] {
                     clears++;
                     lines.assign(3, std::string(10, ' '));
                 },
                 nullptr});
}
void show(const std::string& text) { screen::write(text.data(), text.size()); }

} // namespace

TEST(Screen, WrapsAndScrolls)
{
    open_screen();
    show("0123456789ab\nsecond\nlast");
    EXPECT_EQ(lines, (std::vector<std::string>{"ab        ", "second    ", "last      "}));
    show("\rx\ty\b\bz");
    EXPECT_EQ(lines[2], "xast   zy ");
}

TEST(Screen, AFullLineFollowedByItsEndMakesNoEmptyOne)
{
    open_screen();
    show("0123456789\nnext");
    EXPECT_EQ(lines[1], "next      ");
}

TEST(Screen, IsNotTouchedAfterDom0TookIt)
{
    open_screen();
    show("text");
    screen::relinquish();
    EXPECT_EQ(clears, 2u);
    show("more");
    EXPECT_EQ(lines[0], std::string(10, ' '));
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
