// vCPUs come and go, and change their parameters.
#include "run_queues.hpp"
#include <tenon/mm/heap.hpp>

namespace tenon::scheduler {
namespace {

constinit std::atomic<u32> members{0}, placed{0};

/// Waking must not need memory: every queue has room for every vCPU.
bool make_room(u32 count)
{
    for (unsigned cpu = 0; cpu < queue_count(); cpu++) { // those that are not online yet, too
        CpuQueue& queue = queue_of(CpuId{cpu});
        if (queue.run.capacity() >= count)
            continue;
        u32 capacity = align_up(count, 64) * 2;
        Sched** array = make_array<Sched*>(capacity);
        if (!array)
            return false;
        {
            Guard guard(queue.lock);
            if (queue.run.capacity() < capacity)
                array = queue.run.adopt(array, capacity);
        }
        heap::free(array);
    }
    return true;
}

} // namespace

bool add(Vcpu& vcpu)
{
    u32 count = members.fetch_add(1) + 1;
    vcpu.sched.vcpu = &vcpu;
    vcpu.sched.is_member = true;
    if (!make_room(count))
        return false;
    const CpuSet& online = arch::online_cpus();
    unsigned nth = placed.fetch_add(1) % online.count(), cpu = online.next(0);
    while (nth--)
        cpu = online.next(cpu + 1);
    vcpu.cpu = CpuId{cpu};
    vcpu.sched.hard_affinity.fill(max_cpus);
    vcpu.sched.soft_affinity.fill(max_cpus);
    vcpu.sched.weight = vcpu.domain.weight;
    vcpu.sched.cap = vcpu.domain.cap;
    set_throttle_handler(vcpu);
    return true;
}

void remove(Vcpu& vcpu)
{
    if (!vcpu.sched.is_member)
        return;
    members.fetch_sub(1);
    HomeGuard home(vcpu);
    if (vcpu.sched.heap_slot) {
        home->run.remove(vcpu.sched);
        home->publish();
    }
}

Status set_affinity(Vcpu& vcpu, const CpuSet& hard)
{
    if (!(hard & arch::online_cpus()).any())
        return Error::inval;
    {
        HomeGuard home(vcpu);
        vcpu.sched.hard_affinity = hard;
        if (hard.test(home.cpu().raw())) {
            if (vcpu.sched.heap_slot)
                offer(vcpu);
            return success;
        }
        if (home->current == &vcpu) {
            ask(home.cpu());
        } else if (vcpu.sched.heap_slot) {
            home->run.remove(vcpu.sched);
            home->publish();
        }
    }
    wake(vcpu); // the one that was taken out; no effect on any other
    return success;
}

void set_params(Domain& domain, Params params)
{
    domain.weight = params.weight;
    domain.cap = params.cap;
    domain.for_each_vcpu([&](Vcpu& vcpu) {
        HomeGuard home(vcpu);
        bool queued = vcpu.sched.heap_slot;
        if (queued)
            home->run.remove(vcpu.sched); // the queue knows the sum of its weights
        vcpu.sched.weight = params.weight;
        vcpu.sched.cap = params.cap;
        if (queued)
            home->run.insert(vcpu.sched);
        home->publish();
    });
}

Params params(const Domain& domain) { return {domain.weight, domain.cap}; }

} // namespace tenon::scheduler
