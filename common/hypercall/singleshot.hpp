// The one-shot timer of a vCPU, which two hypercalls set.
#pragma once
#include <tenon/domain/vcpu.hpp>

namespace tenon::hypercall {

/// VIRQ_TIMER at `deadline`; a time that is past means now: guests rely on one event for each call.
void set_singleshot_timer(Vcpu& vcpu, u64 deadline);

} // namespace tenon::hypercall
