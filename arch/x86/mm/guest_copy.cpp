// Copies from and to the current guest's address space. SMAP is opened around them; faults are fixed up.
#include <tenon/guest/handle.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::arch {

bool guest_range_ok(GuestVa va, u64 bytes)
{
    u64 first = va.raw(), last = first + bytes - (bytes != 0);
    if (last < first)
        return false;
    constexpr u64 lower_end = u64{1} << 47, upper_start = x86::hypervisor_end;
    return last < lower_end || first >= upper_start;
}

namespace {

/// A fault ends the instruction: execution goes on behind it, and the count register says what is left.
#define COPY(instruction, count)                 \
    asm volatile("1: rep " instruction "\n"      \
                 "2:\n"                          \
                 ".pushsection .fixups, \"a\"\n" \
                 ".long 1b - ., 2b - .\n"        \
                 ".popsection"                   \
                 : "+D"(to), "+S"(from), "+c"(count)::"memory")

[[gnu::always_inline]] inline u64 guarded_copy(void* to, const void* from, u64 bytes)
{
    u64 words = bytes / 8, rest = bytes % 8;
    open_user_pages();
    COPY("movsq", words);
    if (rest && !words) [[unlikely]] {
        COPY("movsb", rest);
    }
    close_user_pages();
    return words * 8 + rest;
}

/// What a fault kept from being copied reads as zero.
[[gnu::noinline, gnu::cold]] u64 clear_rest(void* to, u64 bytes, u64 left)
{
    __builtin_memset(static_cast<u8*>(to) + (bytes - left), 0, left);
    return left;
}

} // namespace

u64 copy_from_guest(void* to, GuestVa from, u64 bytes)
{
    u64 left = guarded_copy(to, reinterpret_cast<const void*>(from.raw()), bytes);
    if (left) [[unlikely]]
        return clear_rest(to, bytes, left);
    return 0;
}

u64 copy_to_guest(GuestVa to, const void* from, u64 bytes) { return guarded_copy(reinterpret_cast<void*>(to.raw()), from, bytes); }

} // namespace tenon::arch
