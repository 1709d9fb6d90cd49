// The heart: wake, pick, switch. A vCPU's scheduling state is protected by the lock of its home queue (Vcpu::cpu); only one
// queue lock is held at a time. A vCPU whose state is still loaded (is_on_cpu) is queued only at home and never pulled away.
#include "run_queues.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::scheduler {
namespace {

constinit CpuQueue* queues = nullptr;
constinit unsigned cpu_count = 0;

void slice_over(void* queue) { static_cast<CpuQueue*>(queue)->wanted->store(true, std::memory_order_relaxed); }

/// A decision is due by then. An earlier timer stays: to reprogram costs more than to decide once for nothing.
void decide_by(CpuQueue& queue, u64 deadline)
{
    if (deadline != ~u64{0} && (!queue.slice.armed() || queue.slice.deadline > deadline))
        timers::set(queue.slice, deadline, queue.cpu);
}

/// Who runs next; takes it out of the queue. Under the queue's lock.
Vcpu& pick(CpuQueue& queue, Vcpu& prev, u64 now)
{
    bool keeps = &prev != queue.idle, yields = queue.yielded.load(std::memory_order_relaxed);
    queue.yielded.store(false, std::memory_order_relaxed);
    if (keeps) {
        FairPolicy::charge(prev.sched, now);
        if (prev.sched.pool->deadline(now) == now && prev.is_runnable()) { // it used it up
            prev.pause.fetch_or(pause_throttled);
            timers::set(prev.throttle, prev.sched.pool->window_end(), queue.cpu);
        }
        keeps = prev.is_runnable() && may_run_on(prev, queue.cpu);
    }
    while (Sched* top = queue.run.top()) {
        Vcpu& candidate = *top->vcpu;
        if (candidate.is_runnable() && keeps && !yields && !FairPolicy::gives_way(prev.sched, *top, now))
            break;
        queue.run.remove(*top);
        if (candidate.is_runnable())
            return candidate;
        set_runstate(candidate, waiting_state(candidate), now);
    }
    return keeps ? prev : *queue.idle;
}

void note_running(Vcpu& vcpu, u64 now)
{
    set_runstate(vcpu, RUNSTATE_running, now);
    if (!vcpu.runstate_area.is_null())
        vcpu.mail.flags.fetch_or(mail_runstate, std::memory_order_relaxed);
}

/// Makes `next` the current one, on paper. Under the queue's lock.
void commit(CpuQueue& queue, Vcpu& prev, Vcpu& next, u64 now)
{
    bool is_busy = &next != queue.idle;
    if (&next != &prev) {
        if (&prev != queue.idle) {
            set_runstate(prev, waiting_state(prev), now);
            if (prev.is_runnable() && may_run_on(prev, queue.cpu)) { // otherwise finish_switch() finds it another place
                queue.run.insert(prev.sched);
                if (!is_busy) // it woke after pick(), and who woke it will find it queued
                    queue.wanted->store(true, std::memory_order_relaxed);
            }
        }
        queue.current = &next;
        if (is_busy) {
            next.is_on_cpu.store(true); // sequentially consistent: pairs with notify_vcpu's look
            note_running(next, now);
        }
    }
    if (&next != &prev || now >= next.sched.slice_end)
        FairPolicy::start(next.sched, now);
    queue.note_decision(is_busy ? &next.sched : nullptr, next.sched.weight, now);
    queue.publish();
    idle_cpus.assign(queue.cpu, !is_busy);
    if (&prev == queue.idle && idle_cpus.any()) // more than one was to run here
        for (Sched* s = queue.run.top(); s; s = RunQueue::next(*s))
            offer(*s->vcpu);
    if (is_busy)
        decide_by(queue, min(queue.run.size() ? next.sched.slice_end : ~u64{0}, next.sched.pool->deadline(now)));
}

/// commit() for the vCPU whose state the CPU holds while nobody waits: it stops, and the CPU halts with it. Under the queue's lock.
void rest(CpuQueue& queue, Vcpu& vcpu, u64 now)
{
    FairPolicy::charge(vcpu.sched, now);
    queue.yielded.store(false, std::memory_order_relaxed);
    set_runstate(vcpu, waiting_state(vcpu), now);
    queue.current = queue.idle;
    queue.is_halted = true;
    idle_cpus.assign(queue.cpu, true);
}

/// And it runs again; schedule() returns to it. Under the queue's lock.
void resume(CpuQueue& queue, Vcpu& vcpu, u64 now)
{
    queue.current = &vcpu;
    note_running(vcpu, now);
    idle_cpus.assign(queue.cpu, false);
    FairPolicy::start(vcpu.sched, now);
    queue.note_decision(&vcpu.sched, vcpu.sched.weight, now);
    decide_by(queue, vcpu.sched.pool->deadline(now));
}

/// Neither waiting nor running, but it should be. Under its home's lock.
bool is_stray(const CpuQueue& home, const Vcpu& vcpu) { return vcpu.is_runnable() && !vcpu.sched.is_queued() && home.current != &vcpu; }

/// The one that runs may have done so for long, without a decision.
void refresh_clock(CpuQueue& queue, u64 now)
{
    if (queue.current == queue.idle)
        return;
    FairPolicy::charge(queue.current->sched, now);
    queue.run.advance(&queue.current->sched);
}

/// Under the lock of its home.
void enqueue(CpuQueue& home, Vcpu& vcpu, u64 now, bool slept)
{
    bool is_idle = home.current == home.idle;
    if (is_idle)
        home.run.advance(&vcpu.sched); // its clock stood still
    else
        refresh_clock(home, now);
    home.run.place(vcpu.sched, slept);
    home.run.insert(vcpu.sched);
    set_runstate(vcpu, RUNSTATE_runnable, now);
    home.publish();
    Sched& running = home.current->sched;
    if (is_idle || FairPolicy::gives_way(running, vcpu.sched, now)) {
        ask(home.cpu);
    } else {
        if (FairPolicy::is_far_behind(running, vcpu.sched))
            running.slice_end = min(running.slice_end, running.turn_began + FairPolicy::shortest_turn);
        else if (vcpu.sched.virtual_time <= running.virtual_time + FairPolicy::preempt_margin)
            running.slice_end = min(running.slice_end, now + FairPolicy::preempt_margin);
        decide_by(home, max(running.slice_end, now));
    }
    if (!is_idle)
        offer(vcpu); // a CPU may have become idle since its home was chosen
}

/// May a CPU that has nothing to do keep the state of a vCPU that stopped? Not when somebody waits for it to be off the CPU.
bool can_linger(const Vcpu& loaded, CpuId cpu)
{
    constexpr u32 soon_over = pause_blocked | pause_polling | pause_throttled;
    return !(loaded.pause.load() & ~soon_over) && may_run_on(loaded, cpu);
}

} // namespace

