// The heart: wake, pick, switch. A vCPU's scheduling state is protected by the lock of its home queue (Vcpu::cpu); only one
// queue lock is held at a time. A vCPU whose state is still loaded (is_on_cpu) is queued only at home and never pulled away.
#include "run_queues.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::scheduler {
namespace {

constinit CpuQueue* queues = nullptr;
constinit unsigned cpu_count = 0;

void slice_over(void* queue) { static_cast<CpuQueue*>(queue)->wanted.store(true, std::memory_order_relaxed); }

void cap_window_over(void* vcpu) { resume_vcpu(*static_cast<Vcpu*>(vcpu), pause_throttled); }

/// The home for a vCPU that wakes: where it was if nobody runs there, else an idle CPU near it, else where it was.
CpuId choose_home(const Vcpu& vcpu)
{
    CpuId last = home_of(vcpu);
    const CpuSet& allowed = vcpu.sched.hard_affinity;
    if (may_run_on(vcpu, last) && idle_cpus.claim(last))
        return last;
    CpuSet idle = idle_cpus.snapshot() & allowed & arch::online_cpus();
    if (idle.any())
        for (unsigned from : {last.raw() + 1, 0u})
            for (unsigned cpu = idle.next(from); cpu < cpu_count; cpu = idle.next(cpu + 1))
                if (idle_cpus.claim(CpuId{cpu}))
                    return CpuId{cpu};
    if (may_run_on(vcpu, last))
        return last;
    unsigned best = max_cpus;
    (allowed & arch::online_cpus()).for_each([&](unsigned cpu) {
        if (best == max_cpus || queues[cpu].load < queues[best].load)
            best = cpu;
    });
    return best < max_cpus ? CpuId{best} : last;
}

/// Stops a vCPU that used up its cap until its window ends.
void throttle(Vcpu& vcpu, CpuId cpu)
{
    vcpu.pause.fetch_or(pause_throttled);
    timers::set(vcpu.throttle, FairPolicy::window_end(vcpu.sched), cpu);
}

/// Who runs next; takes it out of the queue. Under the queue's lock.
Vcpu& pick(CpuQueue& queue, CpuId cpu, Vcpu& prev, u64 now)
{
    bool keeps = &prev != queue.idle;
    if (keeps) {
        FairPolicy::charge(prev.sched, now);
        if (prev.is_runnable() && FairPolicy::cap_left(prev.sched) == 0)
            throttle(prev, cpu);
        keeps = prev.is_runnable() && may_run_on(prev, cpu);
    }
    queue.run.advance(keeps ? &prev.sched : nullptr);
    while (Sched* top = queue.run.top()) {
        Vcpu& candidate = *top->vcpu;
        if (candidate.is_runnable() && keeps && !FairPolicy::gives_way(prev.sched, *top, now))
            break;
        queue.run.remove(*top);
        if (candidate.is_runnable())
            return candidate;
        set_runstate(candidate, waiting_state(candidate), now);
    }
    return keeps ? prev : *queue.idle;
}

/// Makes `next` the current one, on paper. Under the queue's lock.
void commit(CpuQueue& queue, CpuId cpu, Vcpu& prev, Vcpu& next, u64 now)
{
    if (&next != &prev) {
        if (&prev != queue.idle) {
            set_runstate(prev, waiting_state(prev), now);
            if (prev.is_runnable() && may_run_on(prev, cpu))
                queue.run.insert(prev.sched); // otherwise finish_switch() finds it another place
        }
        queue.current = &next;
        next.is_on_cpu.store(true); // sequentially consistent: pairs with notify_vcpu's look
        FairPolicy::start(next.sched, now);
        if (&next != queue.idle) {
            set_runstate(next, RUNSTATE_running, now);
            if (!next.runstate_area.is_null())
                next.mail.flags.fetch_or(mail_runstate, std::memory_order_relaxed);
        }
    } else if (now >= next.sched.slice_end || next.sched.yielded) {
        FairPolicy::start(next.sched, now);
    }
    idle_cpus.assign(cpu, &next == queue.idle);
    queue.publish();
    for (u32 i = 0; i < queue.run.size() && idle_cpus.snapshot().any(); i++)
        if (offer(*queue.run.at(i)->vcpu))
            break;

    u64 until = ~u64{0};
    if (&next != queue.idle) {
        if (queue.run.size())
            until = next.sched.slice_end;
        else if (cpu_count > 1)
            until = now + FairPolicy::balance_interval;
        if (u64 left = FairPolicy::cap_left(next.sched); left != ~u64{0})
            until = min(until, now + left);
    }
    if (until == ~u64{0}) {
        if (queue.slice.armed())
            timers::cancel(queue.slice);
    } else if (!queue.slice.armed() || queue.slice.deadline != until) {
        timers::set(queue.slice, until, cpu);
    }
}

} // namespace

constinit IdleCpus idle_cpus;

CpuQueue& queue_of(CpuId cpu) { return queues[cpu.raw()]; }
unsigned queue_count() { return cpu_count; }

bool init(unsigned cpus)
{
    for (unsigned i = 0; i < cpu_count; i++)
        heap::free(queues[i].run.adopt(nullptr, 0));
    heap::free(queues); // of an earlier machine, in tests
    queues = make_array<CpuQueue>(cpus);
    cpu_count = queues ? cpus : 0;
    idle_cpus.reset();
    for (unsigned i = 0; i < cpu_count; i++) {
        queues[i].slice.handler = slice_over;
        queues[i].slice.argument = &queues[i];
    }
    return queues != nullptr;
}

