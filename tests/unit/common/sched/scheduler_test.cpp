// The scheduler on a fake machine whose CPUs take turns.
#include <fake/world.hpp>
#include <random>
#include <tenon/sched/fair.hpp>
#include <tenon/sched/scheduler.hpp>
#include <thread>

using namespace tenon;
using fake::World;

namespace {

constexpr u64 ms = FairPolicy::ms, second = 1000 * ms;

void block(Vcpu& vcpu) { pause_vcpu_async(vcpu, pause_blocked); }
void unblock(Vcpu& vcpu) { resume_vcpu(vcpu, pause_blocked); }

TEST(Scheduler, RunsAWakingVcpuOnAnIdleCpuAndIdlesAfterwards)
{
    World world(2);
    auto domain = world.start(1);
    Vcpu& vcpu = *domain->vcpu(0);
    World::settle();
    EXPECT_TRUE(vcpu.is_on_cpu);
    EXPECT_EQ(World::running(vcpu.home().raw()), &vcpu);
    block(vcpu);
    World::settle();
    EXPECT_FALSE(vcpu.is_on_cpu);
    EXPECT_TRUE(world.is_idle(0));
    EXPECT_TRUE(world.is_idle(1));
    unblock(vcpu);
    World::settle();
    EXPECT_TRUE(vcpu.is_on_cpu);
}

TEST(Scheduler, SharesOneCpuByWeight)
{
    World world(1);
    auto light = world.start(1), heavy = world.start(1);
    scheduler::set_params(*heavy, {512, 0});
    World::run(30 * second);
    EXPECT_NEAR(double(World::cpu_time(*heavy->vcpu(0))) / double(World::cpu_time(*light->vcpu(0))), 2.0, 0.02);
}

TEST(Scheduler, SharesTwoCpusAmongThree)
{
    World world(2);
    auto domain = world.start(3);
    World::run(30 * second);
    for (u32 i = 0; i < 3; i++)
        EXPECT_NEAR(double(World::cpu_time(*domain->vcpu(i))), 20.0 * second, 1.0 * second);
}

TEST(Scheduler, KeepsEveryCpuBusy)
{
    World world(4);
    auto domain = world.start(7);
    World::run(10 * second);
    u64 sum = 0;
    for (u32 i = 0; i < 7; i++) {
        u64 time = World::cpu_time(*domain->vcpu(i));
        EXPECT_NEAR(double(time), 40.0 / 7 * second, 1.0 * second) << i;
        sum += time;
    }
    EXPECT_GE(sum, 40 * second - 100 * ms);
}

TEST(Scheduler, LimitsByCap)
{
    World world(1);
    auto capped = world.start(1);
    scheduler::set_params(*capped, {256, 25});
    World::run(10 * second);
    EXPECT_NEAR(double(World::cpu_time(*capped->vcpu(0))), 2.5 * second, 0.03 * second);
    scheduler::set_params(*capped, {256, 0});
    World::run(second);
    EXPECT_GT(World::cpu_time(*capped->vcpu(0)), 3 * second);
}

TEST(Scheduler, HonoursAffinity)
{
    World world(3);
    auto domain = world.start(2);
    CpuSet only;
    only.set(2);
    for (u32 i = 0; i < 2; i++)
        EXPECT_TRUE(scheduler::set_affinity(*domain->vcpu(i), only).ok());
    World::settle();
    World::run(second);
    EXPECT_TRUE(world.is_idle(0));
    EXPECT_TRUE(world.is_idle(1));
    for (u32 i = 0; i < 2; i++)
        EXPECT_EQ(domain->vcpu(i)->home().raw(), 2u);
    EXPECT_NEAR(double(World::cpu_time(*domain->vcpu(0))), double(World::cpu_time(*domain->vcpu(1))), 30.0 * ms);
    CpuSet none;
    none.set(100);
    EXPECT_EQ(scheduler::set_affinity(*domain->vcpu(0), none).error(), Error::inval);
}

TEST(Scheduler, AWakerInterruptsAHog)
{
    World world(1);
    auto hog = world.start(1), sleeper = world.start(1);
    block(*sleeper->vcpu(0));
    World::run(second);
    EXPECT_EQ(World::running(0), hog->vcpu(0));
    unblock(*sleeper->vcpu(0));
    World::settle();
    EXPECT_EQ(World::running(0), sleeper->vcpu(0));
}

TEST(Scheduler, AWakerLeavesATurnItsFirstMoment)
{
    World world(1);
    auto hog = world.start(1), sleeper = world.start(1);
    block(*sleeper->vcpu(0));
    World::run(second);
    unblock(*sleeper->vcpu(0));
    World::settle();
    block(*sleeper->vcpu(0));
    World::settle(); // a new turn of the hog's begins
    u64 began = hog->vcpu(0)->sched.turn_began;
    unblock(*sleeper->vcpu(0));
    World::settle();
    EXPECT_EQ(World::running(0), hog->vcpu(0));
    World::run(FairPolicy::shortest_turn, FairPolicy::shortest_turn);
    EXPECT_EQ(World::running(0), sleeper->vcpu(0));
    EXPECT_LE(sleeper->vcpu(0)->sched.turn_began - began, 2 * FairPolicy::shortest_turn);
}

TEST(Scheduler, AYieldGivesTheOtherATurn)
{
    World world(1);
    auto a = world.start(1), b = world.start(1);
    World::settle();
    Vcpu* first = World::running(0);
    scheduler::yield_current();
    World::settle();
    EXPECT_NE(World::running(0), first);
}

TEST(Scheduler, AYieldWithNobodyElseChangesNothing)
{
    World world(2);
    auto domain = world.start(1);
    World::settle();
    World::on_cpu(domain->vcpu(0)->home().raw());
    scheduler::yield_current();
    EXPECT_FALSE(scheduler::should_schedule(domain->vcpu(0)->home()));
}

CpuSet only(unsigned cpu)
{
    CpuSet set;
    set.set(cpu);
    return set;
}

TEST(Scheduler, AYieldFetchesASiblingThatWaitsElsewhere)
{
    World world(2);
    auto guest = world.start(2), hog = world.start(1);
    Vcpu &spinner = *guest->vcpu(0), &holder = *guest->vcpu(1);
    EXPECT_TRUE(scheduler::set_affinity(spinner, only(0)).ok());
    EXPECT_TRUE(scheduler::set_affinity(holder, only(1)).ok());
    EXPECT_TRUE(scheduler::set_affinity(*hog->vcpu(0), only(1)).ok());
    World::settle();
    while (World::running(1) != hog->vcpu(0))
        World::run(ms);
    CpuSet both = only(0);
    both.set(1);
    EXPECT_TRUE(scheduler::set_affinity(holder, both).ok());
    World::settle();
    EXPECT_EQ(World::running(0), &spinner);
    scheduler::yield_current();
    World::settle();
    EXPECT_EQ(World::running(0), &holder);
}

TEST(Scheduler, ACapCountsForTheWholeDomain)
{
    World world(4);
    auto capped = world.start(4);
    scheduler::set_params(*capped, {256, 50});
    World::run(10 * second, ms / 2);
    u64 sum = 0;
    for (u32 i = 0; i < 4; i++)
        sum += World::cpu_time(*capped->vcpu(i));
    EXPECT_NEAR(double(sum), 5.0 * second, 0.05 * second);
}

Vcpu* sleeper;

TEST(Scheduler, AVcpuThatStopsStaysLoadedWhileNobodyNeedsTheCpu)
{
    World world(1);
    auto domain = world.start(1);
    World::settle();
    sleeper = domain->vcpu(0);
    u64 switches = sleeper->arch.switches_in;
    fake::on_idle([] { // the CPU halts, and an interrupt wakes the vCPU
        EXPECT_TRUE(sleeper->is_on_cpu);
        EXPECT_EQ(guest_time::runstate_now(*sleeper).state, RUNSTATE_blocked);
        unblock(*sleeper);
        return true;
    });
    block(*sleeper);
    World::settle();
    EXPECT_EQ(World::running(0), sleeper);
    EXPECT_EQ(guest_time::runstate_now(*sleeper).state, RUNSTATE_running);
    EXPECT_EQ(sleeper->arch.switches_in, switches);
    fake::on_idle([] { // another CPU pauses its domain
        pause_vcpu_async(*sleeper, pause_domain);
        return true;
    });
    block(*sleeper);
    World::settle();
    EXPECT_FALSE(sleeper->is_on_cpu);
    EXPECT_TRUE(world.is_idle(0));
    resume_vcpu(*sleeper, pause_domain | pause_blocked);
    World::settle();
    EXPECT_EQ(World::running(0), sleeper);
}

TEST(Scheduler, CountsTimeInEveryState)
{
    World world(1);
    auto domain = world.start(2); // one runs, one waits, in turn
    Vcpu& vcpu = *domain->vcpu(0);
    World::run(second);
    block(vcpu);
    World::settle();
    World::run(second);
    domains::pause(*domain);
    unblock(vcpu);
    World::settle();
    World::run(second);
    auto r = guest_time::runstate_now(vcpu);
    EXPECT_EQ(r.time[0] + r.time[1] + r.time[2] + r.time[3], 3 * second);
    EXPECT_NEAR(double(r.time[RUNSTATE_running]), 0.5 * second, 20.0 * ms);
    EXPECT_NEAR(double(r.time[RUNSTATE_runnable]), 0.5 * second, 20.0 * ms);
    EXPECT_GE(r.time[RUNSTATE_blocked], second);
    domains::unpause(*domain);
}

TEST(Scheduler, AMoveRefreshesTheClock)
{
    World world(2);
    auto domain = world.start(1);
    Vcpu& vcpu = *domain->vcpu(0);
    World::settle();
    vcpu.mail.flags = 0;
    CpuSet other;
    other.set(1 - vcpu.home().raw());
    EXPECT_TRUE(scheduler::set_affinity(vcpu, other).ok());
    World::settle();
    EXPECT_TRUE(vcpu.is_on_cpu);
    EXPECT_TRUE(vcpu.mail.flags & mail_time);
}

/// Whatever is done to vCPUs: none is lost, none runs twice or where it may not, and no CPU idles while one waits for it.
TEST(SchedulerProperty, NothingIsLost)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        std::mt19937 random(seed);
        unsigned cpus = 1 + random() % 4;
        World world(cpus);
        std::vector<DomainRef> all;
        for (unsigned i = 0; i < 4; i++)
            all.push_back(world.start(1 + random() % 3));
        std::vector<Vcpu*> vcpus;
        for (auto& d : all)
            d->for_each_vcpu([&](Vcpu& v) { vcpus.push_back(&v); });
        std::vector<bool> paused(all.size());
        for (unsigned turn = 0; turn < 2000; turn++) {
            Vcpu& v = *vcpus[random() % vcpus.size()];
            unsigned d = random() % all.size();
            switch (random() % 8) {
            case 0: block(v); break;
            case 1: unblock(v); break;
            case 2:
                paused[d] ? void(domains::unpause_by_tools(*all[d])) : domains::pause_by_tools(*all[d]);
                paused[d] = !paused[d];
                break;
            case 3: {
                CpuSet set;
                set.set_word(0, random() & ((1u << cpus) - 1));
                EXPECT_EQ(scheduler::set_affinity(v, set).ok(), set.any());
                break;
            }
            case 4: scheduler::set_params(*all[d], {u16(64 + random() % 512), u16(random() % 3 ? 0 : 40)}); break;
            default: fake::advance_time(random() % (5 * ms)); break;
            }
            World::settle();
            for (Vcpu* vcpu : vcpus) {
                bool is_running = World::running(vcpu->home().raw()) == vcpu;
                ASSERT_EQ(is_running, vcpu->is_on_cpu);
                ASSERT_EQ(vcpu->is_runnable(), is_running || vcpu->sched.is_queued()) << "turn " << turn << " seed " << seed;
                if (vcpu->is_runnable()) {
                    ASSERT_TRUE(vcpu->sched.hard_affinity.test(vcpu->home().raw()));
                }
                for (unsigned cpu = 0; cpu < cpus; cpu++)
                    if (vcpu->sched.is_queued() && vcpu->sched.hard_affinity.test(cpu)) {
                        ASSERT_FALSE(world.is_idle(cpu)) << "turn " << turn << " seed " << seed;
                    }
            }
            World::on_cpu(0);
        }
        for (unsigned i = 0; i < all.size(); i++)
            if (paused[i]) {
                EXPECT_TRUE(domains::unpause_by_tools(*all[i]).ok());
            }
    }
}

