// What this is: two-level event channels: every kind of binding, pending and mask bits, upcalls, status,
// limits, and the scheduler calls that wait for events.
#include "lib/event.hpp"

#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/smp.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

constexpr u64 slop = 100_us; ///< Xen lets timers go off a little early to serve several at once

void check_ipi()
{
    long port = bind_ipi();
    if (!CHECK(port > 0))
        return;
    CHECK_EQ(test_bit(shared->evtchn_mask, port), 0); // the hypervisor leaves the guest's mask alone
    mask_upcalls();
    u32 before = port_count[port];
    CHECK_EQ(send(port), 0);
    CHECK(is_pending(port));
    CHECK_EQ(vcpu0->evtchn_upcall_pending, 1);
    CHECK_EQ(vcpu0->evtchn_pending_sel >> (port / 64) & 1, 1);
    CHECK_EQ(port_count[port], before);
    CHECK_EQ(send(port), 0); // a second one changes nothing
    unmask_upcalls();
    CHECK_EQ(port_count[port], before + 1);
    CHECK(!is_pending(port));
    CHECK_EQ(vcpu0->evtchn_upcall_mask, 0); // iret restored it
    // With upcalls on, it comes before the call returns.
    CHECK_EQ(send(port), 0);
    CHECK_EQ(port_count[port], before + 2);

    // A masked port becomes pending, and no more.
    mask_port(port);
    CHECK_EQ(send(port), 0);
    CHECK(is_pending(port));
    CHECK_EQ(port_count[port], before + 2);
    CHECK_EQ(vcpu0->evtchn_upcall_pending, 0);
    CHECK_EQ(unmask_by_call(port), 0);
    CHECK_EQ(port_count[port], before + 3);
    CHECK_EQ(test_bit(shared->evtchn_mask, port), 0);
    // Unmasking what is not pending raises nothing.
    mask_port(port);
    CHECK_EQ(unmask_by_call(port), 0);
    CHECK_EQ(port_count[port], before + 3);

    evtchn_status status = status_of(port);
    CHECK_EQ(status.status, EVTCHNSTAT_ipi);
    CHECK_EQ(status.vcpu, 0);
    CHECK_EQ(close_port(port), 0);
    CHECK_EQ(status_of(port).status, EVTCHNSTAT_closed);
    CHECK_EQ(close_port(port), -XEN_EINVAL);
    CHECK_EQ(send(port), -XEN_EINVAL);
    CHECK(bind_ipi(99) < 0);
    CHECK(bind_ipi(~0u) < 0);
}

void check_virq()
{
    long port = bind_virq(VIRQ_DEBUG);
    CHECK(port > 0);
    CHECK_EQ(bind_virq(VIRQ_DEBUG), -XEN_EEXIST);
    evtchn_status status = status_of(port);
    CHECK_EQ(status.status, EVTCHNSTAT_virq);
    CHECK_EQ(status.u.virq, VIRQ_DEBUG);
    CHECK_EQ(send(port), -XEN_EINVAL); // nobody sends these but the hypervisor
    CHECK_EQ(close_port(port), 0);
    port = bind_virq(VIRQ_DEBUG);
    CHECK(port > 0);
    CHECK_EQ(close_port(port), 0);
    CHECK_EQ(bind_virq(24), -XEN_EINVAL);
    CHECK_EQ(bind_virq(~0u), -XEN_EINVAL);
    CHECK_EQ(bind_virq(VIRQ_TIMER, 99), -XEN_ENOENT);
    long console = bind_virq(VIRQ_CONSOLE);
    CHECK(console > 0);
    CHECK_EQ(close_port(console), 0);
}

