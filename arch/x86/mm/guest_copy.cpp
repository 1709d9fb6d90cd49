// Copies from and to the current guest's address space. SMAP is opened around them; faults are fixed up.
#include "../cpu/features.hpp"
#include <tenon/arch/guest_copy.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::arch {

extern "C" u64 copy_bytes(void* to, const void* from, u64 count);
extern "C" u64 copy_words(void* to, const void* from, u64 count);

bool guest_range_ok(GuestVa va, u64 bytes)
{
    u64 first = va.raw(), last = first + bytes - (bytes != 0);
    if (last < first)
        return false;
    constexpr u64 lower_end = u64{1} << 47, upper_start = x86::hypervisor_end;
    return last < lower_end || first >= upper_start;
}

namespace {

u64 guarded_copy(void* to, const void* from, u64 bytes)
{
    if (x86::features.smap)
        asm volatile("stac" ::: "memory");
    u64 left = bytes % 8 == 0 ? copy_words(to, from, bytes) : copy_bytes(to, from, bytes);
    if (x86::features.smap)
        asm volatile("clac" ::: "memory");
    return left;
}

} // namespace

u64 copy_from_guest(void* to, GuestVa from, u64 bytes)
{
    u64 left = guarded_copy(to, reinterpret_cast<const void*>(from.raw()), bytes);
    if (left) [[unlikely]]
        __builtin_memset(static_cast<u8*>(to) + (bytes - left), 0, left);
    return left;
}

u64 copy_to_guest(GuestVa to, const void* from, u64 bytes) { return guarded_copy(reinterpret_cast<void*>(to.raw()), from, bytes); }

} // namespace tenon::arch
