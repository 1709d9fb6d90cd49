#include <gtest/gtest.h>
#include <tenon/device/counter.hpp>

using namespace tenon;
using rtc::Fields;

constexpr u8 h24 = 2, binary = 4;

TEST(Rtc, ReadsBcdAndBinary)
{
    // 2024-02-29 23:59:58 UTC
    EXPECT_EQ(rtc::to_unix_time({0x58, 0x59, 0x23, 0x29, 0x02, 0x24, 0x20, h24}), 1709251198u);
    EXPECT_EQ(rtc::to_unix_time({58, 59, 23, 29, 2, 24, 20, h24 | binary}), 1709251198u);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0, 1, 1, 0x70, 0x19, h24}), 0u);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0, 1, 3, 0x00, 0x20, h24}), 951868800u);
}

TEST(Rtc, KnowsTwelveHourClocks)
{
    const u64 midnight = rtc::to_unix_time({0, 0, 0, 0x15, 6, 0x26, 0x20, h24});
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0x12, 0x15, 6, 0x26, 0x20, 0}), midnight);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0x92, 0x15, 6, 0x26, 0x20, 0}), midnight + 12 * 3600);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0x91, 0x15, 6, 0x26, 0x20, 0}), midnight + 23 * 3600);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0x80 | 5, 15, 6, 26, 20, binary}), midnight + 17 * 3600);
}

TEST(Rtc, GuessesTheCenturyWithoutARegister)
{
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0, 1, 1, 0x69, 0, h24}), rtc::to_unix_time({0, 0, 0, 1, 1, 0x69, 0x20, h24}));
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0, 1, 1, 0x99, 0, h24}), rtc::to_unix_time({0, 0, 0, 1, 1, 0x99, 0x19, h24}));
}

TEST(Rtc, RefusesWhatIsNoDate)
{
    EXPECT_EQ(rtc::to_unix_time({0x60, 0, 0, 1, 1, 0x26, 0x20, h24}), 0u);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0x24, 1, 1, 0x26, 0x20, h24}), 0u);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0, 0, 1, 0x26, 0x20, h24}), 0u);
    EXPECT_EQ(rtc::to_unix_time({0, 0, 0, 1, 0x13, 0x26, 0x20, h24}), 0u);
    EXPECT_EQ(rtc::to_unix_time({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 0u);
}
