// The end of a domain, in steps that can be interrupted and taken up again. Frames that others still map keep what is left of
// the domain, and its id, until the last of them is unmapped.
#include "domain_list.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::domains {
namespace {

Status stop(Domain& domain)
{
    pause(domain); // for good: never taken back
    domain.for_each_vcpu([](Vcpu& vcpu) {
        std::atomic_ref(vcpu.period_ns).store(0);
        for (Timer* timer : {&vcpu.singleshot, &vcpu.periodic, &vcpu.poll_timeout, &vcpu.throttle})
            timers::cancel(*timer);
    });
    return success;
}

Status drop_interrupts(Domain& domain)
{
    pirqs::release_all(domain);
    return success;
}

Status drop_infos(Domain& domain)
{
    domain.for_each_vcpu([](Vcpu& vcpu) {
        if (!vcpu.info_registered)
            return;
        vcpu.info_registered = false;
        vcpu.info = nullptr;
        arch::unmap_vcpu_info(vcpu, std::exchange(vcpu.info_mfn, invalid_mfn));
    });
    return success;
}

Status drop_shared(Domain& domain)
{
    grants::free_tables(domain);
    free_comm_page(domain.shared);
    return success;
}

constexpr Status (*steps[])(Domain&) = {stop,       events::close_all, grants::unmap_all, drop_interrupts,
                                        drop_infos, arch::relinquish,  drop_shared,       give_back_all};

} // namespace

Status destroy(Domain& domain)
{
    if (domain.destroy_busy.exchange(true, std::memory_order_acquire))
        return Error::restart; // another CPU is at it
    Life alive = Life::alive;
    domain.life.compare_exchange_strong(alive, Life::dying);
    Status done = success;
    while (done.ok() && domain.destroy_stage < sizeof steps / sizeof *steps) {
        done = steps[domain.destroy_stage](domain);
        if (done.ok())
            domain.destroy_stage++;
    }
    bool ended = done.ok() && domain.life.exchange(Life::dead) == Life::dying;
    domain.destroy_busy.store(false, std::memory_order_release);
    if (ended) {
        log_info("d%u destroyed", domain.id.raw());
        drop_holding(domain);
        events::send_global_virq(VIRQ_DOM_EXC);
    }
    return done;
}

} // namespace tenon::domains
