// What this is: the paravirtual clock, read as its header comment says: a version that must be even and
// unchanged.
#pragma once

#include "abi.hpp"
#include "runtime.hpp"

namespace guest {

inline u64 scale_tsc(u64 ticks, const vcpu_time_info& time)
{
    u64 shifted = time.tsc_shift >= 0 ? ticks << time.tsc_shift : ticks >> -time.tsc_shift;
    return static_cast<u64>(static_cast<unsigned __int128>(shifted) * time.tsc_to_system_mul >> 32);
}

inline u64 now(const vcpu_info* info = vcpu0)
{
    auto& live = const_cast<const volatile vcpu_time_info&>(info->time);
    for (;;) {
        u32 version = live.version;
        barrier();
        vcpu_time_info copy;
        copy.tsc_timestamp = live.tsc_timestamp;
        copy.system_time = live.system_time;
        copy.tsc_to_system_mul = live.tsc_to_system_mul;
        copy.tsc_shift = live.tsc_shift;
        u64 ticks = read_tsc() - copy.tsc_timestamp;
        barrier();
        if (!(version & 1) && version == live.version)
            return copy.system_time + scale_tsc(ticks, copy);
    }
}

constexpr u64 operator""_us(unsigned long long value) { return value * 1000; }
constexpr u64 operator""_ms(unsigned long long value) { return value * 1000'000; }

} // namespace guest
