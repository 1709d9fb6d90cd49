// The machine in virtual time, and the architecture that the scheduler sees on it.
#include "schedule_machine.hpp"
#include <cstdio>
#include <cstdlib>
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/time/guest_time.hpp>

namespace {

tenon::u64 blocks; ///< executed in the scheduler and the timers
sim::Machine* machine;
tenon::CpuSet online;

} // namespace

extern "C" void __sanitizer_cov_trace_pc() { blocks++; }

namespace sim {

Machine::Machine(unsigned cpus, unsigned seed) : random(seed), cpus_(cpus), armed_(cpus, ~u64{0}), current_(cpus)
{
    machine = this;
    online = {};
    for (unsigned i = 0; i < max_cpus; i++)
        arch::schedule_wanted(CpuId{i}) = false;
    online.fill(cpus);
    static bool ready = timers::init(max_cpus);
    if (!ready || !scheduler::init(cpus))
        std::abort();
    idle_domain_ = std::make_unique<Domain>(dom_idle);
    guests_.reserve(8192);
    for (cpu = 0; cpu < cpus; cpu++) {
        idle_.push_back(std::make_unique<Vcpu>(*idle_domain_, VcpuId{cpu}));
        current_[cpu] = idle_.back().get();
        scheduler::set_idle(CpuId{cpu}, *idle_.back());
    }
    cpu = 0;
}

Machine::~Machine()
{
    for (auto& vcpu : vcpus_)
        pause_vcpu_async(*vcpu, pause_down);
    run_until(now);
    for (auto& vcpu : vcpus_) {
        timers::cancel(vcpu->throttle);
        scheduler::remove(*vcpu);
    }
    scheduler::init(1);
}

Domain& Machine::add_domain(unsigned count, u16 weight, u16 cap)
{
    domains_.push_back(std::make_unique<Domain>(DomainId{u16(domains_.size() + 1)}));
    Domain& domain = *domains_.back();
    domain.max_vcpus = count;
    domain.vcpus = static_cast<Vcpu**>(std::calloc(count, sizeof(Vcpu*)));
    for (unsigned i = 0; i < count; i++) {
        vcpus_.push_back(std::make_unique<Vcpu>(domain, VcpuId{i}));
        Vcpu& vcpu = *vcpus_.back();
        domain.vcpus[i] = &vcpu;
        vcpu.mail.selector = guests_.size(); // nobody sends events here
        guests_.emplace_back().vcpu = &vcpu;
        scheduler::add(vcpu);
        last_cpu_.push_back(vcpu.cpu);
    }
    scheduler::set_params(domain, {weight, cap});
    domain.for_each_vcpu([&](Vcpu& vcpu) { on_cpu(0, [&] { resume_vcpu(vcpu, pause_down); }); });
    return domain;
}

void Machine::set_life(Vcpu& vcpu, std::function<u64()> burst, std::function<u64()> pause)
{
    Guest& g = guest(vcpu);
    g.burst = std::move(burst);
    g.pause = std::move(pause);
    block(vcpu);
    push({now + g.pause(), 0, Event::pause_over, vcpu.mail.selector, g.epoch, {}});
}

void Machine::block(Vcpu& vcpu)
{
    unsigned where = vcpu.home().raw();
    on_cpu(where, [&] { pause_vcpu_async(vcpu, pause_blocked); });
}

void Machine::wake(Vcpu& vcpu)
{
    Guest& g = guest(vcpu);
    g.left = g.burst();
    if (vcpu.pause == pause_blocked)
        g.woken = now + 1;
    on_cpu(unsigned(random() % cpus_), [&] {
        u64 before = blocks;
        resume_vcpu(vcpu, pause_blocked);
        waking.add(blocks - before);
    });
}

void Machine::pin(Vcpu& vcpu, unsigned first, unsigned count)
{
    CpuSet set;
    for (unsigned i = 0; i < count; i++)
        set.set(first + i);
    on_cpu(0, [&] { (void)scheduler::set_affinity(vcpu, set); });
}

void Machine::yield(Vcpu& vcpu)
{
    on_cpu(vcpu.home().raw(), [&] { scheduler::yield_current(); });
}

void Machine::on_cpu(unsigned where, const std::function<void()>& action)
{
    cpu = where;
    action();
    answer(where);
    while (!kicks_.empty()) {
        unsigned target = kicks_.back();
        kicks_.pop_back();
        idle_wakeups += is_idle(target);
        answer(target);
    }
}

/// What a CPU does before it goes on with its guest.
void Machine::answer(unsigned where)
{
    cpu = where;
    timers::rearm(CpuId{cpu});
    while (scheduler::should_schedule(CpuId{cpu})) {
        u64 before = blocks;
        scheduler::schedule();
        decision.add(blocks - before);
    }
}

void Machine::arm(u64 deadline)
{
    armed_[cpu] = deadline;
    if (deadline != ~u64{0})
        push({std::max(deadline, now), 0, Event::timer, cpu, deadline, {}});
}

void Machine::enter(Vcpu& vcpu)
{
    Guest& g = guest(vcpu);
    if (g.woken)
        g.latencies.push_back(now + 1 - g.woken);
    g.woken = 0;
    g.entered = now;
    CpuId& last = last_cpu_[vcpu.mail.selector];
    migrations += last != vcpu.cpu;
    last = vcpu.cpu;
    if (g.left != ~u64{0})
        push({now + g.left, 0, Event::burst_over, vcpu.mail.selector, ++g.epoch, {}});
}

void Machine::leave(Vcpu& vcpu)
{
    Guest& g = guest(vcpu);
    g.epoch++;
    if (g.left != ~u64{0})
        g.left -= std::min(g.left, now - g.entered);
}

void Machine::switch_to(Vcpu& prev, Vcpu& next)
{
    switches++;
    if (&prev != idle_[cpu].get())
        leave(prev);
    current_[cpu] = &next;
    if (&next != idle_[cpu].get())
        enter(next);
    scheduler::finish_switch(prev);
}

void Machine::push(Event event)
{
    event.order = order_++;
    events_.push(std::move(event));
}

void Machine::happen(Event& event)
{
    switch (event.kind) {
    case Event::timer:
        if (armed_[event.index] != event.epoch)
            return;
        idle_wakeups += is_idle(unsigned(event.index));
        on_cpu(unsigned(event.index), [&] { timers::run(CpuId{cpu}, now); });
        break;
    case Event::burst_over: {
        Guest& g = guests_[event.index];
        if (g.epoch != event.epoch)
            return;
        g.left = 0;
        u64 sleep = g.pause();
        block(*g.vcpu);
        push({now + sleep, 0, Event::pause_over, event.index, g.epoch, {}});
        break;
    }
    case Event::pause_over: wake(*guests_[event.index].vcpu); break;
    case Event::action: event.call(); break;
    }
    if (after_each_event)
        after_each_event();
}

void Machine::run_until(u64 time)
{
    for (cpu = 0; cpu < cpus_; cpu++)
        answer(cpu);
    on_cpu(0, [] {});
    while (!events_.empty() && events_.top().time <= time) {
        Event event = events_.top();
        events_.pop();
        now = std::max(now, event.time);
        happen(event);
    }
    now = std::max(now, time);
}

void Machine::forget()
{
    decision = waking = {};
    switches = migrations = idle_wakeups = 0;
    for (Guest& g : guests_)
        g.latencies.clear();
}

u64 Machine::cpu_time(const Vcpu& vcpu) const { return guest_time::runstate_now(const_cast<Vcpu&>(vcpu)).time[RUNSTATE_running]; }

} // namespace sim

