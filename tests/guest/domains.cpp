// What this is: the control interface, used as a toolstack uses it: a second domain is made, looked at, run,
// paused, shut down, crashed and destroyed, and nothing of it remains.
//
// Run with: limit=60
#include "lib/check.hpp"
#include "lib/child.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

long exception_port;

void check_physinfo()
{
    xen_sysctl op{};
    CHECK_EQ(sysctl(op, XEN_SYSCTL_physinfo), 0);
    CHECK_EQ(op.u.physinfo.nr_cpus, 1);
    CHECK(op.u.physinfo.free_pages > 1000);
    CHECK(op.u.physinfo.total_pages > op.u.physinfo.free_pages);
    CHECK(op.u.physinfo.capabilities & XEN_SYSCTL_PHYSCAP_pv);
    print("%lu of %lu pages free, capabilities %x\n", op.u.physinfo.free_pages, op.u.physinfo.total_pages, op.u.physinfo.capabilities);
}

void check_unknown_domain()
{
    for (u32 command : {XEN_DOMCTL_destroydomain, XEN_DOMCTL_pausedomain, XEN_DOMCTL_unpausedomain, XEN_DOMCTL_getdomaininfo,
                        XEN_DOMCTL_max_mem, XEN_DOMCTL_setvcpucontext, XEN_DOMCTL_max_vcpus}) {
        for (u16 id : {1, 1000, 0x7ff1, 0xffff}) {
            xen_domctl op{};
            long rc = domctl(op, command, id);
            CHECK(rc == -XEN_ESRCH || (rc == -XEN_EINVAL && id >= DOMID_FIRST_RESERVED));
        }
    }
    xen_domctl op{};
    CHECK_EQ(domctl(op, 999, 0), -XEN_ENOSYS);
    CHECK_EQ(domctl(op, XEN_DOMCTL_destroydomain, 0), -XEN_EINVAL); // not oneself
    CHECK_EQ(domctl(op, XEN_DOMCTL_pausedomain, 0), -XEN_EINVAL);
    op = {};
    op.u.createdomain.flags = 1u << 31;
    CHECK_EQ(domctl(op, XEN_DOMCTL_createdomain, 0xffff), -XEN_EINVAL);
    op = {};
    op.u.createdomain.flags = XEN_DOMCTL_CDF_hvm;
    op.u.createdomain.max_vcpus = 1;
    CHECK(domctl(op, XEN_DOMCTL_createdomain, 0xffff) < 0);
    op = {};
    op.u.createdomain.max_vcpus = 100000;
    CHECK(domctl(op, XEN_DOMCTL_createdomain, 0xffff) < 0);
    op = {};
    CHECK_EQ(domctl(op, XEN_DOMCTL_getdomaininfo, 0), 0);
    CHECK_EQ(op.u.getdomaininfo.domain, 0);
    CHECK_EQ(op.u.getdomaininfo.shared_info_frame, boot_info->shared_info >> page_shift);
    CHECK(op.u.getdomaininfo.flags & XEN_DOMINF_running);
}

void check_life(Child& child)
{
    REQUIRE_EQ(child.create(), 0);
    CHECK(child.id > 0);
    auto info = child.info();
    CHECK_EQ(info.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown | XEN_DOMINF_paused), XEN_DOMINF_paused);
    CHECK_EQ(info.tot_pages, Child::pages);
    CHECK_EQ(info.max_vcpu_id, 0);
    CHECK(info.shared_info_frame != 0);
    // No more memory than it may have.
    u64 frame = 99;
    xen_memory_reservation more{number(&frame), 1, 0, 0, child.id};
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &more), 0);
    REQUIRE_EQ(child.build(), 0);
    long port = bind_interdomain(child.id, child.event_port);
    CHECK(port > 0);
    unmask_port(port);
    u32 before = port_count[port];
    CHECK_EQ(child.start(), 0);
    CHECK(child.wait_ready());
    CHECK_EQ(child.window[3], 0); // its send went well
    CHECK(port_count[port] > before);
    CHECK_EQ(child.info().flags & XEN_DOMINF_paused, 0);

    // Paused means not running, twice paused needs two unpauses.
    CHECK_EQ(child.pause(), 0);
    CHECK(child.info().flags & XEN_DOMINF_paused);
    volatile u64* words = child.window;
    u64 rounds = words[4];
    for (int i = 0; i < 20; i++)
        sched_op(SCHEDOP_yield);
    CHECK_EQ(words[4], rounds);
    CHECK_EQ(child.start(), 0);
    CHECK_EQ(child.call(__HYPERVISOR_xen_version, XENVER_version), 4 << 16 | 17);
    CHECK(words[4] > rounds);
    CHECK(child.info().cpu_time > 0);
    CHECK_EQ(close_port(port), 0);
}

