// What this is: the event upcall and the event-channel operations.
#include "event.hpp"

#include "smp.hpp"
#include "trap.hpp"

namespace guest {

volatile u32 upcalls;
volatile u32 port_count[4096];
u32 (*port_handler)(u32 port);

void handle_events(vcpu_info& info)
{
    u64 words = 0;
    *const_cast<volatile u8*>(&info.evtchn_upcall_pending) = 0;
    asm volatile("xchg %0, %1" : "+r"(words), "+m"(info.evtchn_pending_sel)::"memory");
    for (u32 word = 0; word < 64; word++) {
        if (!(words >> word & 1))
            continue;
        for (u32 bit = 0; bit < 64; bit++) {
            u32 port = word * 64 + bit;
            if (!is_pending(port) || test_bit(shared->evtchn_mask, port))
                continue;
            clear_bit(shared->evtchn_pending, port);
            port_count[port] = port_count[port] + 1;
            if (port_handler)
                port_handler(port);
        }
    }
}

namespace {

bool on_upcall(Frame&)
{
    upcalls = upcalls + 1;
    handle_events(*vcpu_infos[this_vcpu()]);
    return true;
}

} // namespace

void install_event_counter() { trap_hooks[callback_event] = on_upcall; }

long bind_virq(u32 virq, u32 vcpu)
{
    evtchn_bind_virq arg{virq, vcpu, 0};
    long rc = event_op(EVTCHNOP_bind_virq, &arg);
    return rc ? rc : arg.port;
}
long bind_ipi(u32 vcpu)
{
    evtchn_bind_ipi arg{vcpu, 0};
    long rc = event_op(EVTCHNOP_bind_ipi, &arg);
    return rc ? rc : arg.port;
}
long alloc_unbound(u16 remote, u16 domain)
{
    evtchn_alloc_unbound arg{domain, remote, 0};
    long rc = event_op(EVTCHNOP_alloc_unbound, &arg);
    return rc ? rc : arg.port;
}
long bind_interdomain(u16 domain, u32 port)
{
    evtchn_bind_interdomain arg{domain, port, 0};
    long rc = event_op(EVTCHNOP_bind_interdomain, &arg);
    return rc ? rc : arg.local_port;
}
long close_port(u32 port)
{
    evtchn_close arg{port};
    return event_op(EVTCHNOP_close, &arg);
}
long send(u32 port)
{
    evtchn_send arg{port};
    return event_op(EVTCHNOP_send, &arg);
}
long unmask_by_call(u32 port)
{
    evtchn_unmask arg{port};
    return event_op(EVTCHNOP_unmask, &arg);
}
long bind_vcpu(u32 port, u32 vcpu)
{
    evtchn_bind_vcpu arg{port, vcpu};
    return event_op(EVTCHNOP_bind_vcpu, &arg);
}
evtchn_status status_of(u32 port, u16 domain)
{
    evtchn_status arg{};
    arg.dom = domain;
    arg.port = port;
    arg.status = ~0u;
    if (event_op(EVTCHNOP_status, &arg))
        arg.status = ~0u;
    return arg;
}

} // namespace guest
