// One-shot timers on the CPU that set them. The handler runs with interrupts off, outside of locks.
#pragma once
#include <atomic>
#include <tenon/ids.hpp>

namespace tenon {

struct Timer : Pinned {
    using Handler = void (*)(void* argument);
    Timer() = default;
    Timer(Handler h, void* a) : handler(h), argument(a) {}
    Handler handler = nullptr;
    void* argument = nullptr;
    u64 deadline = 0;         ///< ns since boot
    std::atomic<CpuId> cpu{}; ///< the queue it is in, or was in last
    CpuId ran_on{};           ///< where its handler ran last
    bool armed() const { return at; }

    // The queue's own: links of a pairing heap. `at` is the pointer that leads here, null while the timer is in no queue.
    Timer *child = nullptr, *next = nullptr, **at = nullptr;
};

namespace timers {
/// Allocates the queues. Boot.
bool init(unsigned cpus);
/// (Re)arms on `cpu`, whichever queue it was in.
void set(Timer& timer, u64 deadline_ns, CpuId cpu);
/// After this returns the handler does not run (unless called from the handler itself). It may wait for the handler: the caller
/// holds no lock that the handler takes.
void cancel(Timer& timer);
/// Runs what is due on this CPU and arms its hardware timer for the next. Called by the timer interrupt's soft half.
void run(CpuId cpu, u64 now);
/// Called by a CPU that was kicked, on its way back to the guest or to sleep: another CPU may have armed an earlier timer here.
void rearm(CpuId cpu);
} // namespace timers

} // namespace tenon
