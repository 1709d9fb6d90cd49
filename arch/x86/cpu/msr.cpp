// MSR accesses that may fault.
#include <tenon_arch/cpu_ops.hpp>
#include <tenon_arch/guest_words.hpp>

bool tenon::x86::read_msr_safe(u32 index, u64& value)
{
    u32 low, high;
    asm goto("1: rdmsr\n" ON_FAULT(bad) : "=a"(low), "=d"(high) : "c"(index) : : bad);
    value = u64(high) << 32 | low;
    return true;
bad:
    return false;
}
