// The battery-backed clock: date and time at boot. [MC146818A datasheet; ACPI FADT for the century]
#include <tenon/device/counter.hpp>
#include <tenon/device/io.hpp>

namespace tenon::rtc {
namespace {

constexpr u16 index_port = 0x70, data_port = 0x71;
enum Index : u8 { seconds = 0, minutes = 2, hours = 4, day = 7, month = 8, year = 9, status_a = 0x0a, status_b = 0x0b };
constexpr u8 update_in_progress = 0x80, mode_24_hours = 2, mode_binary = 4, pm_flag = 0x80;

u8 get(u8 index)
{
    io::out8(index_port, index);
    return io::in8(data_port);
}

Fields take(u8 century_index)
{
    return {get(seconds), get(minutes), get(hours), get(day), get(month), get(year), century_index ? get(century_index) : u8{0},
            get(status_b)};
}

constexpr unsigned from_bcd(u8 v) { return (v >> 4) * 10u + (v & 15); }

} // namespace

u64 to_unix_time(const Fields& f)
{
    const auto value = [&](u8 raw) { return f.status_b & mode_binary ? unsigned(raw) : from_bcd(raw); };
    const bool pm = !(f.status_b & mode_24_hours) && (f.hour & pm_flag);
    unsigned hour = value(f.status_b & mode_24_hours ? f.hour : u8(f.hour & ~pm_flag));
    if (!(f.status_b & mode_24_hours))
        hour = hour % 12 + (pm ? 12 : 0);
    const unsigned second = value(f.second), minute = value(f.minute), mday = value(f.day), mon = value(f.month);
    const unsigned century = value(f.century), short_year = value(f.year);
    if (second > 59 || minute > 59 || hour > 23 || mday < 1 || mday > 31 || mon < 1 || mon > 12 || short_year > 99)
        return 0;
    const unsigned full_year = century >= 19 && century <= 29 ? century * 100 + short_year : short_year + (short_year < 70 ? 2000 : 1900);
    // Days of the civil calendar, with years that begin in March so that the leap day comes last.
    const u64 y = full_year - (mon <= 2), m = mon <= 2 ? mon + 9 : mon - 3;
    const u64 days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + mday - 1;
    constexpr u64 days_to_1970 = 719468;
    return days < days_to_1970 ? 0 : (days - days_to_1970) * 86400 + hour * 3600 + minute * 60 + second;
}

u64 read(const acpi::Machine& machine)
{
    if (machine.has_power && !machine.power.has_rtc)
        return 0;
    const u8 century_index = machine.power.century_index < 0x80 ? machine.power.century_index : u8{0};
    for (unsigned tries = 0; tries < 1000; tries++) {
        for (unsigned n = 0; n < 10'000 && (get(status_a) & update_in_progress); n++)
            io::relax();
        const Fields first = take(century_index);
        if (first.status_b == 0xff && first.second == 0xff)
            return 0;
        if (!(get(status_a) & update_in_progress) && first == take(century_index))
            return to_unix_time(first);
    }
    return 0;
}

} // namespace tenon::rtc
