// The policy alone: fairness over time, the heap, the credit of sleepers.
#include <tenon/sched/fair.hpp>
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <vector>

using namespace tenon;

namespace {

constexpr u64 ms = FairPolicy::ms;

/// One CPU that always has work; decides every millisecond.
struct OneCpu {
    explicit OneCpu(unsigned count) : all(count), used(count), room(count) { queue.adopt(room.data(), count); }
    unsigned index(const Sched* s) const { return unsigned(s - all.data()); }
    void wake(unsigned i)
    {
        queue.place_waking(all[i]);
        queue.insert(all[i]);
    }
    void step()
    {
        now += ms;
        if (running) {
            used[index(running)] += ms;
            FairPolicy::charge(*running, now);
        }
        queue.advance(running);
        Sched* top = queue.top();
        if (top && (!running || FairPolicy::gives_way(*running, *top, now))) {
            queue.remove(*top);
            if (running)
                queue.insert(*running);
            running = top;
            FairPolicy::start(*running, now);
        } else if (running && now >= running->slice_end) {
            FairPolicy::start(*running, now);
        }
    }
    void run(u64 ns)
    {
        for (u64 end = now + ns; now < end;)
            step();
    }
    std::vector<Sched> all;
    std::vector<u64> used;
    std::vector<Sched*> room;
    RunQueue queue;
    Sched* running = nullptr;
    u64 now = 0;
};

TEST(FairPolicy, SharesByWeight)
{
    OneCpu cpu(2);
    cpu.all[1].weight = 512;
    cpu.wake(0);
    cpu.wake(1);
    cpu.run(60'000 * ms);
    EXPECT_NEAR(double(cpu.used[1]) / double(cpu.used[0]), 2.0, 0.02);
}

TEST(FairPolicy, SharesByWeightAmongThousands)
{
    constexpr unsigned count = 3000;
    OneCpu cpu(count);
    std::mt19937 random(7);
    u64 weights = 0;
    for (unsigned i = 0; i < count; i++) {
        cpu.all[i].weight = u16(64 << random() % 5);
        weights += cpu.all[i].weight;
        cpu.wake(i);
    }
    cpu.run(4'000'000 * ms);
    for (unsigned i = 0; i < count; i++) {
        double expected = double(cpu.now) * cpu.all[i].weight / double(weights);
        // A light one's turn is long in its own measure: everybody is within two slices of the fair share.
        EXPECT_NEAR(double(cpu.used[i]), expected, double(2 * FairPolicy::slice) + 0.02 * expected)
            << "weight " << cpu.all[i].weight;
    }
}

TEST(FairPolicy, ASleeperGetsTheCpuAtOnceButNoMonopoly)
{
    OneCpu cpu(3);
    cpu.wake(0);
    cpu.wake(1);
    cpu.run(10'000 * ms); // the third sleeps for ten seconds
    cpu.wake(2);
    cpu.step();
    EXPECT_EQ(cpu.index(cpu.running), 2u);
    u64 before = cpu.used[2];
    cpu.run(100 * ms);
    EXPECT_LE(cpu.used[2] - before, 50 * ms) << "five milliseconds of credit, then its third";
    EXPECT_GE(cpu.used[2] - before, 30 * ms);
}

TEST(FairPolicy, AYieldLetsOthersGoFirst)
{
    OneCpu cpu(2);
    cpu.wake(0);
    cpu.step();
    cpu.wake(1);
    cpu.all[1].virtual_time = cpu.all[0].virtual_time + 100 * ms;
    EXPECT_FALSE(FairPolicy::gives_way(cpu.all[0], cpu.all[1], cpu.now));
    cpu.all[0].yielded = true;
    EXPECT_TRUE(FairPolicy::gives_way(cpu.all[0], cpu.all[1], cpu.now));
    FairPolicy::start(cpu.all[0], cpu.now);
    EXPECT_FALSE(cpu.all[0].yielded);
}

TEST(FairPolicy, ACapIsAShareOfEachWindow)
{
    Sched s;
    EXPECT_EQ(FairPolicy::cap_left(s), ~u64{0});
    s.cap = 30;
    FairPolicy::start(s, 1000 * ms);
    EXPECT_EQ(FairPolicy::cap_left(s), 30 * ms);
    FairPolicy::charge(s, 1020 * ms);
    EXPECT_EQ(FairPolicy::cap_left(s), 10 * ms);
    FairPolicy::charge(s, 1035 * ms);
    EXPECT_EQ(FairPolicy::cap_left(s), 0u);
    FairPolicy::start(s, FairPolicy::window_end(s));
    EXPECT_EQ(FairPolicy::cap_left(s), 30 * ms);
}

TEST(RunQueue, IsAHeapWhateverHappens)
{
    constexpr unsigned count = 200;
    std::mt19937 random(3);
    std::vector<Sched> all(count);
    std::vector<Sched*> room(count);
    RunQueue queue;
    queue.adopt(room.data(), count);
    u64 weight = 0;
    for (unsigned turn = 0; turn < 20000; turn++) {
        Sched& s = all[random() % count];
        if (s.heap_slot) {
            queue.remove(s);
            weight -= s.weight;
        } else {
            s.virtual_time = random() % 1000;
            s.weight = u16(1 + random() % 1000);
            queue.insert(s);
            weight += s.weight;
        }
        ASSERT_EQ(queue.weight(), weight);
        ASSERT_EQ(queue.size(), unsigned(std::count_if(all.begin(), all.end(), [](auto& e) { return e.heap_slot != 0; })));
        u64 least = ~u64{0};
        for (auto& e : all)
            if (e.heap_slot) {
                ASSERT_EQ(queue.at(e.heap_slot - 1), &e);
                least = std::min(least, e.virtual_time);
            }
        if (queue.size()) {
            ASSERT_EQ(queue.top()->virtual_time, least);
        }
    }
}

TEST(RunQueue, AMigrantKeepsItsDistanceFromTheClock)
{
    std::vector<Sched*> room(4);
    RunQueue queue;
    queue.adopt(room.data(), 4);
    Sched running, migrant;
    running.virtual_time = 5000 * ms;
    queue.advance(&running);
    migrant.virtual_time = 103 * ms;
    queue.place_migrated(migrant, 100 * ms);
    EXPECT_EQ(migrant.virtual_time, 5003 * ms);
    migrant.virtual_time = 0;
    queue.place_migrated(migrant, 4000 * ms);
    EXPECT_EQ(migrant.virtual_time, 5000 * ms - FairPolicy::sleeper_bonus);
    running.virtual_time = 10 * ms;
    queue.advance(&running);
    EXPECT_EQ(queue.clock(), 5000 * ms) << "the clock never goes back";
}

} // namespace
