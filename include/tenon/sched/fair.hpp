// The scheduling policy: weighted fair sharing by virtual time. Pure data and arithmetic, so that it can be tested alone. Of
// those that wait on a CPU, the one with the least virtual time runs next.
#pragma once
#include <atomic>
#include <tenon/arch/cpu.hpp>
#include <tenon/lib/leftist_heap.hpp>

namespace tenon {

class CapPool;

/// The scheduler's view of one vCPU, kept inside it.
struct Sched : HeapLinks<Sched> {
    Vcpu* vcpu = nullptr;    ///< whose it is; set once
    CapPool* pool = nullptr; ///< its domain's cap; set once
    u64 virtual_time = 0;    ///< weighted run time, ns * default_weight / weight; comparable on all CPUs
    u64 lifted = 0;          ///< how much of it was added because it slept; a clock that goes back takes it away again
    u64 started_at = 0;      ///< until when its run time is charged
    u64 turn_began = 0;      ///< when it was chosen to run
    u64 slice_end = 0;       ///< when others of its queue get their turn
    u16 weight = 256;
    CpuSet hard_affinity, soft_affinity;
};

struct FairPolicy {
    static constexpr u64 ms = 1'000'000;
    static constexpr u64 slice = 10 * ms;            ///< time on the CPU while others wait
    static constexpr u64 preempt_margin = ms;        ///< a waker that is further behind interrupts a slice; another shortens it to this
    static constexpr u64 shortest_turn = 20'000;     ///< nobody interrupts before: who sends a burst of events is not left at each of them
    static constexpr u64 credit = 5 * ms;            ///< how far behind the queue's clock one that slept may start
    static constexpr u64 max_lag = 5 * slice;        ///< the same for one that waited elsewhere: what it is owed
    static constexpr u64 push_threshold = 2 * slice; ///< who is so far behind another CPU's clock moves there
    static constexpr u64 cap_window = 100 * ms;
    static constexpr u64 cap_tick = 200'000; ///< while several vCPUs share a cap, none runs unaccounted for less than this
    static constexpr u16 default_weight = 256;

    static constexpr u64 weighted(u64 ns, u16 weight) { return ns * default_weight / (weight ? weight : 1); }
    /// Accounts the time since it was last charged.
    static void charge(Sched& s, u64 now);
    static bool is_far_behind(const Sched& running, const Sched& waiting)
    {
        return waiting.virtual_time + preempt_margin < running.virtual_time;
    }
    /// Should `running` give way to `waiting`?
    static bool gives_way(const Sched& running, const Sched& waiting, u64 now);
    static void start(Sched& s, u64 now)
    {
        s.started_at = now;
        s.turn_began = now;
        s.slice_end = now + slice;
    }
};

/// What the vCPUs of a domain with a cap may run, together, in each window. Who overran has less in the next one, so that the
/// cap holds over time however late a timer is.
class CapPool : Pinned {
public:
    /// `percent` of one CPU for `sharers` vCPUs together; 0: no cap.
    void set(u16 percent, u32 sharers, u64 now);
    bool limits() const { return allowed_.load(std::memory_order_relaxed) != 0; }
    void use(u64 ran) { used_.fetch_add(ran, std::memory_order_relaxed); }
    /// When the vCPU that runs must be looked at again; `now` when nothing is left of this window, ~0 without a cap.
    u64 deadline(u64 now) { return limits() ? deadline_within(now) : ~u64{0}; }
    u64 window_end() const { return start_.load(std::memory_order_relaxed) + FairPolicy::cap_window; }

private:
    u64 deadline_within(u64 now);
    std::atomic<u64> allowed_{0}, used_{0}, start_{0};
    std::atomic<u32> sharers_{1};
};

/// The vCPUs that wait for one CPU, and their clock. The caller locks.
class RunQueue : public LeftistHeap<Sched, &Sched::virtual_time> {
public:
    /// The queue's virtual clock follows the least of `running` and the waiting; it stands still when there are none.
    void advance(const Sched* running);
    u64 clock() const { return clock_; }
    /// Before one is queued that did not wait here: neither so far behind that it would have a monopoly, nor so far ahead that
    /// it would wait for long.
    void place(Sched& s, bool slept) const;

private:
    u64 clock_ = 0;
};

} // namespace tenon