/// A domain without devices maps its memory write-back only: uncached writes could make a page table differ from what was validated.
void check_memory_types(Child& child)
{
    for (u64 type : {pte_pwt, pte_pcd, pte_pwt | pte_pcd, pte_ps, pte_ps | pte_pcd}) {
        CHECK_EQ(child.call(__HYPERVISOR_update_va_mapping, child.va(9), child.frames[9] << page_shift | pte_rw | type, UVMF_INVLPG),
                 -XEN_EINVAL);
        auto page = static_cast<u64*>(take_page());
        CHECK_EQ(update_va_mapping(number(page), mfn_of(page) << page_shift | pte_rw | type), 0); // but we may
        CHECK_EQ(*entry_of(number(page)) & (pte_pwt | pte_pcd | pte_ps), type);
        CHECK_EQ(make_rw(page), 0);
    }
}

/// A table of the child is a table for us, too: no writable mapping, and its frames are not ours.
void check_foreign_memory(Child& child)
{
    u64 va = take_empty_va();
    CHECK(map_foreign(child.id, child.frames[Child::l1], va, pte_rw) < 0);
    CHECK_EQ(map_foreign(child.id, child.frames[Child::l1], va, pte_ro), 0);
    CHECK_EQ(reinterpret_cast<volatile u64*>(va)[Child::base / page_size] & pte_frame_mask, child.frames[0] << page_shift);
    CHECK_EQ(map_foreign(child.id, 0, va, 0), 0);
    CHECK_EQ(map_foreign(child.id, child.shared_info_mfn, va, pte_rw), 0);
    CHECK_EQ(reinterpret_cast<struct shared_info*>(va)->vcpu_info[0].evtchn_upcall_mask & ~1, 0);
    CHECK_EQ(map_foreign(child.id, 0, va, 0), 0);
    CHECK(map_foreign(DOMID_SELF, child.frames[8], va, pte_rw) < 0); // not ours
    CHECK(map_foreign(child.id, mfn_of(boot_info), va, pte_rw) < 0); // not the child's
    CHECK(map_foreign(77, child.frames[8], va, pte_rw) < 0);
    CHECK(mmuext(MMUEXT_PIN_L1_TABLE, child.frames[8]) < 0); // as one of ours
    CHECK(mmu_update_one(child.entry_maddr(30), 0) < 0);     // its table, but we did not say so
    // With the table's owner named in the upper half we may.
    u64 owner = DOMID_SELF | (child.id + 1ul) << 16;
    CHECK_EQ(mmu_update_one(child.entry_maddr(30), 0x7ffffffffffffffe, owner),
             0); // not present, nor safe for L1TF to follow
    CHECK_EQ(mmu_update_one(child.entry_maddr(30), 0, owner), 0);
}

