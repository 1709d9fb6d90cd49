// Moving vCPUs between CPUs: pulled by a CPU that has nothing to do, or less than another.
#include "run_queues.hpp"

namespace tenon::scheduler {

bool may_run_on(const Vcpu& vcpu, CpuId cpu) { return vcpu.sched.hard_affinity.test(cpu.raw()); }

void move_home(Vcpu& vcpu, CpuId target)
{
    std::atomic_ref(vcpu.cpu).store(target, std::memory_order_release);
    vcpu.mail.flags.fetch_or(mail_time, std::memory_order_relaxed); // another CPU, another TSC
}

bool offer(const Vcpu& vcpu)
{
    unsigned idle = (idle_cpus.snapshot() & vcpu.sched.hard_affinity & arch::online_cpus()).next(0);
    if (idle == max_cpus)
        return false;
    ask(CpuId{idle});
    return true;
}

/// The CPU with the greatest load above `least` where a vCPU waits; max_cpus when there is none.
static unsigned heaviest(const CpuSet& among, u64 least)
{
    unsigned found = max_cpus;
    among.for_each([&](unsigned cpu) {
        CpuQueue& queue = queue_of(CpuId{cpu});
        u64 load = queue.load.load(std::memory_order_relaxed);
        if (queue.waiting.load(std::memory_order_relaxed) && load > least) {
            least = load;
            found = cpu;
        }
    });
    return found;
}

/// Takes the vCPU that is furthest behind out of `victim`; nullptr when none of its may run on `to`.
static Vcpu* take_from(CpuQueue& victim, CpuId to, DomainRef& keep, u64& clock)
{
    Vcpu* taken = nullptr;
    Guard guard(victim.lock);
    for (u32 i = 0; i < victim.run.size(); i++) {
        Vcpu& candidate = *victim.run.at(i)->vcpu;
        if (candidate.is_runnable() && !candidate.is_on_cpu && may_run_on(candidate, to) &&
            (!taken || candidate.sched.virtual_time < taken->sched.virtual_time))
            taken = &candidate;
    }
    if (!taken)
        return nullptr;
    keep = domains::again(taken->domain); // until it is queued again it could be destroyed
    victim.run.remove(taken->sched);
    victim.publish();
    clock = victim.run.clock();
    move_home(*taken, to);
    return taken;
}

bool pull_work(CpuId to, bool only_if_heavier)
{
    u64 least = only_if_heavier ? queue_of(to).load.load(std::memory_order_relaxed) : 0;
    CpuSet victims = arch::online_cpus();
    victims.clear(to.raw());
    for (unsigned from; (from = heaviest(victims, least)) < max_cpus; victims.clear(from)) {
        DomainRef keep;
        u64 clock;
        if (Vcpu* vcpu = take_from(queue_of(CpuId{from}), to, keep, clock)) {
            enter_new_home(*vcpu, to, clock, arch::now_ns());
            return true;
        }
    }
    return false;
}

} // namespace tenon::scheduler
