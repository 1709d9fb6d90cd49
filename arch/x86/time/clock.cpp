// The clock that everything else reads: the TSC, scaled. CPUs whose TSCs disagree are held together by the latest value seen.
#include "clock.hpp"
#include <atomic>
#include <initializer_list>
#include <tenon/arch/cpu.hpp>
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace clock {
namespace {

constexpr u64 second = 1'000'000'000;

constinit u64 hz = 0, base = 0, wallclock = 0;
constinit TscScale to_ns, to_ticks;
constinit bool guarded = true; ///< every reading is compared with the latest one of all CPUs
constinit std::atomic<u64> latest{0};
constinit std::atomic<u64> worst_step_back{0};

constexpr u64 slowest = 100'000'000, fastest = 20'000'000'000, measure_ms = 100;

constexpr bool is_plausible(u64 hz) { return hz >= slowest && hz <= fastest; }

/// [SDM 3B 19.7.3] TSC = crystal * EBX / EAX.
u64 from_crystal()
{
    if (io::cpuid(0).eax < 0x15)
        return 0;
    const io::CpuidResult r = io::cpuid(0x15);
    return r.eax && r.ebx && r.ecx ? u64(r.ecx) * r.ebx / r.eax : 0;
}

/// The timing leaf that hypervisors share: kHz of the TSC in EAX of 0x40000010.
u64 from_hypervisor()
{
    if (!(io::cpuid(1).ecx & bit(31)))
        return 0;
    const u32 highest = io::cpuid(0x4000'0000).eax;
    return highest >= 0x4000'0010 && highest < 0x4001'0000 ? u64(io::cpuid(0x4000'0010).eax) * 1000 : 0;
}

/// Base frequency in MHz: a nominal value, for want of anything better.
u64 from_base_frequency() { return io::cpuid(0).eax >= 0x16 ? u64(io::cpuid(0x16).eax & 0xffff) * 1'000'000 : 0; }

/// A told frequency is believed only when it is exact: CPUID leaf 15h with a crystal frequency, or a hypervisor's timing leaf.
u64 find_tsc_hz(const char*& source)
{
    source = "CPUID";
    if (const u64 hz = from_crystal(); is_plausible(hz))
        return hz;
    source = "hypervisor";
    if (const u64 hz = from_hypervisor(); is_plausible(hz))
        return hz;
    for (const auto open : {acpi_timer_counter, pit_counter}) {
        const Counter reference = open(acpi::machine());
        source = reference.name;
        if (const u64 hz = reference.hz ? measure_rate({io::read_tsc, 0}, reference, measure_ms) : 0; is_plausible(hz))
            return hz;
    }
    source = "CPUID, nominal";
    if (const u64 hz = from_base_frequency(); is_plausible(hz))
        return hz;
    panic("No clock: neither CPUID nor ACPI timer or PIT tell the TSC's frequency");
}

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

u64 read() { return guarded ? guarded_tsc() : io::read_tsc(); }

/// The TSC value at which now_ns() will be `ns`: counted from now on, so that the two scales' rounding does not add up over the uptime.
u64 tsc_at(u64 ns)
{
    const u64 tsc = read(), now = scale_ticks(tsc - base, to_ns);
    return ns > now ? tsc + scale_ticks(ns - now, to_ticks) + 1 : tsc;
}

} // namespace

void init()
{
    const char* source;
    hz = find_tsc_hz(source);
    log_info("TSC: %lu.%03lu MHz (%s)", hz / 1'000'000, hz / 1'000 % 1'000, source);
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
        log_warning("The TSCs of the CPUs differ by %lu ns or more; the clock is held together in software",
                    scale_ticks(worst_step_back.load(std::memory_order_relaxed), to_ns));
}

u64 tsc_hz() { return hz; }
u64 boot_wallclock_ns() { return wallclock; }

} // namespace clock

/// Agreeing TSCs: one pair for all time and all CPUs, so that guests compute exactly what now_ns() does.
arch::GuestClock arch::clock_snapshot()
{
    using namespace clock;
    if (!guarded)
        return {base, 0, to_ns.mul, to_ns.shift()};
    const u64 tsc = guarded_tsc();
    return {io::read_tsc(), scale_ticks(tsc - base, to_ns), to_ns.mul, to_ns.shift()};
}

u64 arch::now_ns() { return clock::scale_ticks(clock::read() - clock::base, clock::to_ns); }

/// By TSC deadline or by counter.
void arch::arm_cpu_timer(u64 deadline_ns)
{
    if (deadline_ns == ~u64{0})
        return lapic::has_tsc_deadline() ? lapic::set_deadline(0) : lapic::set_timer(0);
    if (lapic::has_tsc_deadline())
        return lapic::set_deadline(clock::tsc_at(deadline_ns)); // one in the past fires at once
    const u64 now = arch::now_ns();
    lapic::set_timer(deadline_ns > now ? deadline_ns - now : 1);
}

} // namespace tenon
