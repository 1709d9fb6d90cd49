// set_timer_op, and the one-shot timer behind it.
#include "singleshot.hpp"
#include <tenon/hypercall/call.hpp>

namespace tenon::hypercall {

void set_singleshot_timer(Vcpu& vcpu, u64 deadline)
{
    if (deadline > arch::now_ns())
        return timers::set(vcpu.singleshot, deadline, arch::this_cpu_id());
    timers::cancel(vcpu.singleshot);
    events::send_vcpu_virq(vcpu, VIRQ_TIMER);
}

CallResult set_timer_op(Call& call, u64 deadline)
{
    if (deadline)
        set_singleshot_timer(call.vcpu, deadline);
    else
        timers::cancel(call.vcpu.singleshot);
    return s64{0};
}

} // namespace tenon::hypercall
