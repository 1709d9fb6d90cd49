// The scheduling policy: weighted fair sharing by virtual time. Pure data and arithmetic, so that thousands of vCPUs can be
// simulated on the host. Of those that wait on a CPU, the one with the least virtual time runs next.
#pragma once
#include <tenon/sched/entity.hpp>

namespace tenon {

struct FairPolicy {
    static constexpr u64 ms = 1'000'000;
    static constexpr u64 slice = 10 * ms;       ///< time on the CPU while others wait
    static constexpr u64 preempt_margin = ms;   ///< a waker must be this far behind to interrupt a slice
    static constexpr u64 sleeper_bonus = 5 * ms; ///< how far behind the queue a waker may start: its only credit
    static constexpr u64 cap_window = 100 * ms;
    static constexpr u64 balance_interval = 30 * ms;
    static constexpr u16 default_weight = 256;

    static constexpr u64 weighted(u64 ns, u16 weight) { return ns * default_weight / (weight ? weight : 1); }
    /// Accounts the time since it was last charged.
    static void charge(Sched& s, u64 now);
    /// What is left of the cap in this window, ns; ~0 without a cap.
    static u64 cap_left(const Sched& s);
    /// When the current cap window ends.
    static u64 window_end(const Sched& s) { return s.window_start + cap_window; }
    /// Should `running` give way to `waiting`?
    static bool gives_way(const Sched& running, const Sched& waiting, u64 now);
    static void start(Sched& s, u64 now);
};

/// The vCPUs that wait for one CPU: a binary heap by virtual time. The caller locks.
class RunQueue : Pinned {
  public:
    /// Hands over a larger array; returns the old one. Inserts up to its size cannot fail.
    Sched** adopt(Sched** array, u32 capacity);
    u32 capacity() const { return capacity_; }
    u32 size() const { return size_; }
    u64 weight() const { return weight_; }
    Sched* top() const { return size_ ? heap_[0] : nullptr; }
    Sched* at(u32 i) const { return heap_[i]; }
    void insert(Sched& s);
    void remove(Sched& s);

    /// The queue's virtual clock, never going back: follows the least of `running` and the waiting.
    void advance(const Sched* running);
    u64 clock() const { return clock_; }
    /// A vCPU that slept joins: neither far behind (a monopoly) nor punished.
    void place_waking(Sched& s) const;
    /// It comes from another queue: keeps its distance from the clock.
    void place_migrated(Sched& s, u64 from_clock) const;

  private:
    void up(u32 i);
    void down(u32 i);
    void put(u32 i, Sched* s)
    {
        heap_[i] = s;
        s->heap_slot = i + 1;
    }
    Sched** heap_ = nullptr;
    u32 size_ = 0, capacity_ = 0;
    u64 clock_ = 0, weight_ = 0;
};

} // namespace tenon
