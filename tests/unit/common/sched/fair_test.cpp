// The policy alone: fairness over time, the heap, the credit of sleepers.
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <tenon/sched/fair.hpp>
#include <vector>

using namespace tenon;

namespace {

constexpr u64 ms = FairPolicy::ms;

/// One CPU that always has work; decides every millisecond.
struct OneCpu {
    explicit OneCpu(unsigned count) : all(count), used(count) {}
    unsigned index(const Sched* s) const { return unsigned(s - all.data()); }
    void wake(unsigned i)
    {
        queue.place(all[i], true);
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
        EXPECT_NEAR(double(cpu.used[i]), expected, double(2 * FairPolicy::slice) + 0.02 * expected) << "weight " << cpu.all[i].weight;
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

TEST(CapPool, IsAShareOfEachWindow)
{
    CapPool pool;
    EXPECT_EQ(pool.deadline(5), ~u64{0});
    pool.set(30, 1, 1000 * ms);
    EXPECT_EQ(pool.deadline(1000 * ms), 1030 * ms);
    pool.use(20 * ms);
    EXPECT_EQ(pool.deadline(1020 * ms), 1030 * ms);
    EXPECT_EQ(pool.window_end(), 1100 * ms);
    pool.use(15 * ms);
    EXPECT_EQ(pool.deadline(1035 * ms), 1035 * ms) << "five too many";
    EXPECT_EQ(pool.deadline(1100 * ms), 1125 * ms) << "and they are missing now";
    EXPECT_EQ(pool.deadline(1950 * ms), 1980 * ms) << "what was not used is lost";
    EXPECT_EQ(pool.window_end(), 2000 * ms);
    pool.set(0, 1, 2000 * ms);
    EXPECT_EQ(pool.deadline(2000 * ms), ~u64{0});
}

TEST(CapPool, IsSharedByTheVcpusOfADomain)
{
    CapPool pool;
    pool.set(100, 4, 0);
    EXPECT_EQ(pool.deadline(0), 25 * ms) << "by then, four could have used it up";
    pool.use(4 * 24 * ms);
    EXPECT_EQ(pool.deadline(24 * ms), 25 * ms);
    pool.use(4 * ms - 100);
    EXPECT_EQ(pool.deadline(25 * ms), 25 * ms + 100) << "never beyond what is left";
}

TEST(RunQueue, IsAHeapWhateverHappens)
{
    constexpr unsigned count = 200;
    std::mt19937 random(3);
    std::vector<Sched> all(count);
    RunQueue queue;
    for (unsigned turn = 0; turn < 20000; turn++) {
        Sched& s = all[random() % count];
        if (s.is_queued()) {
            queue.remove(s);
        } else {
            s.virtual_time = random() % 1000;
            queue.insert(s);
        }
        unsigned walked = 0;
        u32 on_the_right = 0;
        for (Sched* e = queue.top(); e; e = RunQueue::next(*e), walked++) {
            ASSERT_TRUE(e->is_queued());
            for (Sched* below : {e->left, e->right})
                if (below) {
                    ASSERT_EQ(below->parent, e);
                    ASSERT_LE(e->virtual_time, below->virtual_time);
                }
            ASSERT_EQ(e->rank, (e->right ? e->right->rank : 0) + 1);
            ASSERT_LE(e->right ? e->right->rank : 0, e->left ? e->left->rank : 0) << "the way down on the right is the shorter one";
        }
        for (Sched* e = queue.top(); e; e = e->right)
            on_the_right++;
        ASSERT_EQ(walked, unsigned(std::count_if(all.begin(), all.end(), [](auto& e) { return e.is_queued(); })));
        ASSERT_LE((u64{1} << on_the_right) - 1, walked) << "logarithmic";
    }
}

TEST(RunQueue, WhoJoinsIsNeitherFarBehindNorFarAhead)
{
    RunQueue queue;
    Sched running, other;
    running.virtual_time = 5000 * ms;
    queue.advance(&running);
    other.virtual_time = 5003 * ms;
    queue.place(other, true);
    EXPECT_EQ(other.virtual_time, 5003 * ms);
    other.virtual_time = 0;
    queue.place(other, true);
    EXPECT_EQ(other.virtual_time, 5000 * ms - FairPolicy::credit);
    other.virtual_time = 9000 * ms;
    queue.place(other, true);
    EXPECT_EQ(other.virtual_time, 5000 * ms + 2 * FairPolicy::slice);
    queue.insert(other);
    running.virtual_time = 5100 * ms;
    queue.advance(&running);
    EXPECT_EQ(queue.clock(), 5020 * ms) << "the clock follows the least";
    queue.advance(nullptr);
    EXPECT_EQ(queue.clock(), 5020 * ms);
    queue.remove(other);
    queue.advance(nullptr);
    EXPECT_EQ(queue.clock(), 5020 * ms) << "nobody moves it";
}

} // namespace
