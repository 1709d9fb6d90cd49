// What this is: the FIFO form of event channels: control block, array pages, linking and priorities. A
// hypervisor without it says so at INIT_CONTROL, and the two-level form goes on working.
#include "lib/check.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

// [public header event_channel.h]
constexpr u32 expand_array = 12, set_priority = 13, default_priority = 7;
constexpr unsigned pending = 31, masked = 30, linked = 29, link_bits = 17; ///< of an event word; below them is the link
constexpr u32 link_mask = (1 << link_bits) - 1;
struct InitControl {
    u64 frame;
    u32 offset, vcpu;
    u8 link_bits, pad[7];
};
struct Priority {
    u32 port, priority;
};
struct ControlBlock {
    u32 ready, reserved, head[16]; ///< one bit for each queue that is not empty
};

volatile ControlBlock* control;
volatile u32* words; ///< event words of ports 0 to 1023

long init_control(u64 frame, u32 offset, u32 vcpu)
{
    InitControl arg{frame, offset, vcpu, 0, {}};
    long rc = event_op(EVTCHNOP_init_control, &arg);
    if (rc == 0)
        CHECK(arg.link_bits == link_bits);
    return rc;
}
bool has(u32 port, unsigned bit) { return words[port] >> bit & 1; }

/// Takes the next event of a queue, as a guest does.
u32 take(unsigned queue)
{
    u32 port = control->head[queue];
    control->head[queue] = words[port] & link_mask;
    words[port] = words[port] & ~(1u << linked | link_mask | 1u << pending);
    return port;
}

void check_refused()
{
    auto page = take_page();
    CHECK(init_control(0xfffffff, 0, 0) < 0);
    CHECK(init_control(mfn_of(page), 4, 0) < 0);    // not on a multiple of eight
    CHECK(init_control(mfn_of(page), 4090, 0) < 0); // over the end
    CHECK(init_control(mfn_of(page), 0, 99) < 0);
    CHECK(init_control(mfn_of(current_l4()), 0, 0) < 0);
}

void check_delivery()
{
    long a = bind_ipi(), b = bind_ipi(), c = bind_ipi();
    REQUIRE_EQ(a > 0 && b > 0 && c > 0, true);
    for (long port : {a, b, c})
        words[port] = words[port] & ~(1u << masked);
    mask_upcalls();
    CHECK_EQ(send(b), 0);
    CHECK_EQ(send(a), 0);
    CHECK_EQ(send(b), 0); // already there
    CHECK_EQ(vcpu0->evtchn_upcall_pending, 1);
    CHECK(control->ready & 1u << default_priority);
    CHECK(has(a, pending) && has(a, linked));
    control->ready = 0;
    CHECK_EQ(take(default_priority), b); // first come
    CHECK_EQ(take(default_priority), a);
    CHECK_EQ(control->head[default_priority], 0);
    // Priorities have queues of their own.
    Priority priority{static_cast<u32>(c), 2};
    CHECK_EQ(event_op(set_priority, &priority), 0);
    CHECK_EQ(send(c), 0);
    CHECK_EQ(control->ready, 1u << 2);
    CHECK_EQ(take(2), c);
    control->ready = 0;
    priority.priority = 16;
    CHECK_EQ(event_op(set_priority, &priority), -XEN_EINVAL);
    priority = {~0u, 1};
    CHECK_EQ(event_op(set_priority, &priority), -XEN_EINVAL);
    // Masked: pending, not linked.
    words[a] = words[a] | 1u << masked;
    CHECK_EQ(send(a), 0);
    CHECK(has(a, pending) && !has(a, linked));
    CHECK_EQ(unmask_by_call(a), 0);
    CHECK(has(a, linked) && !has(a, masked));
    CHECK_EQ(take(default_priority), a);
    // Nonsense in the guest's own words is the guest's own problem.
    words[a] = 1u << linked | 0x1ffff;
    words[b] = ~0u & ~(1u << masked);
    control->head[default_priority] = 0x1fffe;
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(send(a), 0);
        CHECK_EQ(send(b), 0);
        CHECK_EQ(unmask_by_call(a), 0);
    }
    words[a] = 0;
    words[b] = 0;
    for (long port : {a, b, c})
        CHECK_EQ(close_port(port), 0);
    CHECK_EQ(xen_version(0), 4 << 16 | 17);
}

} // namespace

void guest::test()
{
    mask_upcalls();
    CHECK(event_op(expand_array, take_page()) < 0); // not before INIT_CONTROL
    check_refused();
    auto page = static_cast<char*>(take_page());
    long rc = init_control(mfn_of(page), 64, 0);
    if (rc) {
        CHECK(rc == -XEN_ENOSYS || rc == -XEN_EOPNOTSUPP);
        skip("no FIFO event channels here");
        long port = bind_ipi();
        CHECK_EQ(send(port), 0);
        CHECK(is_pending(port));
        return;
    }
    control = reinterpret_cast<volatile ControlBlock*>(page + 64);
    words = static_cast<volatile u32*>(take_page());
    u64 array = 0xfffffff;
    CHECK(event_op(expand_array, &array) < 0);
    array = mfn_of(const_cast<u32*>(words));
    CHECK_EQ(event_op(expand_array, &array), 0);
    CHECK(init_control(mfn_of(page), 64, 0) < 0); // once
    check_delivery();
    // Back to two levels.
    evtchn_reset reset{DOMID_SELF};
    CHECK_EQ(event_op(EVTCHNOP_reset, &reset), 0);
    long port = bind_ipi();
    CHECK_EQ(send(port), 0);
    CHECK(is_pending(port));
}
