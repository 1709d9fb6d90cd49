// What this is: marks around an operation that tests/bench/opcount.c recognises, so that it can count what
// the hypervisor executes.
#pragma once

#include "check.hpp"

namespace guest {

template <unsigned Id> inline void mark()
{
    asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00, %c0, %c1, 0xe7, 0x7e" ::"i"(Id & 0xff), "i"(Id >> 8) : "memory");
}

/// Runs `operation` a few times to warm up, then `count` times between the marks. `per` operations count as
/// one run.
template <unsigned Id, class Operation> void bench(const char* name, u64 count, Operation operation, u64 per = 1)
{
    for (u64 i = 0; i < count / 8 + 2; i++)
        operation();
    mark<Id>();
    for (u64 i = 0; i < count; i++)
        operation();
    mark<Id | 0x8000>();
    print("BENCH %u %lu %s\n", Id, count * per, name);
}

} // namespace guest
