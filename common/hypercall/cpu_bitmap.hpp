// CPU sets as control tools pass them: a bitmap in their memory, of any length.
#pragma once
#include <abi/types.h>
#include <tenon/arch/cpu.hpp>
#include <tenon/guest/handle.hpp>

namespace tenon {

/// Numbers beyond max_cpus are not looked at: no such CPU exists.
inline Result<CpuSet> read_cpus(const xenctl_bitmap& from)
{
    u8 bytes[max_cpus / 8]{};
    u32 bits = min(from.nr_bits, u32{max_cpus});
    TRY(GuestPtr<u8>(from.bitmap).read_array(bytes, (bits + 7) / 8));
    CpuSet cpus;
    for (u32 i = 0; i < bits; i++)
        cpus.assign(i, bytes[i / 8] >> (i % 8) & 1);
    return cpus;
}

/// Fills the whole bitmap; what lies beyond max_cpus becomes zero. A null handle takes nothing.
inline Status write_cpus(const xenctl_bitmap& to, const CpuSet& cpus)
{
    constexpr u32 most = 4096; // bits; a longer map is the tool's own affair
    if (!to.bitmap)
        return success;
    u8 bytes[most / 8]{};
    u32 bits = min(to.nr_bits, most);
    cpus.for_each([&](unsigned cpu) {
        if (cpu < bits)
            bytes[cpu / 8] = u8(bytes[cpu / 8] | 1u << (cpu % 8));
    });
    return GuestPtr<u8>(to.bitmap).write_array(bytes, (bits + 7) / 8);
}

} // namespace tenon
