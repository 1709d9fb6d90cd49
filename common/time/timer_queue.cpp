// One pairing heap of armed timers per CPU, earliest at the root: arming never allocates and so never fails.
// A timer is in the queue that Timer::cpu names while is_queued; Timer::cpu and the links change only under that queue's lock.
#include <tenon/arch/cpu.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon/time/timer.hpp>

namespace tenon::timers {
namespace {

struct Queue {
    SpinLock<Rank::timer> lock;
    Timer* root = nullptr;
    std::atomic<Timer*> running{nullptr}; ///< whose handler this CPU is in
    std::atomic<bool> earlier{false};     ///< another CPU put in a new root: the hardware timer is late
};
Queue* queues;

Queue& queue_of(CpuId cpu) { return queues[cpu.raw()]; }

Timer* meld(Timer* a, Timer* b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline)
        std::swap(a, b);
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/// Two passes over a list of siblings: meld in pairs, then the pairs from last to first.
Timer* meld_siblings(Timer* first)
{
    Timer* pairs = nullptr;
    while (first) {
        Timer *a = first, *b = a->next;
        first = b ? b->next : nullptr;
        a->next = a->prev = nullptr;
        if (b)
            b->next = b->prev = nullptr;
        Timer* melded = meld(a, b);
        melded->next = pairs;
        pairs = melded;
    }
    Timer* all = nullptr;
    while (pairs) {
        Timer* following = std::exchange(pairs->next, nullptr);
        all = meld(all, pairs);
        pairs = following;
    }
    return all;
}

void put_in(Queue& q, Timer& timer)
{
    timer.child = timer.next = timer.prev = nullptr;
    timer.is_queued = true;
    q.root = meld(q.root, &timer);
}

void take_out(Queue& q, Timer& timer)
{
    Timer* below = meld_siblings(timer.child);
    if (&timer == q.root) {
        q.root = below;
    } else {
        (timer.prev->child == &timer ? timer.prev->child : timer.prev->next) = timer.next;
        if (timer.next)
            timer.next->prev = timer.prev;
        q.root = meld(q.root, below);
    }
    timer.child = timer.next = timer.prev = nullptr;
    timer.is_queued = false;
}

void arm_hardware(const Queue& q) { arch::arm_cpu_timer(q.root ? q.root->deadline : ~u64{0}); }

CpuId cpu_of(Timer& timer) { return CpuId{__atomic_load_n(reinterpret_cast<u32*>(&timer.cpu), __ATOMIC_ACQUIRE)}; }

/// Calls f with the lock of the timer's queue held.
template <class F> void with_queue_of(Timer& timer, F&& f)
{
    for (;;) {
        CpuId cpu = cpu_of(timer);
        Queue& q = queue_of(cpu);
        Guard guard(q.lock);
        if (cpu_of(timer) != cpu)
            continue; // it moved before we had the lock
        f(q);
        return;
    }
}

} // namespace

bool init(unsigned cpus) { return (queues = make_array<Queue>(cpus)) != nullptr; }

void set(Timer& timer, u64 deadline_ns, CpuId cpu)
{
    for (bool done = false; !done;)
        with_queue_of(timer, [&](Queue& q) {
            if (timer.is_queued)
                take_out(q, timer);
            if (timer.cpu != cpu) { // hand over: the next turn holds the other queue's lock
                __atomic_store_n(reinterpret_cast<u32*>(&timer.cpu), cpu.raw(), __ATOMIC_RELEASE);
                return;
            }
            done = true;
            timer.deadline = deadline_ns;
            put_in(q, timer);
            if (q.root != &timer)
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
    CpuId ran_on;
    with_queue_of(timer, [&](Queue& q) {
        if (timer.is_queued)
            take_out(q, timer); // the hardware timer may fire once for nothing
        ran_on = timer.ran_on;
    });
    if (ran_on != arch::this_cpu_id())
        while (queue_of(ran_on).running.load(std::memory_order_acquire) == &timer)
            arch::spin_wait();
}

void run(CpuId cpu, u64 now)
{
    Queue& q = queue_of(cpu);
    for (unsigned budget = 64; budget; budget--) { // handlers that rearm for the past do not keep us here
        Timer* timer;
        CpuId ran_on;
        Timer::Handler handler;
        void* argument;
        {
            Guard guard(q.lock);
            timer = q.root;
            if (!timer || timer->deadline > now)
                break;
            take_out(q, *timer);
            ran_on = std::exchange(timer->ran_on, cpu);
            handler = timer->handler;
            argument = timer->argument;
            q.running.store(timer, std::memory_order_release); // pairs with the acquire in cancel
        }
        // It may still run where it was armed for here: a handler never runs twice at a time.
        while (ran_on != cpu && queue_of(ran_on).running.load(std::memory_order_acquire) == timer)
            arch::spin_wait();
        handler(argument); // the timer may be gone after this
        q.running.store(nullptr, std::memory_order_release);
    }
    Guard guard(q.lock);
    q.earlier.store(false, std::memory_order_relaxed);
    arm_hardware(q);
}

void rearm(CpuId cpu)
{
    Queue& q = queue_of(cpu);
    if (!q.earlier.load(std::memory_order_acquire)) [[likely]]
        return;
    Guard guard(q.lock);
    q.earlier.store(false, std::memory_order_relaxed);
    arm_hardware(q);
}

} // namespace tenon::timers
