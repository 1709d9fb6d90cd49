// Weighted fair sharing: charging, preemption, and the heap of those that wait.
#include <tenon/sched/fair.hpp>

namespace tenon {

void FairPolicy::charge(Sched& s, u64 now)
{
    u64 ran = now > s.started_at ? now - s.started_at : 0;
    s.virtual_time += weighted(ran, s.weight);
    s.started_at = now;
    if (!s.cap)
        return;
    if (now >= window_end(s)) {
        s.window_start = now;
        s.window_used = 0;
    }
    s.window_used += ran;
}

u64 FairPolicy::cap_left(const Sched& s)
{
    u64 allowed = cap_window * s.cap / 100;
    return !s.cap ? ~u64{0} : s.window_used < allowed ? allowed - s.window_used : 0;
}

bool FairPolicy::gives_way(const Sched& running, const Sched& waiting, u64 now)
{
    if (running.yielded)
        return true;
    if (now >= running.slice_end)
        return waiting.virtual_time <= running.virtual_time;
    return waiting.virtual_time + preempt_margin < running.virtual_time;
}

void FairPolicy::start(Sched& s, u64 now)
{
    s.started_at = now;
    s.slice_end = now + slice;
    s.yielded = false;
    if (s.cap && now >= window_end(s)) {
        s.window_start = now;
        s.window_used = 0;
    }
}

Sched** RunQueue::adopt(Sched** array, u32 capacity)
{
    for (u32 i = 0; i < size_; i++)
        array[i] = heap_[i];
    Sched** old = heap_;
    heap_ = array;
    capacity_ = capacity;
    return old;
}

void RunQueue::insert(Sched& s)
{
    weight_ += s.weight;
    put(size_++, &s);
    up(s.heap_slot - 1);
}

void RunQueue::remove(Sched& s)
{
    u32 hole = s.heap_slot - 1;
    s.heap_slot = 0;
    weight_ -= s.weight;
    Sched* last = heap_[--size_];
    if (last == &s)
        return;
    put(hole, last);
    up(hole);
    down(last->heap_slot - 1);
}

void RunQueue::up(u32 i)
{
    Sched* s = heap_[i];
    for (; i && s->virtual_time < heap_[(i - 1) / 2]->virtual_time; i = (i - 1) / 2)
        put(i, heap_[(i - 1) / 2]);
    put(i, s);
}

void RunQueue::down(u32 i)
{
    Sched* s = heap_[i];
    for (u32 child; (child = 2 * i + 1) < size_; i = child) {
        if (child + 1 < size_ && heap_[child + 1]->virtual_time < heap_[child]->virtual_time)
            child++;
        if (s->virtual_time <= heap_[child]->virtual_time)
            break;
        put(i, heap_[child]);
    }
    put(i, s);
}

void RunQueue::advance(const Sched* running)
{
    u64 least = ~u64{0};
    if (running)
        least = running->virtual_time;
    if (size_)
        least = min(least, heap_[0]->virtual_time);
    if (least != ~u64{0})
        clock_ = max(clock_, least);
}

void RunQueue::place_waking(Sched& s) const
{
    u64 earliest = clock_ > FairPolicy::sleeper_bonus ? clock_ - FairPolicy::sleeper_bonus : 0;
    s.virtual_time = max(s.virtual_time, earliest);
}

void RunQueue::place_migrated(Sched& s, u64 from_clock) const
{
    s64 ahead = s64(s.virtual_time - from_clock);
    s64 place = s64(clock_) + ahead;
    s.virtual_time = place > 0 ? u64(place) : 0;
    place_waking(s);
}

} // namespace tenon
