// MSR accesses that may fault.
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

bool read_msr_safe(u32 index, u64& value)
{
    u32 lo = 0, hi = 0, failed = 0;
    asm volatile("1: rdmsr\n"
                 "   jmp 2f\n"
                 "3: mov $1, %2\n"
                 "2:\n"
                 ".pushsection .fixups, \"a\"\n"
                 ".long 1b - ., 3b - .\n"
                 ".popsection"
                 : "+a"(lo), "+d"(hi), "+r"(failed)
                 : "c"(index));
    value = u64(hi) << 32 | lo;
    return !failed;
}

bool write_msr_safe(u32 index, u64 value)
{
    u32 failed = 0;
    asm volatile("1: wrmsr\n"
                 "   jmp 2f\n"
                 "3: mov $1, %0\n"
                 "2:\n"
                 ".pushsection .fixups, \"a\"\n"
                 ".long 1b - ., 3b - .\n"
                 ".popsection"
                 : "+r"(failed)
                 : "c"(index), "a"(u32(value)), "d"(u32(value >> 32))
                 : "memory");
    return !failed;
}

} // namespace tenon::x86
