// Time from the TSC: its frequency, found once at boot, and nanoseconds since then.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::clock {

/// Ticks to nanoseconds as the guest ABI's pvclock does it: ns = ((ticks << shift) * mul) >> 32, a negative shift to the right.
struct TscScale {
    u32 mul = 0;
    u8 left = 0, right = 0; ///< one of them is 0
    constexpr s8 shift() const { return s8(left - right); }
};
/// The scale that turns `from_hz` ticks a second into `to_hz`. [both below 2^63]
constexpr TscScale make_scale(u64 from_hz, u64 to_hz = 1'000'000'000)
{
    TscScale s;
    while (to_hz >> 31) { // the quotient below must fit 64 bits
        to_hz >>= 1;
        from_hz >>= 1;
    }
    while (from_hz > 2 * to_hz) {
        from_hz >>= 1;
        s.right++;
    }
    while (from_hz <= to_hz) {
        from_hz <<= 1;
        s.left++;
    }
    s.mul = u32((to_hz << 32) / from_hz);
    return s;
}
constexpr u64 scale_ticks(u64 ticks, TscScale s) { return u64((static_cast<unsigned __int128>(ticks << s.left >> s.right) * s.mul) >> 32); }

/// Finds the TSC's frequency and the time of day. Boot CPU, after acpi::init (which may have failed) and with map_device usable.
void init();
/// Lets a new CPU prove for a millisecond that its TSC agrees with that of the boot CPU, which meanwhile waits and looks at the clock.
void check_this_cpu();
/// All CPUs are up: from now on the clock is as cheap as the TSCs allow.
void cpus_are_up();

u64 tsc_hz();
/// Unix time (ns) at now_ns() == 0; 0 when the machine has no clock.
u64 boot_wallclock_ns();

} // namespace tenon::clock
