// set_timer_op, and the one-shot timer behind it.
#include "argument.hpp"

namespace tenon::hypercall {

CallResult set_singleshot_timer(Vcpu& vcpu, u64 deadline)
{
    if (deadline)
        timers::set(vcpu.singleshot, deadline, arch::this_cpu_id()); // one that is past fires as soon as the guest runs
    else
        timers::cancel(vcpu.singleshot);
    return s64{0};
}

CallResult set_timer_op(Call& call, u64 deadline) { return set_singleshot_timer(call.vcpu, deadline); }

} // namespace tenon::hypercall