/// Both ends in this domain.
void check_interdomain()
{
    long unbound = alloc_unbound();
    CHECK(unbound > 0);
    evtchn_status status = status_of(unbound);
    CHECK_EQ(status.status, EVTCHNSTAT_unbound);
    CHECK_EQ(status.u.unbound.dom, 0);
    CHECK_EQ(send(unbound), 0); // into nowhere
    mask_upcalls();
    long bound = bind_interdomain(DOMID_SELF, unbound);
    CHECK(bound > 0 && bound != unbound);
    status = status_of(bound);
    CHECK_EQ(status.status, EVTCHNSTAT_interdomain);
    CHECK_EQ(status.u.interdomain.dom, 0);
    CHECK_EQ(status.u.interdomain.port, unbound);
    CHECK_EQ(status_of(unbound).u.interdomain.port, bound);
    // Binding makes the local end pending, so that nothing sent before is lost.
    CHECK(is_pending(bound));
    unmask_upcalls();
    u32 here = port_count[unbound], there = port_count[bound];
    CHECK_EQ(send(unbound), 0);
    CHECK_EQ(port_count[bound], there + 1);
    CHECK_EQ(send(bound), 0);
    CHECK_EQ(port_count[unbound], here + 1);
    CHECK_EQ(bind_interdomain(DOMID_SELF, unbound), -XEN_EINVAL);
    CHECK_EQ(close_port(bound), 0);
    CHECK_EQ(status_of(unbound).status, EVTCHNSTAT_unbound);
    CHECK_EQ(close_port(unbound), 0);
    CHECK_EQ(bind_interdomain(DOMID_SELF, unbound), -XEN_EINVAL);
    CHECK_EQ(bind_interdomain(DOMID_SELF, 0), -XEN_EINVAL);
    CHECK_EQ(bind_interdomain(DOMID_SELF, 1 << 20), -XEN_EINVAL);
    CHECK_EQ(bind_interdomain(99, 1), -XEN_ESRCH);
    CHECK_EQ(alloc_unbound(DOMID_SELF, 99), -XEN_ESRCH);
    // A port kept for somebody else is not ours to bind.
    long foreign = alloc_unbound(5);
    CHECK(foreign > 0);
    CHECK_EQ(bind_interdomain(DOMID_SELF, foreign), -XEN_EINVAL);
    CHECK_EQ(close_port(foreign), 0);
}

void check_ports()
{
    // The lowest free port is given; port 0 never is.
    long a = alloc_unbound(), b = alloc_unbound();
    CHECK(a > 0 && b == a + 1);
    CHECK_EQ(close_port(a), 0);
    CHECK_EQ(alloc_unbound(), a);
    CHECK_EQ(close_port(a), 0);
    CHECK_EQ(close_port(b), 0);
    for (u32 port : {0u, 4095u, 4096u, 131072u, ~0u}) {
        CHECK_EQ(close_port(port), -XEN_EINVAL);
        CHECK_EQ(send(port), -XEN_EINVAL);
        CHECK(bind_vcpu(port, 0) < 0);
    }
    for (u32 port : {4096u, 131072u, ~0u})
        CHECK_EQ(unmask_by_call(port), -XEN_EINVAL);
    CHECK_EQ(status_of(1, 99).status, ~0u);
    CHECK_EQ(event_op(99, &a), -XEN_ENOSYS);
    for (u32 command = 0; command <= 10; command++)
        CHECK_EQ(event_op(command, reinterpret_cast<void*>(1ul << 63)), -XEN_EFAULT);
}

void check_limit()
{
    static u16 ports[4096];
    u32 count = 0;
    long port = 0;
    while (count < 4096 && (port = alloc_unbound()) > 0)
        ports[count++] = static_cast<u16>(port);
    CHECK_EQ(port, -XEN_ENOSPC);
    CHECK(count > 4000);
    print("%u ports, the last is %u\n", count, ports[count - 1]);
    CHECK_EQ(ports[count - 1], 4095);
    while (count)
        if (close_port(ports[--count]))
            give_up("close of port %u failed", ports[count]);
}

void check_bind_vcpu()
{
    long port = alloc_unbound(), ipi = bind_ipi(), virq = bind_virq(VIRQ_DEBUG), global = bind_virq(VIRQ_CONSOLE);
    CHECK_EQ(bind_vcpu(port, 0), 0);
    CHECK_EQ(bind_vcpu(global, 0), 0);
    CHECK_EQ(bind_vcpu(ipi, 0), -XEN_EINVAL);
    CHECK_EQ(bind_vcpu(virq, 0), -XEN_EINVAL);
    CHECK_EQ(bind_vcpu(port, 99), -XEN_ENOENT);
    for (long p : {port, ipi, virq, global})
        CHECK_EQ(close_port(p), 0);
}