namespace tenon {

CpuId arch::this_cpu_id() { return CpuId{machine->cpu}; }
const CpuSet& arch::online_cpus() { return online; }
bool arch::is_loaded_here(const Vcpu& vcpu) { return machine->current() == &vcpu; }
Vcpu& arch::current_vcpu() { return *machine->current(); }
void arch::spin_wait() { std::abort(); } // one CPU at a time: nobody waits
void arch::lock_rank_enter(u8) {}
void arch::lock_rank_leave(u8) {}
bool arch::wait_for_interrupt() { return false; }
void arch::kick_cpu(CpuId cpu) { machine->kick(cpu.raw()); }
std::atomic<bool>& arch::mail_waiting(CpuId cpu)
{
    static std::atomic<bool> waiting[max_cpus];
    return waiting[cpu.raw()];
}
std::atomic<bool>& arch::schedule_wanted(CpuId cpu)
{
    static std::atomic<bool> wanted[max_cpus];
    return wanted[cpu.raw()];
}
u64 arch::now_ns() { return machine->now; }
void arch::arm_cpu_timer(u64 deadline) { machine->arm(deadline); }
void arch::switch_to(Vcpu& prev, Vcpu& next) { machine->switch_to(prev, next); }
void* heap::allocate(std::size_t bytes) { return std::calloc(1, bytes); }
void heap::free(void* pointer) { std::free(pointer); }

// Domains of the simulation are the machine's own: nobody counts.
DomainRef domains::again(Domain&) { return {}; }
void DomainRef::drop(Domain&) {}

} // namespace tenon