/// What an ordinary domain must not do.
void check_unprivileged(Child& child)
{
    auto op = child.argument<xen_domctl>();
    *op = {};
    op->cmd = XEN_DOMCTL_pausedomain;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = 0;
    CHECK_EQ(child.call(__HYPERVISOR_domctl, child.argument_va()), -XEN_EPERM);
    op->cmd = XEN_DOMCTL_createdomain;
    CHECK_EQ(child.call(__HYPERVISOR_domctl, child.argument_va()), -XEN_EPERM);
    auto system = child.argument<xen_sysctl>();
    *system = {};
    system->cmd = XEN_SYSCTL_physinfo;
    system->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    CHECK_EQ(child.call(__HYPERVISOR_sysctl, child.argument_va()), -XEN_EPERM);
    auto platform = child.argument<xen_platform_op>();
    *platform = {};
    platform->cmd = XENPF_get_cpuinfo;
    platform->interface_version = XENPF_INTERFACE_VERSION;
    CHECK_EQ(child.call(__HYPERVISOR_platform_op, child.argument_va()), -XEN_EPERM);
    auto map = child.argument<xen_memory_map>();
    *map = {10, child.argument_va(64)};
    CHECK_EQ(child.call(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, child.argument_va()), -XEN_EPERM);
    // Our frames, device frames, frames of nobody: none may be mapped.
    for (u64 mfn : {mfn_of(image_start), boot_info->shared_info >> page_shift, 0xb8ul, 0xfee00ul, 0xe0000ul, 0x100ul}) {
        long rc = child.call(__HYPERVISOR_update_va_mapping, Child::slot_empty * page_size, mfn << page_shift | pte_rw, UVMF_INVLPG);
        if (!CHECK(rc < 0))
            print("  frame %lx\n", mfn);
    }
    CHECK(child.call(__HYPERVISOR_update_va_mapping, Child::slot_empty * page_size, child.frames[Child::l1] << page_shift | pte_rw, 0) < 0);
    CHECK_EQ(child.call(__HYPERVISOR_update_va_mapping, Child::slot_empty * page_size, child.frames[9] << page_shift | pte_rw, UVMF_INVLPG),
             0);
    CHECK_EQ(child.call(__HYPERVISOR_update_va_mapping, Child::slot_empty * page_size, 0, UVMF_INVLPG), 0);
    auto request = child.argument<mmu_update>();
    *request = {child.entry_maddr(Child::slot_empty), mfn_of(image_start) << page_shift | pte_ro};
    CHECK(child.call(__HYPERVISOR_mmu_update, child.argument_va(), 1, 0, 0) < 0); // naming us as the owner does not help
    *request = {maddr_of(image_start), 0};
    CHECK(child.call(__HYPERVISOR_mmu_update, child.argument_va(), 1, 0, DOMID_SELF) < 0);
    *request = {maddr_of(image_start) | MMU_MACHPHYS_UPDATE, 0};
    CHECK(child.call(__HYPERVISOR_mmu_update, child.argument_va(), 1, 0, DOMID_SELF) < 0);
    auto shutdown = child.argument<sched_remote_shutdown>();
    *shutdown = {0, SHUTDOWN_crash};
    CHECK(child.call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, child.argument_va()) < 0);
    auto unbound = child.argument<evtchn_alloc_unbound>();
    *unbound = {0, 0, 0}; // a port of ours
    CHECK_EQ(child.call(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, child.argument_va()), -XEN_EPERM);
    auto pirq = child.argument<evtchn_bind_pirq>();
    *pirq = {3, 0, 0};
    CHECK(child.call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, child.argument_va()) < 0);
    auto virq = child.argument<evtchn_bind_virq>();
    *virq = {VIRQ_DOM_EXC, 0, 0};
    CHECK(child.call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, child.argument_va()) < 0 ||
          virq->port > 0); // may bind, never rings
    // Its text does not disturb anybody.
    memcpy(child.argument<char>(), "a line from the child\n", 22);
    child.call(__HYPERVISOR_console_io, CONSOLEIO_write, 22, child.argument_va()); // logged or refused
}

