// The clock that guests compute by themselves from the TSC (pvclock). Answered by the architecture's time code.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::arch {

/// now = ns + (((counter - tsc) << shift) * mul >> 32), with a right shift when `shift` is negative; the same function as now_ns().
struct GuestClock {
    u64 tsc = 0; ///< counter value at `ns`
    u64 ns = 0;
    u32 mul = 1; ///< never 0: guests divide by it
    s8 shift = 0;
};
/// A fresh pair for the CPU that asks.
GuestClock clock_snapshot();

} // namespace tenon::arch