/// The same with CPUs that really run at the same time.
TEST(SchedulerProperty, NothingIsLostWhenCpusRace)
{
    constexpr unsigned cpus = 4;
    World world(cpus);
    fake::on_spin(std::this_thread::yield);
    std::vector<DomainRef> all;
    std::vector<Vcpu*> vcpus;
    for (unsigned i = 0; i < 3; i++)
        all.push_back(world.start(3));
    static std::atomic<unsigned> busy, halted;
    busy = cpus;
    halted = 0;
    fake::on_idle([] { // halts in place, as long as there is somebody who could wake it
        const bool somebody_runs = ++halted < cpus;
        std::this_thread::yield();
        timers::run(arch::this_cpu_id(), arch::now_ns());
        halted--;
        return somebody_runs && busy == cpus;
    });
    for (auto& d : all)
        d->for_each_vcpu([&](Vcpu& v) { vcpus.push_back(&v); });
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        threads.emplace_back([&, cpu] {
            World::on_cpu(cpu);
            std::mt19937 random(cpu);
            for (unsigned turn = 0; turn < 30000; turn++) {
                Vcpu& v = *vcpus[random() % vcpus.size()];
                CpuSet set;
                switch (random() % 7) {
                case 0: block(v); break;
                case 6:
                    pause_vcpu_async(v, pause_domain);
                    // Until it is off the CPU, unless another thread lets it go on, which nobody does whose pauses are counted.
                    while (cpu == 0 && &v != &arch::current_vcpu() && v.is_on_cpu && v.pause & pause_domain && busy == cpus)
                        std::this_thread::yield();
                    resume_vcpu(v, pause_domain);
                    break;
                case 1: unblock(v); break;
                case 2:
                    set.set_word(0, 1 + random() % 15);
                    (void)scheduler::set_affinity(v, set);
                    break;
                case 3: notify_vcpu(v, mail_upcall); break;
                case 4: fake::advance_time(random() % ms); break;
                default: scheduler::request(CpuId{cpu}); break;
                }
                timers::run(CpuId{cpu}, arch::now_ns());
                if (scheduler::should_schedule(CpuId{cpu}))
                    scheduler::schedule();
            }
            busy--;
        });
    for (auto& thread : threads)
        thread.join();
    fake::on_idle(nullptr);
    fake::on_spin(World::answer);
    World::settle();
    for (Vcpu* v : vcpus) {
        bool is_running = World::running(v->home().raw()) == v;
        EXPECT_EQ(is_running, v->is_on_cpu);
        EXPECT_EQ(v->is_runnable(), is_running || v->sched.is_queued());
    }
    for (Vcpu* v : vcpus)
        unblock(*v);
    World::run(second);
    for (Vcpu* v : vcpus)
        EXPECT_TRUE(v->is_runnable());
}

} // namespace
