#include "../../../../../arch/x86/time/clock.hpp"
#include <gtest/gtest.h>

using namespace tenon;

TEST(TscScale, IsExactToAPartInABillion)
{
    for (u64 hz : {1'000'000ul, 999'999'999ul, 1'000'000'000ul, 1'000'000'001ul, 2'000'000'000ul, 2'399'987'654ul, 5'000'000'000ul}) {
        const clock::TscScale s = clock::make_scale(hz);
        EXPECT_GE(s.mul, 1u << 31) << hz;
        const u64 hour = 3600;
        const double ns = double(clock::scale_ticks(hz * hour, s));
        EXPECT_NEAR(ns / (1e9 * double(hour)), 1.0, 1e-9) << hz;
        const clock::TscScale back = clock::make_scale(1'000'000'000, hz);
        EXPECT_NEAR(double(clock::scale_ticks(hour * 1'000'000'000, back)) / double(hz * hour), 1.0, 2e-9) << hz;
    }
}

TEST(TscScale, NeverGoesBack)
{
    const clock::TscScale s = clock::make_scale(2'893'201'113);
    u64 last = 0;
    for (u64 t = 1ul << 50; t < (1ul << 50) + 5000; t++) {
        const u64 ns = clock::scale_ticks(t, s);
        EXPECT_GE(ns, last);
        last = ns;
    }
}
