#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <stdexcept>
#include <tenon/arch/cpu.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/time/timer.hpp>
#include <thread>

using namespace tenon;

namespace {

constexpr CpuId cpu0{0}, cpu1{1};

/// Queues live as long as the process; each test cleans up after itself.
void boot_timers()
{
    fake::reset(4);
    static bool done = timers::init(4);
    ASSERT_TRUE(done);
}

struct Counter {
    int fired = 0;
    Timer timer{[](void* self) { static_cast<Counter*>(self)->fired++; }, this};
};

TEST(Timers, FireInOrderAndArmTheHardware)
{
    boot_timers();
    static std::vector<int> order;
    order.clear();
    static int ids[] = {0, 1, 2};
    auto handler = [](void* id) { order.push_back(*static_cast<int*>(id)); };
    Timer a(handler, &ids[0]), b(handler, &ids[1]), c(handler, &ids[2]);
    timers::set(b, 200, cpu0);
    EXPECT_EQ(fake::armed_timer(cpu0), 200u);
    timers::set(c, 300, cpu0);
    EXPECT_EQ(fake::armed_timer(cpu0), 200u);
    timers::set(a, 100, cpu0);
    EXPECT_EQ(fake::armed_timer(cpu0), 100u);
    timers::run(cpu0, 99);
    EXPECT_TRUE(order.empty());
    timers::run(cpu0, 250);
    EXPECT_EQ(order, (std::vector{0, 1}));
    EXPECT_FALSE(a.armed());
    EXPECT_TRUE(c.armed());
    EXPECT_EQ(fake::armed_timer(cpu0), 300u);
    timers::run(cpu0, 300);
    EXPECT_EQ(order.size(), 3u);
}

TEST(Timers, RearmAndCancel)
{
    boot_timers();
    Counter c;
    timers::set(c.timer, 100, cpu0);
    timers::set(c.timer, 500, cpu0);
    timers::run(cpu0, 200);
    EXPECT_EQ(c.fired, 0);
    timers::cancel(c.timer);
    timers::cancel(c.timer);
    timers::run(cpu0, 1000);
    EXPECT_EQ(c.fired, 0);
    timers::set(c.timer, 1100, cpu0);
    timers::run(cpu0, 1100);
    EXPECT_EQ(c.fired, 1);
}

TEST(Timers, AnotherCpuIsKickedOnlyForAnEarlierDeadline)
{
    boot_timers();
    Counter a, b, c;
    timers::set(a.timer, 500, cpu1);
    EXPECT_EQ(fake::kicks(cpu1), 1u);
    timers::set(b.timer, 600, cpu1);
    EXPECT_EQ(fake::kicks(cpu1), 1u);
    timers::set(c.timer, 400, cpu1);
    EXPECT_EQ(fake::kicks(cpu1), 2u);
    fake::set_cpu(cpu1);
    EXPECT_EQ(fake::armed_timer(cpu1), ~u64{0});
    timers::rearm(cpu1);
    EXPECT_EQ(fake::armed_timer(cpu1), 400u);
    fake::set_cpu(cpu0);
    timers::set(a.timer, 50, cpu0); // moves
    EXPECT_EQ(fake::armed_timer(cpu0), 50u);
    fake::set_cpu(cpu1);
    timers::run(cpu1, 1000);
    EXPECT_EQ(a.fired + b.fired + c.fired, 2);
    fake::set_cpu(cpu0);
    timers::run(cpu0, 1000);
    EXPECT_EQ(a.fired, 1);
}

TEST(Timers, HandlersMayRearmCancelAndDestroyThemselves)
{
    boot_timers();
    struct Self {
        Timer timer{[](void* p) {
                        auto* self = static_cast<Self*>(p);
                        self->fired++;
                        timers::cancel(self->timer); // no waiting for oneself
                        if (self->fired < 1000)
                            timers::set(self->timer, 0, cpu0);
                    },
                    this};
        int fired = 0;
    } self;
    timers::set(self.timer, 10, cpu0);
    timers::run(cpu0, 20);
    EXPECT_EQ(self.fired, 64); // bounded, the hardware fires again at once
    EXPECT_EQ(fake::armed_timer(cpu0), 0u);
    while (self.timer.armed())
        timers::run(cpu0, 20);
    EXPECT_EQ(self.fired, 1000);

    auto* dying = new Timer;
    dying->handler = [](void* p) { delete static_cast<Timer*>(p); };
    dying->argument = dying;
    timers::set(*dying, 30, cpu0);
    timers::run(cpu0, 30);
}

TEST(Timers, AgreeWithASortedListOverRandomOperations)
{
    boot_timers();
    for (unsigned seed = 0; seed < 10; seed++) {
        std::mt19937 random(seed);
        static u64 now;
        static std::map<Timer*, u64> expected;
        now = 0;
        expected.clear();
        std::vector<std::unique_ptr<Timer>> all;
        for (int i = 0; i < 200; i++) {
            all.push_back(std::make_unique<Timer>());
            all.back()->argument = all.back().get();
            all.back()->handler = [](void* p) {
                auto it = expected.find(static_cast<Timer*>(p));
                ASSERT_NE(it, expected.end());
                ASSERT_LE(it->second, now);
                expected.erase(it);
            };
        }
        for (int step = 0; step < 5000; step++) {
            Timer& t = *all[random() % all.size()];
            switch (random() % 4) {
            case 0:
            case 1:
                t.deadline = 0;
                expected[&t] = now + random() % 1000;
                timers::set(t, expected[&t], cpu0);
                break;
            case 2:
                timers::cancel(t);
                expected.erase(&t);
                break;
            case 3:
                now += random() % 100;
                timers::run(cpu0, now);
                u64 first = ~u64{0};
                for (auto [timer, deadline] : expected) {
                    ASSERT_GT(deadline, now);
                    first = std::min(first, deadline);
                }
                if (!expected.empty()) {
                    ASSERT_EQ(fake::armed_timer(cpu0), first);
                }
            }
            ASSERT_EQ(t.armed(), expected.count(&t) == 1);
        }
        for (auto& t : all)
            timers::cancel(*t);
    }
}

TEST(Timers, CancelWaitsForAHandlerOnAnotherCpuAndWhatItArms)
{
    boot_timers();
    static std::atomic<int> stage;
    stage = 0;
    static Timer* itself;
    Timer slow(
        [](void*) {
            stage = 1;
            while (stage != 2)
                std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            timers::set(*itself, 1000, cpu1); // a periodic one, which was not told in time that it is no more
            stage = 3;
        },
        nullptr);
    itself = &slow;
    timers::set(slow, 1, cpu1);
    std::thread other([] {
        fake::set_cpu(cpu1);
        timers::run(cpu1, 1);
    });
    while (stage != 1)
        std::this_thread::yield();
    stage = 2;
    timers::cancel(slow);
    EXPECT_EQ(stage, 3);
    EXPECT_FALSE(slow.armed());
    other.join();
    timers::cancel(slow);
}

TEST(Timers, ManyCpusAtOnce)
{
    boot_timers();
    constexpr unsigned cpus = 4;
    static std::atomic<int> inside[64];
    static std::atomic<u64> fired;
    std::vector<std::unique_ptr<Timer>> all;
    for (u64 i = 0; i < 64; i++) {
        all.push_back(std::make_unique<Timer>());
        all.back()->argument = reinterpret_cast<void*>(i);
        all.back()->handler = [](void* p) {
            auto& n = inside[reinterpret_cast<u64>(p)];
            EXPECT_EQ(n.fetch_add(1), 0); // never twice at a time
            fired++;
            n.fetch_sub(1);
        };
    }
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < cpus; t++)
        threads.emplace_back([t, &all] {
            fake::set_cpu(CpuId{t});
            std::mt19937 random(t);
            for (u64 i = 0; i < 20000; i++) {
                Timer& timer = *all[random() % all.size()];
                switch (random() % 4) {
                case 0: timers::cancel(timer); break;
                case 1: timers::run(CpuId{t}, i); break;
                default: timers::set(timer, i + random() % 50, CpuId{u32(random() % cpus)});
                }
            }
        });
    for (auto& t : threads)
        t.join();
    EXPECT_GT(fired, 0u);
    for (auto& t : all) {
        timers::cancel(*t);
        EXPECT_FALSE(t->armed());
    }
}

