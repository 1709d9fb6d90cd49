// How long each vCPU was in which state: what guests see as stolen time and tools as CPU time.
#include "run_queues.hpp"
#include <tenon/time/guest_time.hpp>

namespace tenon {

static void enter_state(vcpu_runstate_info& r, s32 state, u64 now)
{
    now = max(now, r.state_entry_time); // another CPU's clock may be a little behind
    r.time[r.state] += now - r.state_entry_time;
    r.state_entry_time = now;
    r.state = state;
}

void scheduler::set_runstate(Vcpu& vcpu, s32 state, u64 now) { enter_state(vcpu.runstate, state, now); }

s32 scheduler::waiting_state(const Vcpu& vcpu)
{
    u32 why = vcpu.pause.load(std::memory_order_relaxed);
    if (why & (pause_blocked | pause_polling))
        return RUNSTATE_blocked; // dominates offline
    return why & ~pause_throttled ? RUNSTATE_offline : RUNSTATE_runnable;
}

vcpu_runstate_info guest_time::runstate_now(Vcpu& vcpu)
{
    scheduler::HomeGuard home(vcpu);
    vcpu_runstate_info r = vcpu.runstate; // itself, the vCPU's own CPU reads without the lock
    enter_state(r, r.state, arch::now_ns());
    return r;
}

} // namespace tenon
