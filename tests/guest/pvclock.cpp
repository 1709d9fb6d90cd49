// What this is: the paravirtual clock: versions, never backwards, in step with the TSC and with the real-time
// clock, also after vcpu_info has moved; wall clock; runstate.
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/smp.hpp"

using namespace guest;

namespace {

void check_monotonic()
{
    u64 last = now(), steps = 0, start = last;
    while (last - start < 50_ms) {
        u64 next = now();
        if (next < last)
            give_up("the clock went from %lu back to %lu", last, next);
        last = next;
        if (++steps % 64 == 0)
            xen_version(0); // updates happen on the way out
        if (steps % 1024 == 0)
            sched_op(SCHEDOP_yield);
    }
    CHECK(steps > 100);
    CHECK_EQ(vcpu0->time.version & 1, 0);
}

u8 cmos(u8 index)
{
    u8 value;
    asm volatile("outb %b1, $0x70; inb $0x71, %b0" : "=a"(value) : "a"(index));
    return value;
}

/// One second by the real-time clock is one second by ours.
void check_rate()
{
    auto next_second = [] {
        u8 start = cmos(0);
        while (cmos(0) == start)
            pause();
        return now();
    };
    u64 first = next_second(), elapsed = next_second() - first;
    print("one second took %lu us\n", elapsed / 1000);
    CHECK(elapsed > 980_ms && elapsed < 1020_ms);
}

void check_move()
{
    auto page = static_cast<char*>(take_page());
    auto place = reinterpret_cast<struct vcpu_info*>(page + 0x140);
    u64 before = now();
    vcpu0->evtchn_upcall_mask = 1;
    CHECK_EQ(move_vcpu_info(0, place), 0);
    CHECK(place->time.tsc_to_system_mul != 0);
    CHECK_EQ(place->time.version & 1, 0);
    CHECK(now() >= before);
    CHECK(now() - before < 1000_ms);
}

void check_wallclock()
{
    u32 version = shared->wc_version;
    CHECK_EQ(version & 1, 0);
    u64 seconds = (u64{shared->wc_sec_hi} << 32 | shared->wc_sec) + now() / 1000'000'000;
    // Days since 1970 from the CMOS date, as far as hours.
    auto bcd = [](u8 value) { return (value >> 4) * 10u + (value & 15); };
    u64 year = 2000 + bcd(cmos(9)), month = bcd(cmos(8)), day = bcd(cmos(7));
    u64 m = (month + 9) % 12, y = year - (month <= 2);
    u64 days = 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
    u64 rtc = ((days * 24 + bcd(cmos(4))) * 60 + bcd(cmos(2))) * 60 + bcd(cmos(0));
    print("wall clock %lu, real-time clock %lu\n", seconds, rtc);
    CHECK(seconds + 2 >= rtc && seconds <= rtc + 2);
    CHECK(shared->wc_nsec < 1000'000'000);
}

void check_runstate()
{
    static vcpu_runstate_info info;
    vcpu_register_runstate_memory_area area{};
    area.addr = number(&info);
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    CHECK_EQ(info.state, RUNSTATE_running);
    u64 total = info.time[0] + info.time[1] + info.time[2] + info.time[3];
    print("running %lu runnable %lu blocked %lu offline %lu us\n", info.time[0] / 1000, info.time[1] / 1000, info.time[2] / 1000,
          info.time[3] / 1000);
    CHECK(info.state_entry_time <= now());
    CHECK(total <= now());
    vcpu_runstate_info asked{};
    CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &asked), 0);
    CHECK_EQ(asked.state, RUNSTATE_running);
    CHECK(asked.time[0] > 0);
    // Sleeping counts as blocked.
    u64 blocked = 0;
    u32 none = 0;
    sched_poll poll{number(&none), 0, 0};
    for (int tries = 0; tries < 5 && blocked < 4_ms; tries++) { // the emulator may lose time before the call
        u64 before = info.time[2];
        poll.timeout = now() + 5_ms;
        CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0);
        CHECK_EQ(info.state, RUNSTATE_running);
        blocked = info.time[2] - before;
    }
    CHECK(blocked >= 4_ms && blocked < 500_ms);
    CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
    poll.timeout = now() + 2_ms;
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0);
    CHECK_EQ(info.state_entry_time & XEN_RUNSTATE_UPDATE, 0);
    // A place that is not there is found out now, or when it is written.
    area.addr = take_empty_va();
    long rc = vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    CHECK(rc == 0 || rc == -XEN_EFAULT);
    sched_op(SCHEDOP_yield);
    poll.timeout = now() + 1_ms;
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0);
    area.addr = number(&info);
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
}

} // namespace

void guest::test()
{
    physdev_set_iopl iopl{1};
    physdev(PHYSDEVOP_set_iopl, &iopl);
    check_monotonic();
    check_rate();
    check_wallclock();
    check_runstate();
    check_move();
    check_monotonic();
}
