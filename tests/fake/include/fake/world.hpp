// A fake machine with everything that domains need: memory, timers, the scheduler with idle vCPUs, and domains on demand.
// Time stands still unless run() moves it. At the end every domain is destroyed, and all memory has to be free again.
#pragma once
#include <abi/event_channel.h>
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <memory>
#include <tenon/arch/guest.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/hypercall/call.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>
#include <vector>

namespace tenon::fake {

inline unsigned ports_in_use(Domain& domain)
{
    unsigned count = 0;
    for (u32 port = 1; port < domain.events.port_limit; port++)
        count += domain.events.find(port)->state != ChannelState::free;
    return count;
}

class World {
public:
    explicit World(unsigned cpus = 1, u64 frames = 8192) : cpus_(cpus)
    {
        reset(cpus);
        make_memory(frames, frames);
        static bool timers_ready = timers::init(max_cpus); // once: nothing stays armed
        EXPECT_TRUE(timers_ready);
        scheduler::init(cpus);
        idle_domain_ = std::make_unique<Domain>(dom_idle);
        for (unsigned i = 0; i < cpus; i++) {
            idle_.push_back(std::make_unique<Vcpu>(*idle_domain_, VcpuId{i}));
            scheduler::set_idle(CpuId{i}, *idle_[i]);
            on_cpu(i);
            set_current(idle_[i].get());
        }
        on_cpu(0);
        on_spin(answer);
        free_at_start_ = frame_allocator::stats().free;
    }
    ~World()
    {
        for (unsigned i = 0; i < cpus_; i++) {
            on_cpu(i);
            set_current(idle_[i].get());
        }
        on_cpu(0);
        on_spin(nullptr);
        for (auto domain = domains::next(0); domain; domain = domains::next(domain->id.raw() + 1u))
            finish(*domain);
        domains::reap();
        EXPECT_EQ(frame_allocator::stats().free, free_at_start_) << "frames were lost";
        EXPECT_EQ(open_views(), 0);
        audit_frames();
    }

    DomainRef make(unsigned vcpus = 1, u16 id = dom_invalid.raw(), bool privileged = false)
    {
        domains::CreateParams params;
        params.id = DomainId{id};
        params.max_vcpus = vcpus;
        params.is_privileged = privileged;
        auto made = domains::create(params);
        EXPECT_TRUE(made.ok());
        EXPECT_TRUE(domains::create_vcpus(**made).ok());
        return std::move(*made);
    }
    /// All vCPUs are up and may run.
    DomainRef start(unsigned vcpus = 1, u16 id = dom_invalid.raw(), bool privileged = false)
    {
        DomainRef domain = make(vcpus, id, privileged);
        domain->for_each_vcpu([](Vcpu& v) {
            v.initialised = true;
            v.pause &= ~u32{pause_down};
        });
        EXPECT_TRUE(domains::unpause_by_tools(*domain).ok());
        return domain;
    }
    /// Destroys a domain; its vCPUs leave their CPUs first, as they would when interrupted.
    static void finish(Domain& domain)
    {
        domain.for_each_vcpu([](Vcpu& v) { pause_vcpu_async(v, pause_down); });
        settle();
        for (;;) {
            Status done = domains::destroy(domain);
            if (done.ok())
                return;
            ASSERT_EQ(done.error(), Error::restart);
        }
    }

    static void on_cpu(unsigned cpu) { set_cpu(CpuId{cpu}); }
    static Vcpu* running(unsigned cpu)
    {
        on_cpu(cpu);
        return &arch::current_vcpu();
    }
    bool is_idle(unsigned cpu) { return running(cpu) == idle_[cpu].get(); }
    /// Every CPU does what it was asked to do, until there is nothing left.
    static void settle()
    {
        unsigned cpus = arch::online_cpus().count();
        for (bool again = true; again;) {
            again = false;
            for (unsigned i = 0; i < cpus; i++) {
                on_cpu(i);
                timers::run(CpuId{i}, arch::now_ns());
                if (scheduler::should_schedule(CpuId{i}))
                    scheduler::schedule();
            }
            for (unsigned i = 0; i < cpus; i++)
                again |= scheduler::should_schedule(CpuId{i});
        }
        on_cpu(0);
    }
    /// What other CPUs do while this one waits for them.
    static void answer()
    {
        CpuId me = arch::this_cpu_id();
        for (unsigned i = 0; i < arch::online_cpus().count(); i++) {
            on_cpu(i);
            if (scheduler::should_schedule(CpuId{i}))
                scheduler::schedule();
        }
        set_cpu(me);
    }
    /// Lets time pass in steps.
    static void run(u64 ns, u64 step = 1'000'000)
    {
        for (u64 passed = 0; passed < ns; passed += step) {
            advance_time(step);
            settle();
        }
    }
    /// What the vCPU did until now, as its guest would be told.
    static u64 cpu_time(Vcpu& vcpu);

    static Call call_by(Vcpu& vcpu, u32 number = 0) { return Call{vcpu, vcpu.domain, number, {}}; }

private:
    unsigned cpus_;
    u64 free_at_start_ = 0;
    std::unique_ptr<Domain> idle_domain_;
    std::vector<std::unique_ptr<Vcpu>> idle_;
};

} // namespace tenon::fake

#include <tenon/time/guest_time.hpp>
inline tenon::u64 tenon::fake::World::cpu_time(Vcpu& vcpu) { return guest_time::runstate_now(vcpu).time[RUNSTATE_running]; }
