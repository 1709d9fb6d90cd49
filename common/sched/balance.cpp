// Where a vCPU runs. An idle CPU pulls; a crowded one pushes at the end of a slice to CPUs whose virtual time is ahead, so that
// shares are fair among all CPUs. A CPU that runs one vCPU has nothing to do with it and is not interrupted.
#include "run_queues.hpp"

namespace tenon::scheduler {

void move_home(Vcpu& vcpu, CpuId target)
{
    vcpu.cpu.store(target, std::memory_order_release);
    vcpu.mail.flags.fetch_or(mail_time, std::memory_order_relaxed); // another CPU, another TSC
}

/// The first member at or after a place, round the end; max_cpus when there is none.
static unsigned next_round(const CpuSet& set, unsigned from)
{
    unsigned cpu = set.next(from);
    return cpu < max_cpus ? cpu : set.next(0);
}

/// An idle CPU for this vCPU that is ours to give work to; max_cpus when there is none.
static unsigned claim_idle(const Vcpu& vcpu)
{
    if (!idle_cpus.any())
        return max_cpus;
    CpuSet idle = idle_cpus.snapshot() & vcpu.sched.hard_affinity, liked = idle & vcpu.sched.soft_affinity;
    for (CpuSet* set : {&liked, &idle})
        for (unsigned cpu; (cpu = next_round(*set, vcpu.home().raw())) < max_cpus; set->clear(cpu))
            if (idle_cpus.claim(CpuId{cpu}))
                return cpu;
    return max_cpus;
}

void offer(const Vcpu& vcpu)
{
    if (unsigned cpu = claim_idle(vcpu); cpu < max_cpus)
        ask(CpuId{cpu});
}

/// Of two CPUs where the vCPU may run, any and a neighbour, the one whose virtual time is further ahead; max_cpus when it may
/// run nowhere.
static unsigned furthest_of_two(const Vcpu& vcpu, u32& random, u64 now)
{
    CpuSet allowed = vcpu.sched.hard_affinity & arch::online_cpus();
    random = random * 1664525 + 1013904223;
    unsigned any = next_round(allowed, (random >> 16) % queue_count()),
             near = next_round(allowed, vcpu.home().raw() + 1 + (random >> 8) % 8);
    return any < max_cpus && queue_of(CpuId{any}).reached(now) < queue_of(CpuId{near}).reached(now) ? near : any;
}

CpuId choose_home(const Vcpu& vcpu, u64 now)
{
    CpuId last = vcpu.home();
    bool fits = may_run_on(vcpu, last);
    if (fits && idle_cpus.claim(last))
        return last;
    unsigned cpu = claim_idle(vcpu);
    if (cpu == max_cpus && !fits) {
        u32 seed = u32(now);
        cpu = furthest_of_two(vcpu, seed, now);
    }
    return cpu < max_cpus ? CpuId{cpu} : last;
}

static bool can_move(const Vcpu& vcpu) { return vcpu.is_runnable() && !vcpu.is_on_cpu.load(std::memory_order_relaxed); }

bool pull_from_crowded(CpuId to, const Domain* of)
{
    CpuSet victims = crowded_cpus.snapshot();
    for (unsigned from; (from = next_round(victims, to.raw())) < max_cpus; victims.clear(from)) {
        DomainRef keep;
        Sched* s;
        {
            CpuQueue& victim = queue_of(CpuId{from});
            Guard guard(victim.lock);
            for (s = victim.run.top(); s; s = RunQueue::next(*s))
                if (can_move(*s->vcpu) && may_run_on(*s->vcpu, to) && (!of || &s->vcpu->domain == of))
                    break;
            if (s) {
                keep = domains::again(s->vcpu->domain);
                victim.take_out(*s->vcpu);
                move_home(*s->vcpu, to);
            }
        }
        if (s) {
            settle(*s->vcpu, true);
            return true;
        }
    }
    return false;
}

void rebalance(Vcpu& vcpu)
{
    u64 now = arch::now_ns();
    {
        HomeGuard home(vcpu);
        if (!vcpu.sched.is_queued() || !can_move(vcpu))
            return;
        unsigned to = claim_idle(vcpu);
        if (to == max_cpus) {
            to = furthest_of_two(vcpu, home->random, now);
            if (to == max_cpus || queue_of(CpuId{to}).reached(now) <= vcpu.sched.virtual_time + FairPolicy::push_threshold)
                return;
        }
        home->take_out(vcpu);
        move_home(vcpu, CpuId{to});
    }
    settle(vcpu, true);
}

} // namespace tenon::scheduler
