// Weighted fair sharing: charging, preemption, caps, and the heap of those that wait.
#include <tenon/sched/fair.hpp>
#include <utility>

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

namespace {

u32 rank_of(const Sched* s) { return s ? s->rank : 0; }

/// The longer way down is on the left. True when the rank, the length of the way down on the right, changed.
bool restore_order(Sched& s)
{
    if (rank_of(s.left) < rank_of(s.right))
        std::swap(s.left, s.right);
    return std::exchange(s.rank, rank_of(s.right) + 1) != s.rank;
}

/// Goes down on the right of both: logarithmic, also the depth of the recursion.
Sched* meld(Sched* a, Sched* b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->virtual_time < a->virtual_time)
        std::swap(a, b);
    a->right = meld(a->right, b);
    a->right->parent = a;
    restore_order(*a);
    return a;
}

} // namespace

void RunQueue::insert(Sched& s)
{
    s.left = s.right = nullptr;
    s.rank = 1;
    root_ = meld(root_, &s);
    root_->parent = nullptr;
    size_++;
}

void RunQueue::remove(Sched& s)
{
    Sched *below = meld(s.left, s.right), *above = s.parent;
    if (below)
        below->parent = above;
    (!above ? root_ : above->left == &s ? above->left : above->right) = below;
    while (above && restore_order(*above))
        above = above->parent;
    s.rank = 0;
    size_--;
}

Sched* RunQueue::next(const Sched& s)
{
    if (s.left)
        return s.left; // where there is a right one, there is a left one
    const Sched* from = &s;
    while (from->parent && (from == from->parent->right || !from->parent->right))
        from = from->parent;
    return from->parent ? from->parent->right : nullptr;
}

void RunQueue::advance(const Sched* running)
{
    if (running && (!root_ || running->virtual_time < root_->virtual_time))
        clock_ = running->virtual_time;
    else if (root_)
        clock_ = root_->virtual_time;
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
