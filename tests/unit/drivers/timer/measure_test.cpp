#include <gtest/gtest.h>
#include <random>
#include <tenon/device/counter.hpp>

using namespace tenon;

namespace {

// A world with one true time (ps). Each reading costs some, and now and then the reader is interrupted for long.
u64 now_ps;
u64 unknown_hz, reference_hz, reference_mask, stall_every, stall_ps;
std::mt19937 random_numbers;

void pass_time(u64 ps)
{
    now_ps += ps + random_numbers() % (ps / 4 + 1);
    if (stall_every && random_numbers() % stall_every == 0)
        now_ps += stall_ps;
}
u64 ticks(u64 hz) { return u64(static_cast<unsigned __int128>(now_ps) * hz / 1'000'000'000'000); }
u64 read_unknown()
{
    pass_time(20'000);
    return ticks(unknown_hz);
}
u64 read_reference()
{
    pass_time(800'000);
    const u64 value = ticks(reference_hz) & reference_mask;
    pass_time(400'000);
    return value;
}

double error_ppm(u64 measured) { return (double(measured) - double(unknown_hz)) / double(unknown_hz) * 1e6; }

void world(u64 tsc_hz, u64 timer_hz, u64 mask, u64 every = 0, u64 stall_us = 0)
{
    random_numbers.seed(7);
    now_ps = 123'456'789'000;
    unknown_hz = tsc_hz;
    reference_hz = timer_hz;
    reference_mask = mask;
    stall_every = every;
    stall_ps = stall_us * 1'000'000;
}

u64 measure() { return measure_rate({read_unknown, 0}, {read_reference, reference_hz, reference_mask}, 100); }

} // namespace

TEST(MeasureRate, IsWithin30PpmInAQuietWorld)
{
    for (u64 hz : {600'000'000ul, 2'400'000'000ul, 5'100'000'000ul}) {
        world(hz, 3'579'545, 0xffffff);
        EXPECT_NEAR(error_ppm(measure()), 0, 30) << hz;
        world(hz, 100'000'000, 0xffffffff);
        EXPECT_NEAR(error_ppm(measure()), 0, 30) << hz;
    }
}

TEST(MeasureRate, SurvivesInterruptions)
{
    world(2'900'000'000, 3'579'545, 0xffffff, 20, 5'000); // one reading in twenty takes 5 ms longer
    EXPECT_NEAR(error_ppm(measure()), 0, 100);
    world(2'900'000'000, 100'000'000, 0xffffffff, 4, 300);
    EXPECT_NEAR(error_ppm(measure()), 0, 100);
}

TEST(MeasureRate, FollowsTheReferenceAcrossItsWraps)
{
    world(2'000'000'000, 1'193'182, 0xffff);
    EXPECT_NEAR(error_ppm(measure()), 0, 60);
}

TEST(MeasureRate, SaysZeroWhenTheReferenceStandsStill)
{
    world(2'000'000'000, 3'579'545, 0xffffff);
    EXPECT_EQ(measure_rate({read_unknown, 0}, {[] { return u64{5}; }, 3'579'545, 0xffffff}, 100), 0u);
}
