// See the header. A told frequency is believed only when it is exact: CPUID leaf 15h with a crystal frequency, or a hypervisor's timing leaf.
#include "calibrate.hpp"
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>
#include <tenon/log.hpp>

namespace tenon::clock {
namespace {

constexpr u64 slowest = 100'000'000, fastest = 20'000'000'000, measure_ms = 100;

constexpr bool is_plausible(u64 hz) { return hz >= slowest && hz <= fastest; }

/// [SDM 3B 19.7.3] TSC = crystal * EBX / EAX.
u64 from_crystal()
{
    if (io::cpuid(0).a < 0x15)
        return 0;
    const io::CpuidLeaf r = io::cpuid(0x15);
    return r.a && r.b && r.c ? u64(r.c) * r.b / r.a : 0;
}

/// The timing leaf that hypervisors share: kHz of the TSC in EAX of 0x40000010.
u64 from_hypervisor()
{
    if (!(io::cpuid(1).c & bit(31)))
        return 0;
    const u32 highest = io::cpuid(0x4000'0000).a;
    return highest >= 0x4000'0010 && highest < 0x4001'0000 ? u64(io::cpuid(0x4000'0010).a) * 1000 : 0;
}

/// Base frequency in MHz: a nominal value, for want of anything better.
u64 from_base_frequency() { return io::cpuid(0).a >= 0x16 ? u64(io::cpuid(0x16).a & 0xffff) * 1'000'000 : 0; }

u64 said(u64 hz, const char* source)
{
    log_info("TSC: %lu.%03lu MHz (%s)\n", hz / 1'000'000, hz / 1'000 % 1'000, source);
    return hz;
}

} // namespace

u64 find_tsc_hz()
{
    if (const u64 hz = from_crystal(); is_plausible(hz))
        return said(hz, "CPUID");
    if (const u64 hz = from_hypervisor(); is_plausible(hz))
        return said(hz, "hypervisor");
    const acpi::Machine& machine = acpi::machine();
    using Open = Counter (*)(const acpi::Machine&);
    constexpr Open references[] = {hpet_counter, acpi_timer_counter, [](const acpi::Machine&) { return pit_counter(); }};
    for (const Open open : references) {
        const Counter reference = open(machine);
        if (reference.hz == 0)
            continue;
        const u64 hz = measure_rate({io::read_tsc, 0}, reference, measure_ms);
        if (is_plausible(hz))
            return said(hz, reference.name);
    }
    if (const u64 hz = from_base_frequency(); is_plausible(hz))
        return said(hz, "CPUID, nominal");
    panic("No clock: neither CPUID nor HPET, ACPI timer or PIT tell the TSC's frequency\n");
}

} // namespace tenon::clock