void set_idle(CpuId cpu, Vcpu& idle)
{
    CpuQueue& queue = queue_of(cpu);
    Guard guard(queue.lock);
    idle.cpu = cpu;
    idle.pause = 0;
    idle.is_on_cpu = true;
    queue.idle = queue.current = &idle;
    idle_cpus.assign(cpu, true);
}

void set_throttle_handler(Vcpu& vcpu)
{
    vcpu.throttle.handler = cap_window_over;
    vcpu.throttle.argument = &vcpu;
}

void ask(CpuId cpu)
{
    request(cpu);
    if (cpu != arch::this_cpu_id())
        arch::kick_cpu(cpu);
}

/// Under the lock of `queue`, its new home.
void enqueue(CpuQueue& queue, CpuId cpu, Vcpu& vcpu, u64 now)
{
    queue.run.insert(vcpu.sched);
    set_runstate(vcpu, RUNSTATE_runnable, now);
    queue.publish();
    if (!queue.current || queue.current == queue.idle)
        return ask(cpu);
    Sched& running = queue.current->sched;
    FairPolicy::charge(running, now);
    if (FairPolicy::gives_way(running, vcpu.sched, now))
        ask(cpu);
    else if (queue.run.size() == 1) // until now the running one had no end to its slice
        timers::set(queue.slice, max(running.slice_end, now), cpu);
}

/// Neither waiting nor running, but it should be. Under its home's lock.
static bool is_stray(const CpuQueue& home, const Vcpu& vcpu)
{
    return vcpu.is_runnable() && !vcpu.sched.heap_slot && home.current != &vcpu;
}

void wake(Vcpu& vcpu)
{
    u64 now = arch::now_ns(), from_clock;
    CpuId target;
    {
        HomeGuard home(vcpu);
        if (!is_stray(*home, vcpu))
            return;
        bool loaded = vcpu.is_on_cpu.load(std::memory_order_relaxed);
        if (loaded && !may_run_on(vcpu, home.cpu()))
            return; // finish_switch() will find it a place
        target = loaded ? home.cpu() : choose_home(vcpu);
        if (target == home.cpu()) {
            home->run.place_waking(vcpu.sched);
            return enqueue(*home, target, vcpu, now);
        }
        from_clock = home->run.clock();
        move_home(vcpu, target);
    }
    enter_new_home(vcpu, target, from_clock, now);
}

void enter_new_home(Vcpu& vcpu, CpuId target, u64 from_clock, u64 now)
{
    CpuQueue& queue = queue_of(target);
    Guard guard(queue.lock);
    if (home_of(vcpu) != target || !is_stray(queue, vcpu))
        return ask(target); // somebody else was faster, or it stopped again; an idle CPU may have been claimed for it
    queue.run.place_migrated(vcpu.sched, from_clock);
    enqueue(queue, target, vcpu, now);
}

void poke(Vcpu& vcpu)
{
    HomeGuard home(vcpu);
    if (home->current == &vcpu)
        return ask(home.cpu());
    if (vcpu.sched.heap_slot && !vcpu.is_runnable()) {
        home->run.remove(vcpu.sched);
        home->publish();
    }
    if (!vcpu.sched.heap_slot)
        set_runstate(vcpu, waiting_state(vcpu), arch::now_ns());
}

void schedule()
{
    CpuId cpu = arch::this_cpu_id();
    CpuQueue& queue = queue_of(cpu);
    Vcpu &prev = *queue.current, *next = nullptr;
    for (bool tried = false; !next; tried = true) {
        bool busy;
        {
            Guard guard(queue.lock);
            queue.wanted.store(false, std::memory_order_relaxed);
            u64 now = arch::now_ns();
            Vcpu& chosen = pick(queue, cpu, prev, now);
            busy = &chosen != queue.idle;
            bool balance = &chosen == &prev && !queue.run.size() && now - queue.last_balance >= FairPolicy::balance_interval;
            if (tried || (busy && !balance)) { // otherwise nothing was taken out of the queue, and it can be asked again
                commit(queue, cpu, prev, chosen, now);
                next = &chosen;
            } else {
                queue.last_balance = now;
            }
        }
        if (!next)
            pull_work(cpu, busy);
    }
    if (next != &prev)
        arch::switch_to(prev, *next);
}

void finish_switch(Vcpu& prev)
{
    DomainRef keep; // once it is off the CPU, it may be destroyed
    {
        HomeGuard home(prev);
        prev.is_on_cpu.store(false, std::memory_order_release);
        if (&prev == home->idle)
            return;
        if (is_stray(*home, prev))
            keep = domains::again(prev.domain);
        else if (prev.sched.heap_slot)
            offer(prev); // until now nobody could pull it
    }
    if (keep)
        wake(prev);
}

const std::atomic<bool>& wanted_word(CpuId cpu) { return queues[cpu.raw()].wanted; }
bool should_schedule(CpuId cpu) { return queues[cpu.raw()].wanted.load(std::memory_order_relaxed); }
void request(CpuId cpu) { queues[cpu.raw()].wanted.store(true, std::memory_order_relaxed); }

void yield_current()
{
    CpuId cpu = arch::this_cpu_id();
    queue_of(cpu).current->sched.yielded = true;
    request(cpu);
}

u32 waiting(CpuId cpu) { return queue_of(cpu).waiting; }

} // namespace tenon::scheduler
