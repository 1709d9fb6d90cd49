// The clock that everything else reads: the TSC, scaled. CPUs whose TSCs disagree are held together by the latest value seen.
#include "clock.hpp"
#include "calibrate.hpp"
#include <atomic>
#include <tenon/arch/cpu.hpp>
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace clock {
namespace {

constexpr u64 second = 1'000'000'000;

constinit u64 hz = 0, base = 0, wallclock = 0;
constinit TscScale to_ns, to_ticks;
constinit bool guarded = true;                 ///< every reading is compared with the latest one of all CPUs
constinit std::atomic<u64> latest{0};
constinit std::atomic<u64> worst_step_back{0};

/// The TSC, not below any value that was read before, on any CPU.
u64 guarded_tsc()
{
    u64 seen = latest.load(std::memory_order_acquire); // before the TSC: a later value means that two TSCs disagree
    const u64 tsc = io::read_tsc();
    if (tsc < seen) {
        if (seen - tsc > worst_step_back.load(std::memory_order_relaxed))
            worst_step_back.store(seen - tsc, std::memory_order_relaxed);
        return seen;
    }
    while (tsc > seen && !latest.compare_exchange_weak(seen, tsc, std::memory_order_acq_rel))
        ;
    return tsc;
}

} // namespace

void init()
{
    hz = find_tsc_hz();
    to_ns = make_scale(hz);
    to_ticks = make_scale(second, hz);
    base = io::read_tsc();
    latest.store(base, std::memory_order_relaxed);
    const u64 unix_time = rtc::read(acpi::machine());
    const u64 since = arch::now_ns();
    wallclock = unix_time ? unix_time * second - since : 0;
}

void check_this_cpu()
{
    const u64 end = arch::now_ns() + second / 1000;
    while (arch::now_ns() < end)
        io::relax();
}

void cpus_are_up()
{
    guarded = worst_step_back.load(std::memory_order_relaxed) != 0;
    if (guarded)
        log_warning("The TSCs of the CPUs differ by %lu ns or more; the clock is held together in software\n",
                    scale_ticks(worst_step_back.load(std::memory_order_relaxed), to_ns));
}

u64 tsc_hz() { return hz; }
TscScale tsc_scale() { return to_ns; }
u64 tsc_base() { return base; }
u64 tsc_at(u64 ns)
{
    // From now on, so that the two scales' rounding does not add up over the machine's uptime.
    const u64 tsc = guarded ? guarded_tsc() : io::read_tsc();
    const u64 now = scale_ticks(tsc - base, to_ns);
    return ns > now ? tsc + scale_ticks(ns - now, to_ticks) + 1 : tsc;
}
u64 boot_wallclock_ns() { return wallclock; }

} // namespace clock

/// Agreeing TSCs: one pair for all time and all CPUs, so that guests compute exactly what now_ns() does.
arch::GuestClock arch::clock_snapshot()
{
    using namespace clock;
    if (!guarded)
        return {base, 0, to_ns.mul, to_ns.shift};
    const u64 tsc = guarded_tsc();
    return {io::read_tsc(), scale_ticks(tsc - base, to_ns), to_ns.mul, to_ns.shift};
}

u64 arch::now_ns()
{
    const u64 tsc = clock::guarded ? clock::guarded_tsc() : io::read_tsc();
    return clock::scale_ticks(tsc - clock::base, clock::to_ns);
}

} // namespace tenon
