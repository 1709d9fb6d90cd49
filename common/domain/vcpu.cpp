// A vCPU's beginning and end, and the reasons that stop it.
#include "domain_list.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon {
namespace {

void singleshot_expired(void* argument) { events::send_vcpu_virq(*static_cast<Vcpu*>(argument), VIRQ_TIMER); }

void period_passed(void* argument)
{
    Vcpu& vcpu = *static_cast<Vcpu*>(argument);
    u64 period = std::atomic_ref(vcpu.period_ns).load();
    if (!period)
        return;
    events::send_vcpu_virq(vcpu, VIRQ_TIMER);
    u64 now = arch::now_ns(), next = vcpu.periodic.deadline + period;
    timers::set(vcpu.periodic, next > now ? next : now + period, arch::this_cpu_id());
}

void poll_timed_out(void* argument) { resume_vcpu(*static_cast<Vcpu*>(argument), pause_polling); }

/// Until it registers its own, a vCPU's vcpu_info lies in shared_info, or beyond its slots in a place nobody sees.
Status place_info(Domain& domain, Vcpu& vcpu)
{
    if (vcpu.id.raw() < XEN_LEGACY_MAX_VCPUS) {
        vcpu.info = &domain.shared_page()->vcpu_info[vcpu.id.raw()];
        return success;
    }
    vcpu.info = vcpu.spare_info = make<vcpu_info>();
    if (!vcpu.info)
        return Error::nomem;
    vcpu.info->evtchn_upcall_mask = 1;
    return success;
}

} // namespace

Status domains::create_vcpu(Domain& domain, u32 id)
{
    Vcpu* vcpu = make<Vcpu>(domain, VcpuId{id});
    if (!vcpu)
        return Error::nomem;
    vcpu->singleshot.handler = singleshot_expired;
    vcpu->periodic.handler = period_passed;
    vcpu->poll_timeout.handler = poll_timed_out;
    for (Timer* timer : {&vcpu->singleshot, &vcpu->periodic, &vcpu->poll_timeout})
        timer->argument = vcpu;
    vcpu->runstate.state = RUNSTATE_offline;
    vcpu->runstate.state_entry_time = arch::now_ns();
    vcpu->mail.flags = mail_time;
    Status done = place_info(domain, *vcpu);
    if (done.ok())
        done = arch::create_vcpu(*vcpu);
    if (done.ok())
        scheduler::add(*vcpu);
    if (!done.ok()) {
        destroy_vcpu(*vcpu);
        return done;
    }
    Guard guard(domain.lock);
    if (domain.pause_count)
        vcpu->pause |= pause_domain;
    std::atomic_ref(domain.vcpus[id]).store(vcpu, std::memory_order_release);
    return success;
}

void domains::destroy_vcpu(Vcpu& vcpu)
{
    scheduler::remove(vcpu);
    arch::destroy_vcpu(vcpu);
    tenon::destroy(vcpu.spare_info);
    tenon::destroy(&vcpu);
}

void resume_vcpu(Vcpu& vcpu, u32 reasons)
{
    u32 old = vcpu.pause.fetch_and(~reasons); // sequentially consistent: pairs with the sleeper's last look (block, poll)
    if (old & reasons & pause_polling)
        vcpu.domain.events.pollers--;
    if (old && !(old & ~reasons))
        scheduler::wake(vcpu);
}

void pause_vcpu_async(Vcpu& vcpu, u32 reasons)
{
    if (vcpu.pause.fetch_or(reasons) == 0 || vcpu.is_on_cpu) // a CPU with nothing to do may keep the state of one that blocked
        scheduler::poke(vcpu);
}

void wait_until_off_cpu(const Vcpu& vcpu)
{
    while (vcpu.is_on_cpu.load(std::memory_order_acquire)) // pairs with finish_switch()
        arch::spin_wait();
}

} // namespace tenon
