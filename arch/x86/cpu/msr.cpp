// MSR accesses that may fault.
#include <tenon_arch/cpu_ops.hpp>

/// Sets the operand `failed` when the instruction faults.
#define WITH_FIXUP(instruction)     \
    "1: " instruction "\n"          \
    "   jmp 2f\n"                   \
    "3: mov $1, %[failed]\n"        \
    "2:\n"                          \
    ".pushsection .fixups, \"a\"\n" \
    ".long 1b - ., 3b - .\n"        \
    ".popsection"

bool tenon::x86::read_msr_safe(u32 index, u64& value)
{
    u32 lo = 0, hi = 0, failed = 0;
    asm volatile(WITH_FIXUP("rdmsr") : "+a"(lo), "+d"(hi), [failed] "+r"(failed) : "c"(index));
    value = u64(hi) << 32 | lo;
    return !failed;
}

bool tenon::x86::write_msr_safe(u32 index, u64 value)
{
    u32 failed = 0;
    asm volatile(WITH_FIXUP("wrmsr") : [failed] "+r"(failed) : "c"(index), "a"(u32(value)), "d"(u32(value >> 32)) : "memory");
    return !failed;
}
