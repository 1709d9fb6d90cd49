// One heap of armed timers per CPU, earliest on top: arming never allocates and so never fails.
// An armed timer is in the queue that Timer::cpu names; Timer::cpu and the links change only under that queue's lock.
#include <tenon/arch/cpu.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon/time/timer.hpp>

namespace tenon::timers {
namespace {

struct Queue {
    SpinLock<Rank::timer> lock;
    LeftistHeap<Timer, &Timer::deadline> armed;
    std::atomic<Timer*> running{nullptr}; ///< whose handler this CPU is in
    std::atomic<bool> earlier{false};     ///< another CPU put in a new root: the hardware timer is late
};
Queue* queues;

Queue& queue_of(CpuId cpu) { return queues[cpu.raw()]; }

void arm_hardware(Queue& q)
{
    q.earlier.store(false, std::memory_order_relaxed);
    if (q.armed.top()) // without one it fires once for nothing, at most
        arch::arm_cpu_timer(q.armed.top()->deadline);
}

/// Calls f with the lock of the timer's queue held.
template <class F> void with_queue_of(Timer& timer, F&& f)
{
    for (;;) {
        CpuId cpu = timer.cpu.load(std::memory_order_acquire);
        Queue& q = queue_of(cpu);
        Guard guard(q.lock);
        if (timer.cpu.load(std::memory_order_relaxed) == cpu) // else it moved before we had the lock
            return f(q);
    }
}

/// A handler never runs twice at a time. Until the CPU where the timer was armed for this one is through with it, it stays in the
/// queue, and this CPU is in no handler: two that wait for each other with the same timer would never end.
bool is_running_elsewhere(const Timer& timer, CpuId cpu)
{
    return timer.ran_on != cpu && queue_of(timer.ran_on).running.load(std::memory_order_acquire) == &timer;
}

} // namespace

bool init(unsigned cpus) { return (queues = make_array<Queue>(cpus)) != nullptr; }

void set(Timer& timer, u64 deadline_ns, CpuId cpu)
{
    for (bool done = false; !done;)
        with_queue_of(timer, [&](Queue& q) {
            if (timer.armed())
                q.armed.remove(timer);
            if (timer.cpu.load(std::memory_order_relaxed) != cpu) { // hand over: the next turn holds the other queue's lock
                timer.cpu.store(cpu, std::memory_order_release);
                return;
            }
            done = true;
            timer.deadline = deadline_ns;
            q.armed.insert(timer);
            if (q.armed.top() != &timer)
                return;
            if (cpu == arch::this_cpu_id()) {
                arm_hardware(q);
            } else {
                q.earlier.store(true, std::memory_order_release);
                arch::kick_cpu(cpu);
            }
        });
}

void cancel(Timer& timer)
{
    for (bool again = true; again;) {
        CpuId ran_on;
        with_queue_of(timer, [&](Queue& q) {
            if (timer.armed())
                q.armed.remove(timer); // the hardware timer may fire once for nothing
            ran_on = timer.ran_on;
        });
        again = false;
        while (ran_on != arch::this_cpu_id() && queue_of(ran_on).running.load(std::memory_order_acquire) == &timer) {
            again = true; // its handler may arm it as its last act
            arch::spin_wait();
        }
    }
}

void run(CpuId cpu, u64 now)
{
    Queue& q = queue_of(cpu);
    q.lock.lock();
    unsigned budget = 64; // handlers that rearm for the past do not keep us here
    for (Timer* timer; budget && (timer = q.armed.top()) && timer->deadline <= now;) {
        bool must_wait = is_running_elsewhere(*timer, cpu);
        if (!must_wait) {
            budget--;
            q.armed.remove(*timer);
            timer->ran_on = cpu;
            q.running.store(timer, std::memory_order_release); // pairs with the acquire in cancel
        }
        q.lock.unlock();
        if (must_wait)
            arch::spin_wait();
        else
            timer->handler(timer->argument); // the timer may be gone after this
        q.running.store(nullptr, std::memory_order_release);
        q.lock.lock();
    }
    arm_hardware(q);
    q.lock.unlock();
}

void rearm(CpuId cpu)
{
    Queue& q = queue_of(cpu);
    if (!q.earlier.load(std::memory_order_acquire)) [[likely]]
        return;
    Guard guard(q.lock);
    arm_hardware(q);
}

} // namespace tenon::timers
