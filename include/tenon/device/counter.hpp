// Counters that run at a constant rate, and measuring one by another.
#pragma once
#include <tenon/device/acpi.hpp>

namespace tenon {

struct Counter {
    u64 (*read)() = nullptr;
    u64 hz = 0; ///< 0: not there, or not known
    u64 mask = ~u64{0};
    const char* name = "";
};

/// Frequency of `unknown`, measured over about `milliseconds` of `reference`. 0 when the reference stands still. Interruptions (SMIs, a
/// hypervisor under us) are survived by taking the readings with the least doubt. Pure but for the two readers.
u64 measure_rate(const Counter& unknown, const Counter& reference, u64 milliseconds);

/// The reference counters of a PC. Each is set up by the call; hz is 0 when the machine has none.
Counter acpi_timer_counter(const acpi::Machine& machine);
Counter pit_counter(const acpi::Machine& machine);

namespace rtc {
struct Fields {
    u8 second = 0, minute = 0, hour = 0, day = 1, month = 1, year = 0, century = 0, status_b = 0;
    bool operator==(const Fields&) const = default;
};
/// Seconds since 1970 (UTC) of raw CMOS fields: BCD or binary, 12 or 24 hours, with or without a century. 0 when they make no date. Pure.
u64 to_unix_time(const Fields& fields);
/// The CMOS clock now; 0 without a working one.
u64 read(const acpi::Machine& machine);
} // namespace rtc

} // namespace tenon
