// What this is: set_debugreg and get_debugreg: watchpoints and breakpoints in the guest's own memory, and
// nowhere else.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

long set(u64 reg, u64 value) { return hypercall(__HYPERVISOR_set_debugreg, reg, value); }
u64 get(u64 reg) { return static_cast<u64>(hypercall(__HYPERVISOR_get_debugreg, reg)); }

volatile u64 watched;
volatile u32 hits;

bool on_debug(Frame& frame)
{
    hits = hits + 1;
    frame.rflags |= 0x10000; // go on past a breakpoint
    return true;
}

extern "C" char breakpoint[];

void check_values()
{
    for (u64 reg : {0ul, 1ul, 2ul, 3ul}) {
        CHECK_EQ(set(reg, number(&watched) + reg * 8), 0);
        CHECK_EQ(get(reg), number(&watched) + reg * 8);
        CHECK_EQ(set(reg, 0x400000), 0);
        for (u64 bad : {hypervisor_start, hypervisor_start + (4ul << 39), hypervisor_end - 8, 1ul << 63, 1ul << 47})
            CHECK(set(reg, bad) < 0);
        CHECK_EQ(get(reg), 0x400000);
        CHECK_EQ(set(reg, 0), 0);
    }
    CHECK_EQ(get(6) & ~0xfff0ff0ul & 0xffffffff, 0xf0000000);
    CHECK_EQ(get(7) & ~0x400ul, 0);
    long rc = set(7, 1ul << 32); // refused, or the reserved bits are dropped
    CHECK(rc == -XEN_EINVAL || (rc == 0 && get(7) >> 32 == 0));
    CHECK(set(8, 0) < 0);
    CHECK(set(~0ul, 0) < 0);
    CHECK(static_cast<long>(get(8)) < 0);
    // General detect is the hypervisor's affair, I/O breakpoints need CR4.DE.
    set(7, 1 << 13);
    CHECK_EQ(get(7) & 1 << 13, 0);
    set(7, 0);
}

void check_watchpoint()
{
    hits = 0;
    CHECK_EQ(set(0, number(&watched)), 0);
    CHECK_EQ(set(7, 1ul | 1ul << 16 | 3ul << 18), 0); // DR0, local, on write, four bytes
    watched = 1;
    CHECK_EQ(hits, 1);
    (void)watched;
    CHECK_EQ(hits, 1);
    CHECK_EQ(get(6) & 15, 1);
    CHECK_EQ(set(6, 0), 0);
    CHECK_EQ(set(7, 1ul | 3ul << 16 | 3ul << 18), 0); // read or write
    (void)watched;
    CHECK_EQ(hits, 2);
    // The hypervisor touches the watched word on the guest's behalf: no trap anywhere.
    watched = 0;
    hits = 0;
    CHECK_EQ(xen_version(XENVER_platform_parameters, const_cast<u64*>(&watched)), 0);
    CHECK_EQ(watched, hypervisor_start);
    CHECK(hits <= 2); // the guest's own read counts
    CHECK_EQ(set(7, 0), 0);
    hits = 0;
    watched = 2;
    CHECK_EQ(hits, 0);
}

void check_breakpoint()
{
    hits = 0;
    CHECK_EQ(set(6, 0), 0);
    CHECK_EQ(set(1, number(breakpoint)), 0);
    CHECK_EQ(set(7, 1ul << 2), 0);
    asm volatile(".globl breakpoint; breakpoint: nop" ::: "memory");
    CHECK_EQ(hits, 1);
    CHECK_EQ(get(6) & 15, 2);
    CHECK_EQ(set(7, 0), 0);
}

void check_native_access()
{
    // mov to and from debug registers is privileged; answered or refused, but never felt by anybody else.
    u64 value = ~0ull;
    Trap trap = catch_trap([&] { asm volatile("mov %%dr7, %0" : "=r"(value)); });
    CHECK(!trap.taken || trap.is(vector_gp));
    if (!trap.taken)
        CHECK_EQ(value & ~0x400ul, 0);
    trap = catch_trap([] { asm volatile("mov %0, %%dr0" ::"r"(hypervisor_start + (4ul << 39))); });
    CHECK(!trap.taken || trap.is(vector_gp));
    CHECK(get(0) < hypervisor_start || get(0) >= hypervisor_end);
}

} // namespace

void guest::test()
{
    trap_hooks[vector_db] = on_debug;
    check_values();
    check_watchpoint();
    check_breakpoint();
    check_native_access();
}