constinit SharedCpuSet idle_cpus, crowded_cpus;

CpuQueue& queue_of(CpuId cpu) { return queues[cpu.raw()]; }
unsigned queue_count() { return cpu_count; }

bool init(unsigned cpus)
{
    for (unsigned i = 0; i < cpu_count; i++) { // of an earlier machine, in tests
        timers::cancel(queues[i].slice);
        idle_cpus.assign(CpuId{i}, false);
        crowded_cpus.assign(CpuId{i}, false);
    }
    heap::free(queues);
    queues = make_array<CpuQueue>(cpus);
    cpu_count = queues ? cpus : 0;
    for (unsigned i = 0; i < cpu_count; i++) {
        queues[i].cpu = CpuId{i};
        queues[i].random = i;
        queues[i].wanted = &arch::schedule_wanted(CpuId{i});
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
    queue.idle = queue.current = queue.loaded = &idle;
    idle_cpus.assign(cpu, true);
}

void ask(CpuId cpu)
{
    request(cpu);
    if (cpu != arch::this_cpu_id())
        arch::kick_cpu(cpu);
}

void settle(Vcpu& vcpu, bool is_moved)
{
    const bool slept = !is_moved;
    u64 now = arch::now_ns();
    for (CpuId promised = vcpu.home();; is_moved = true) {
        {
            HomeGuard home(vcpu);
            bool loaded = vcpu.is_on_cpu.load(std::memory_order_relaxed), fits = may_run_on(vcpu, home->cpu);
            if (!is_stray(*home, vcpu) || (loaded && !fits)) // somebody was faster, or finish_switch() will find it a place
                return is_moved ? ask(promised) : void();
            if (slept && !is_moved) { // before it leaves for a CPU whose clock stood still
                refresh_clock(*home, now);
                home->run.place(vcpu.sched, true);
            }
            CpuId target = loaded || (is_moved && fits) ? home->cpu : choose_home(vcpu, now);
            if (is_moved && promised != target)
                ask(promised); // an idle CPU may have been claimed for it
            if (target == home->cpu)
                return enqueue(*home, vcpu, now, slept);
            move_home(vcpu, target);
            promised = target;
        } // and again, with the lock of its new home
    }
}

/// True when a CPU halts with its state: that one has nothing to decide.
static bool wake_in_place(Vcpu& vcpu)
{
    HomeGuard home(vcpu);
    if (!home->is_halted || !vcpu.is_on_cpu.load(std::memory_order_relaxed) || home->current != home->idle || home->run.size() ||
        !may_run_on(vcpu, home->cpu) || !vcpu.is_runnable())
        return false;
    resume(*home, vcpu, arch::now_ns());
    arch::kick_cpu(home->cpu);
    return true;
}

void wake(Vcpu& vcpu)
{
    if (!vcpu.is_on_cpu.load(std::memory_order_relaxed) || !wake_in_place(vcpu))
        settle(vcpu, false);
}

void poke(Vcpu& vcpu)
{
    HomeGuard home(vcpu);
    if (vcpu.sched.is_queued() && !vcpu.is_runnable())
        home->take_out(vcpu);
    if (home->current != &vcpu && !vcpu.sched.is_queued())
        set_runstate(vcpu, waiting_state(vcpu), arch::now_ns());
    if (vcpu.is_on_cpu)
        ask(home->cpu);
}

void schedule()
{
    CpuQueue& queue = queue_of(arch::this_cpu_id());
    Vcpu &loaded = *queue.loaded, *next;
    bool halts = true;
    do {
        {
            Guard guard(queue.lock);
            queue.wanted->store(false); // before any look at what there is: offer() asks without this lock
            u64 now = arch::now_ns();
            Vcpu& prev = *queue.current;
            if (halts && &prev == &loaded && !queue.run.size() && !prev.is_runnable() && can_linger(prev, queue.cpu)) {
                rest(queue, prev, now);
                next = queue.idle;
            } else {
                next = &pick(queue, prev, now);
                commit(queue, prev, *next, now);
                queue.is_halted = halts && next == queue.idle && next != &loaded && can_linger(loaded, queue.cpu);
            }
        }
        if (next != queue.idle)
            break;
        if (!pull_work(queue.cpu)) // it is in idle_cpus by now: who queues one later sees us
            while (queue.is_halted && halts && !should_schedule(queue.cpu)) {
                halts = arch::wait_for_interrupt();
                Guard guard(queue.lock);
                if (queue.current == &loaded)
                    return; // it was woken
            }
    } while (queue.is_halted || should_schedule(queue.cpu));
    if (next == &loaded)
        return;
    queue.loaded = next;
    arch::switch_to(loaded, *next);
}

void finish_switch(Vcpu& prev)
{
    if (&prev == queue_of(arch::this_cpu_id()).idle)
        return;
    DomainRef keep; // once it is off the CPU, it may be destroyed
    bool is_waiting, is_lost;
    {
        HomeGuard home(prev);
        prev.is_on_cpu.store(false, std::memory_order_release);
        is_waiting = prev.sched.is_queued();
        is_lost = is_stray(*home, prev);
        if (is_waiting || is_lost)
            keep = domains::again(prev.domain);
    }
    if (is_lost)
        wake(prev);
    else if (is_waiting)
        rebalance(prev); // until now nobody could take it
}

bool should_schedule(CpuId cpu) { return queues[cpu.raw()].wanted->load(std::memory_order_relaxed); }
void request(CpuId cpu) { queues[cpu.raw()].wanted->store(true, std::memory_order_relaxed); }

void yield_current()
{
    CpuQueue& queue = queue_of(arch::this_cpu_id());
    if (!queue.waiting.load(std::memory_order_relaxed) && !pull_work(queue.cpu, &queue.current->domain))
        return;
    queue.yielded.store(true, std::memory_order_relaxed);
    queue.wanted->store(true, std::memory_order_relaxed);
}

} // namespace tenon::scheduler
