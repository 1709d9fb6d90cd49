// What this is: the scheduler's promises kept by a machine whose clock runs: two CPUs, this domain on the first
// one, children that spin on the second one. Weights, caps, affinity, and how soon a sleeper runs again.
//
// Run with: smp=2 hypervisor="dom0_max_vcpus=1" limit=300 qemu="-icount shift=3,align=off,sleep=off"
#include "lib/check.hpp"
#include "lib/child.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/paging.hpp"

using namespace guest;

namespace {

constexpr u32 most = 8;
Child spinners[most];
long port;
volatile u64 fired_at;

long pin(u16 domain, u64 cpus)
{
    u64 hard = cpus;
    xen_domctl op{};
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard = {number(&hard), 64};
    return domctl(op, XEN_DOMCTL_setvcpuaffinity, domain);
}

long set_share(u16 domain, u16 weight, u16 cap)
{
    xen_domctl op{};
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit2 = {weight, cap};
    return domctl(op, XEN_DOMCTL_scheduler_op, domain);
}

xen_domctl_getvcpuinfo vcpu_info_of(u16 domain)
{
    xen_domctl op{};
    CHECK_EQ(domctl(op, XEN_DOMCTL_getvcpuinfo, domain), 0);
    return op.u.getvcpuinfo;
}

/// It runs `jmp .` from its first instruction on.
bool start_spinning(Child& child)
{
    if (!CHECK_EQ(child.create(), 0) || !CHECK_EQ(child.build(), 0))
        return false;
    u64 va = take_empty_va();
    if (!CHECK_EQ(map_foreign(child.id, child.frames[Child::code], va, pte_rw), 0))
        return false;
    *reinterpret_cast<volatile u16*>(va) = 0xfeeb;
    map_foreign(child.id, 0, va, 0);
    return CHECK_EQ(pin(child.id, 2), 0) && CHECK_EQ(child.start(), 0);
}

/// Sleeps, so that the measured CPU is the only busy one.
void sleep(u64 ns)
{
    for (u64 end = now() + ns; now() < end;) {
        vcpu_set_singleshot_timer timer{end, 0};
        vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer);
        sched_op(SCHEDOP_block);
    }
}

void check_weights()
{
    REQUIRE_EQ(start_spinning(spinners[0]) && start_spinning(spinners[1]), true);
    CHECK_EQ(set_share(spinners[1].id, 512, 0), 0);
    sleep(500_ms);
    u64 light = vcpu_info_of(spinners[0].id).cpu_time, heavy = vcpu_info_of(spinners[1].id).cpu_time;
    sleep(5000_ms);
    light = vcpu_info_of(spinners[0].id).cpu_time - light;
    heavy = vcpu_info_of(spinners[1].id).cpu_time - heavy;
    print("weights 256 and 512: %lu us and %lu us, 1:%lu.%03lu\n", light / 1000, heavy / 1000, heavy / light, heavy * 1000 / light % 1000);
    CHECK(heavy * 100 > light * 198 && heavy * 100 < light * 202);
    CHECK_EQ(vcpu_info_of(spinners[0].id).cpu, 1);
    CHECK_EQ(vcpu_info_of(spinners[1].id).cpu, 1);
}

void check_cap()
{
    CHECK_EQ(spinners[0].pause(), 0);
    CHECK_EQ(set_share(spinners[1].id, 256, 25), 0);
    sleep(300_ms);
    u64 start = now(), used = vcpu_info_of(spinners[1].id).cpu_time;
    sleep(3000_ms);
    used = vcpu_info_of(spinners[1].id).cpu_time - used;
    u64 passed = now() - start;
    print("cap of 25 %%: %lu us of %lu us\n", used / 1000, passed / 1000);
    CHECK(used * 1000 > passed * 247 && used * 1000 < passed * 253);
    CHECK_EQ(set_share(spinners[1].id, 256, 0), 0); // from now on, not from the next window on
    start = now();
    used = vcpu_info_of(spinners[1].id).cpu_time;
    sleep(500_ms);
    used = vcpu_info_of(spinners[1].id).cpu_time - used;
    passed = now() - start;
    CHECK(used * 100 > passed * 90);
    CHECK_EQ(spinners[0].start(), 0);
}

u32 on_event(u32)
{
    fired_at = now();
    return 0;
}

/// How late a timer's event arrives at worst, while this domain spins or while it sleeps.
u64 lateness(bool sleeps)
{
    u64 worst = 0;
    for (u32 i = 0; i < 100; i++) {
        u64 when = now() + 5_ms;
        fired_at = 0;
        vcpu_set_singleshot_timer timer{when, 0};
        vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer);
        while (!fired_at)
            sleeps ? (void)sched_op(SCHEDOP_block) : pause();
        u64 late = fired_at > when ? fired_at - when : 0;
        worst = late > worst ? late : worst;
    }
    return worst;
}

void check_latency()
{
    CHECK_EQ(spinners[0].pause(), 0);
    CHECK_EQ(spinners[1].pause(), 0);
    CHECK_EQ(pin(0, 2), 0);
    u64 alone = lateness(false);
    CHECK_EQ(pin(0, 1), 0);
    CHECK_EQ(spinners[0].start(), 0);
    CHECK_EQ(spinners[1].start(), 0);
    for (u32 i = 2; i < most; i++)
        REQUIRE_EQ(start_spinning(spinners[i]), true);
    CHECK_EQ(pin(0, 2), 0);
    sleep(200_ms);
    u64 among = lateness(true);
    CHECK_EQ(vcpu_info_of(0).cpu, 1);
    CHECK_EQ(pin(0, 1), 0);
    print("latest by %lu us alone, by %lu us when woken among 8 spinners\n", alone / 1000, among / 1000);
    CHECK(among <= 1_ms);
}

} // namespace

void guest::test()
{
    install_event_counter();
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0), 0);
    port = bind_virq(VIRQ_TIMER);
    REQUIRE_EQ(port > 0, true);
    port_handler = on_event;
    unmask_port(static_cast<u32>(port));
    unmask_upcalls();
    CHECK_EQ(pin(0, 1), 0);
    check_weights();
    check_cap();
    check_latency();
    for (auto& child : spinners)
        CHECK_EQ(child.destroy(), 0);
}