/// block, poll and yield.
void check_scheduling()
{
    long timer = bind_virq(VIRQ_TIMER);
    unmask_port(timer);
    mask_upcalls();
    vcpu_set_singleshot_timer arg{now() + 2_ms, 0};
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg), 0);
    u32 before = port_count[timer];
    CHECK_EQ(sched_op(SCHEDOP_block), 0); // unmasks by itself
    CHECK_EQ(port_count[timer], before + 1);
    CHECK(now() + slop >= arg.timeout_abs_ns);
    CHECK_EQ(vcpu0->evtchn_upcall_mask, 0);
    // Something is pending already: no sleep.
    long ipi = bind_ipi();
    mask_upcalls();
    CHECK_EQ(send(ipi), 0);
    before = port_count[ipi];
    CHECK_EQ(sched_op(SCHEDOP_block), 0);
    CHECK_EQ(port_count[ipi], before + 1);

    // poll looks at pending bits, masked or not, and gives up at its time.
    mask_upcalls();
    u32 ports[2] = {static_cast<u32>(ipi), static_cast<u32>(timer)};
    sched_poll poll{number(ports), 1, now() + 2_ms};
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0);
    CHECK(now() + slop >= poll.timeout);
    mask_port(ipi);
    CHECK_EQ(send(ipi), 0);
    poll.timeout = now() + 2000_ms;
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0);
    CHECK(now() < poll.timeout);
    clear_bit(shared->evtchn_pending, ipi);
    mask_port(timer);
    arg.timeout_abs_ns = now() + 2_ms;
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg), 0);
    poll = {number(ports), 2, 0};
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), 0); // woken by the masked timer
    CHECK(is_pending(timer));
    clear_bit(shared->evtchn_pending, timer);
    // Bad ones.
    ports[0] = 1 << 20;
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
    poll.ports = 1ul << 63;
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), -XEN_EFAULT);
    poll.nr_ports = ~0u;
    CHECK_EQ(sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL);
    CHECK_EQ(sched_op(SCHEDOP_poll, reinterpret_cast<void*>(1ul << 63)), -XEN_EFAULT);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(sched_op(SCHEDOP_yield), 0);
    CHECK_EQ(sched_op(99), -XEN_ENOSYS);
    CHECK_EQ(close_port(ipi), 0);
    CHECK_EQ(close_port(timer), 0);
    unmask_upcalls();
}

/// An upcall interrupts code at any instruction and changes none of its registers.
void check_transparent_upcall()
{
    long timer = bind_virq(VIRQ_TIMER);
    unmask_port(timer);
    unmask_upcalls();
    u32 before = port_count[timer];
    vcpu_set_singleshot_timer arg{now() + 1_ms, 0};
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg), 0);
    u64 rcx, r11, rax, flags, spins = 200'000'000;
    asm volatile("mov $0x1234, %%ecx; mov $0x5678, %%r11d; mov $0x9abc, %%eax; std; stc\n"
                 "1: cmp %4, %5; jne 2f; dec %3; jnz 1b\n"
                 "2: pushf; pop %%rdx; cld"
                 : "=&c"(rcx), "=&a"(rax), "=&d"(flags), "+&r"(spins)
                 : "r"(before), "m"(port_count[timer])
                 : "r11", "memory", "cc");
    asm volatile("mov %%r11, %0" : "=r"(r11));
    CHECK(spins != 0);
    CHECK_EQ(rcx, 0x1234);
    CHECK_EQ(rax, 0x9abc);
    CHECK_EQ(flags & (flag_df | flag_if), flag_df | flag_if);
    CHECK_EQ(port_count[timer], before + 1);
    CHECK_EQ(close_port(timer), 0);
}

void check_reset()
{
    long a = alloc_unbound(), b = bind_ipi();
    evtchn_reset arg{DOMID_SELF};
    CHECK_EQ(event_op(EVTCHNOP_reset, &arg), 0);
    CHECK_EQ(status_of(a).status, EVTCHNSTAT_closed);
    CHECK_EQ(status_of(b).status, EVTCHNSTAT_closed);
    CHECK_EQ(alloc_unbound(), 1);
    arg.dom = 99;
    CHECK_EQ(event_op(EVTCHNOP_reset, &arg), -XEN_ESRCH);
}

} // namespace

void guest::test()
{
    install_event_counter();
    unmask_upcalls();
    check_ipi();
    check_virq();
    check_interdomain();
    check_ports();
    check_limit();
    check_bind_vcpu();
    check_scheduling();
    check_transparent_upcall();
    check_reset();
}
