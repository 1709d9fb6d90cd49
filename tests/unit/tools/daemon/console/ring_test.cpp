// The console ring, against guests that behave and guests that do not.
#include <tools/daemon/console/ring.hpp>

#include <gtest/gtest.h>

using namespace tenon::tools;

namespace {

TEST(ConsoleRing, TakesOutputAcrossTheEndOfTheRing)
{
    xencons_interface page{};
    ConsoleRing ring(page);
    page.out_cons = page.out_prod = 2040;
    for (char c : std::string("0123456789abcdef"))
        page.out[page.out_prod++ % sizeof page.out] = c;
    EXPECT_EQ(ring.take_output(), "0123456789abcdef");
    EXPECT_EQ(page.out_cons, page.out_prod);
    EXPECT_EQ(ring.take_output(), "");
}

TEST(ConsoleRing, GivesInputAsFarAsThereIsRoom)
{
    xencons_interface page{};
    ConsoleRing ring(page);
    page.in_cons = page.in_prod = 1000;
    EXPECT_EQ(ring.give_input(std::string(1500, 'x')), 1024u);
    EXPECT_EQ(ring.give_input("y"), 0u);
    page.in_cons += 10;
    EXPECT_EQ(ring.give_input("0123456789abc"), 10u);
    EXPECT_EQ(page.in[(1000 + 1024) % 1024], '0');
}

TEST(ConsoleRing, SurvivesNonsense)
{
    xencons_interface page{};
    ConsoleRing ring(page);
    page.out_prod = 0x80000000;
    EXPECT_EQ(ring.take_output(), "");
    EXPECT_EQ(page.out_cons, page.out_prod);
    page.in_prod = 0xffff0000;
    EXPECT_EQ(ring.give_input("lost"), 4u);
}

} // namespace
