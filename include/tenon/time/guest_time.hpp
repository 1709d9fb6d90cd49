// Time as guests see it: the pvclock area of each vCPU, the wall clock in shared_info, and the runstate area.
// The areas live in guest memory: they are written only while the vCPU's own domain is loaded.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::guest_time {

/// Writes vcpu_info's time and the secondary area, when there is one.
void update_clock(Vcpu& vcpu);
/// Writes the runstate area, when there is one.
void update_runstate(Vcpu& vcpu);

/// `ns` since 1970 at system time zero; every domain's wall clock follows.
void set_wallclock(u64 ns);
/// Writes the domain's wall clock (its offset, or the clock, changed).
void update_wallclock(Domain& domain);

/// What a vCPU did until now; the state's time so far is included.
vcpu_runstate_info runstate_now(Vcpu& vcpu);

} // namespace tenon::guest_time
