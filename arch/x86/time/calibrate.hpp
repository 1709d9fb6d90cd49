// How fast the TSC runs.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::clock {

/// Told by the CPU or a hypervisor below, else measured. Panics when the machine has no clock to measure by.
u64 find_tsc_hz();

} // namespace tenon::clock
