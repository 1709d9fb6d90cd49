// Weighted fair sharing: charging, preemption, caps, and the clock of those that wait.
#include <tenon/sched/fair.hpp>

namespace tenon {

void FairPolicy::charge(Sched& s, u64 now)
{
    u64 ran = now > s.started_at ? now - s.started_at : 0;
    s.virtual_time += weighted(ran, s.weight);
    s.started_at = now;
    if (s.pool && s.pool->limits())
        s.pool->use(ran);
}

bool FairPolicy::gives_way(const Sched& running, const Sched& waiting, u64 now)
{
    if (now >= running.slice_end)
        return waiting.virtual_time <= running.virtual_time;
    return is_far_behind(running, waiting) && now >= running.turn_began + shortest_turn;
}

void CapPool::set(u16 percent, u32 sharers, u64 now)
{
    start_.store(now, std::memory_order_relaxed);
    used_.store(0, std::memory_order_relaxed);
    sharers_.store(max(sharers, 1u), std::memory_order_relaxed);
    allowed_.store(FairPolicy::cap_window / 100 * percent, std::memory_order_relaxed);
}

u64 CapPool::deadline_within(u64 now)
{
    u64 allowed = allowed_.load(std::memory_order_relaxed), start = start_.load(std::memory_order_relaxed);
    u64 windows = now > start ? (now - start) / FairPolicy::cap_window : 0;
    if (windows && start_.compare_exchange_strong(start, start + windows * FairPolicy::cap_window)) {
        u64 used = used_.load(), paid = windows * allowed; // windows stay on their grid, whoever looks when
        while (!used_.compare_exchange_weak(used, used > paid ? used - paid : 0))
            ;
    }
    u64 used = used_.load(std::memory_order_relaxed), sharers = sharers_.load(std::memory_order_relaxed);
    return used < allowed ? now + min(max((allowed - used) / sharers, FairPolicy::cap_tick), allowed - used) : now;
}

void RunQueue::advance(const Sched* running)
{
    if (running && (!top() || running->virtual_time < top()->virtual_time))
        clock_ = running->virtual_time;
    else if (top())
        clock_ = top()->virtual_time;
}

void RunQueue::place(Sched& s, bool slept) const
{
    u64 latest = clock_ + FairPolicy::weighted(2 * FairPolicy::slice, s.weight), credit = slept ? FairPolicy::credit : FairPolicy::max_lag;
    u64 own = slept && s.virtual_time > s.lifted ? s.virtual_time - s.lifted : s.virtual_time;
    s.virtual_time = min(max(own + credit, clock_) - credit, latest);
    if (slept)
        s.lifted = s.virtual_time > own ? min(s.virtual_time - own, FairPolicy::max_lag) : 0;
}

} // namespace tenon
