// How long each vCPU was in which state: what guests see as stolen time and tools as CPU time.
#include "run_queues.hpp"
#include <tenon/time/guest_time.hpp>

namespace tenon {

void scheduler::set_runstate(Vcpu& vcpu, s32 state, u64 now)
{
    vcpu_runstate_info& r = vcpu.runstate;
    now = max(now, r.state_entry_time); // another CPU's clock may be a little behind
    r.time[r.state] += now - r.state_entry_time;
    r.state_entry_time = now;
    r.state = state;
}

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
    vcpu_runstate_info r = vcpu.runstate;
    u64 now = arch::now_ns();
    if (now > r.state_entry_time) {
        r.time[r.state] += now - r.state_entry_time;
        r.state_entry_time = now;
    }
    return r;
}

} // namespace tenon