void check_shutdown(Child& child, u32 reason)
{
    u32 before = port_count[exception_port];
    auto arg = child.argument<sched_shutdown>();
    arg->reason = reason;
    *const_cast<volatile u64*>(child.window + 8) = __HYPERVISOR_sched_op;
    u64 request[] = {SCHEDOP_shutdown, child.argument_va()};
    memcpy(child.window + 9, request, sizeof request);
    barrier();
    *const_cast<volatile u64*>(child.window + 1) = 1;
    for (int i = 0; i < 100000 && !(child.info().flags & XEN_DOMINF_shutdown); i++)
        sched_op(SCHEDOP_yield);
    CHECK_EQ(child.info().flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, reason);
    CHECK(port_count[exception_port] > before);
    CHECK_EQ(child.info().flags & XEN_DOMINF_dying, 0);
}

void check_gone(Child& child)
{
    CHECK_EQ(child.destroy(), 0);
    long rc = 0;
    for (int i = 0; i < 1000 && rc == 0; i++) {
        child.info(&rc);
        sched_op(SCHEDOP_yield);
    }
    CHECK_EQ(rc, -XEN_ESRCH);
    u64 va = take_empty_va();
    CHECK(map_foreign(child.id, child.frames[8], va, pte_rw) < 0);
    CHECK(map_foreign(DOMID_SELF, child.frames[8], va, pte_rw) < 0);
}

/// Tools go through all domains by asking for the number after the last answer: the next domain there is answers.
void check_enumeration(u16 gone, u16 next)
{
    xen_domctl op{};
    CHECK_EQ(domctl(op, XEN_DOMCTL_getdomaininfo, gone), 0);
    CHECK_EQ(op.u.getdomaininfo.domain, next);
    CHECK_EQ(op.domain, next);
    CHECK_EQ(domctl(op, XEN_DOMCTL_getdomaininfo, u16(next + 1)), -XEN_ESRCH);
    CHECK_EQ(domctl(op, XEN_DOMCTL_max_mem, gone), -XEN_ESRCH);
}

/// Pages come back a little later than the domain is gone.
u64 settled_free_pages()
{
    u64 last = free_pages();
    for (int same = 0; same < 300; same++) {
        sched_op(SCHEDOP_yield);
        u64 next = free_pages();
        if (next != last)
            same = 0;
        last = next;
    }
    return last;
}

/// The frame, event channel and domain counts are the same after many short lives.
void check_no_leak()
{
    u64 before = 0;
    static Child child;
    for (int round = 0; round < 12; round++) {
        if (round == 2)
            before = settled_free_pages(); // what is kept in caches is there by now
        u64 window = child.window_va;
        child = {};
        child.window_va = window;
        if (child.create() || child.build() || child.start())
            give_up("round %d failed", round);
        long port = bind_interdomain(child.id, child.event_port);
        if (round % 2)
            child.wait_ready();
        if (round % 3 == 0)
            close_port(port); // otherwise the other side goes first
        if (long rc = child.destroy())
            give_up("destroy in round %d: %ld", round, rc);
        if (round % 3) {
            CHECK_EQ(status_of(port).status, EVTCHNSTAT_unbound);
            close_port(port);
        }
    }
    CHECK_EQ(settled_free_pages(), before);
}

} // namespace

void guest::test()
{
    install_event_counter();
    unmask_upcalls();
    exception_port = bind_virq(VIRQ_DOM_EXC);
    CHECK(exception_port > 0);
    unmask_port(exception_port);
    check_physinfo();
    check_unknown_domain();
    static Child child;
    check_life(child);
    check_foreign_memory(child);
    check_memory_types(child);
    check_unprivileged(child);
    check_shutdown(child, SHUTDOWN_reboot);
    check_gone(child);
    Child second = {};
    second.window_va = child.window_va;
    if (CHECK_EQ(second.create(), 0) && CHECK_EQ(second.build(), 0) && CHECK_EQ(second.start(), 0) && CHECK(second.wait_ready())) {
        check_enumeration(child.id, second.id);
        second.crash();
        CHECK_EQ(second.info().flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, SHUTDOWN_crash);
    }
    check_gone(second);
    check_no_leak();
}