/// CPU 1 waits for a handler on CPU 0 and does not notice that it ended; the timer comes back to CPU 0.
TEST(Timers, NoTwoCpusWaitForEachOtherWithOneTimer)
{
    boot_timers();
    static Timer* wanderer;
    static std::atomic<int> stage, fired, turns;
    stage = fired = turns = 0;
    Timer timer(
        [](void*) {
            if (fired++)
                return;
            timers::set(*wanderer, 2, cpu1);
            stage = 1;
            while (stage != 2) // until CPU 1 waits
                std::this_thread::yield();
        },
        nullptr);
    wanderer = &timer;
    fake::on_spin([] {
        if (turns++ > 100'000)
            throw std::runtime_error("they wait for each other");
        if (stage == 1)
            stage = 2;
        while (arch::this_cpu_id() == cpu1 && stage < 3)
            std::this_thread::yield();
        stage = 3;
    });
    std::thread other([] {
        fake::set_cpu(cpu1);
        while (stage != 1)
            std::this_thread::yield();
        EXPECT_NO_THROW(timers::run(cpu1, 2));
    });
    timers::set(timer, 1, cpu0);
    timers::run(cpu0, 1);
    timers::set(timer, 2, cpu0);
    EXPECT_NO_THROW(timers::run(cpu0, 2));
    stage = 3;
    other.join();
    fake::on_spin(nullptr);
    EXPECT_EQ(fired, 2);
    EXPECT_FALSE(timer.armed());
}

} // namespace
