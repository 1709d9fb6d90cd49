// vCPUs come and go, and change their parameters.
#include "run_queues.hpp"

namespace tenon::scheduler {

constinit static std::atomic<u32> placed{0};

static void cap_window_over(void* vcpu) { resume_vcpu(*static_cast<Vcpu*>(vcpu), pause_throttled); }

void add(Vcpu& vcpu)
{
    const CpuSet& online = arch::online_cpus();
    unsigned nth = placed.fetch_add(1) % online.count(), cpu = online.next(0);
    while (nth--)
        cpu = online.next(cpu + 1);
    vcpu.cpu = CpuId{cpu};
    vcpu.sched.vcpu = &vcpu;
    vcpu.sched.pool = &vcpu.domain.cap_pool;
    vcpu.sched.hard_affinity.fill(max_cpus);
    vcpu.sched.soft_affinity.fill(max_cpus);
    vcpu.sched.weight = vcpu.domain.weight;
    vcpu.throttle.handler = cap_window_over;
    vcpu.throttle.argument = &vcpu;
}

void remove(Vcpu& vcpu)
{
    HomeGuard home(vcpu);
    if (vcpu.sched.is_queued())
        home->take_out(vcpu);
}

Status set_affinity(Vcpu& vcpu, const CpuSet& hard)
{
    if (!(hard & arch::online_cpus()).any())
        return Error::inval;
    bool is_waiting;
    {
        HomeGuard home(vcpu);
        vcpu.sched.hard_affinity = hard;
        is_waiting = vcpu.sched.is_queued();
        if (!may_run_on(vcpu, home->cpu)) {
            if (std::exchange(is_waiting, false))
                home->take_out(vcpu);
            if (vcpu.is_on_cpu.load(std::memory_order_relaxed))
                ask(home->cpu);
        }
    }
    is_waiting ? offer(vcpu) : wake(vcpu); // the one that was taken out; no effect on any other
    return success;
}

void set_params(Domain& domain, Params params)
{
    domain.weight = params.weight;
    domain.cap = params.cap;
    domain.cap_pool.set(params.cap, domain.max_vcpus, arch::now_ns());
    domain.for_each_vcpu([&](Vcpu& vcpu) {
        {
            HomeGuard home(vcpu);
            vcpu.sched.weight = params.weight;
            if (home->current == &vcpu)
                ask(home->cpu); // it may have to stop earlier now
        }
        resume_vcpu(vcpu, pause_throttled);
    });
}

} // namespace tenon::scheduler
