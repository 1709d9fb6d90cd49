// event_channel_op. The calls of the FIFO form, from init_control on, are refused.
#pragma once

#include "types.h"

enum {
    EVTCHNOP_bind_interdomain = 0,
    EVTCHNOP_bind_virq = 1,
    EVTCHNOP_bind_pirq = 2,
    EVTCHNOP_close = 3,
    EVTCHNOP_send = 4,
    EVTCHNOP_status = 5,
    EVTCHNOP_alloc_unbound = 6,
    EVTCHNOP_bind_ipi = 7,
    EVTCHNOP_bind_vcpu = 8,
    EVTCHNOP_unmask = 9,
    EVTCHNOP_reset = 10,
    EVTCHNOP_init_control = 11,
};

struct evtchn_alloc_unbound {
    domid_t dom, remote_dom;
    evtchn_port_t port; // out
};

struct evtchn_bind_interdomain {
    domid_t remote_dom;
    evtchn_port_t remote_port, local_port; // in, out
};

struct evtchn_bind_virq {
    uint32_t virq, vcpu; // VIRQ_*
    evtchn_port_t port;  // out
};

#define BIND_PIRQ__WILL_SHARE 1

struct evtchn_bind_pirq {
    uint32_t pirq, flags; // BIND_PIRQ__*
    evtchn_port_t port;   // out
};

struct evtchn_bind_ipi {
    uint32_t vcpu;
    evtchn_port_t port; // out
};

struct evtchn_close {
    evtchn_port_t port;
};

struct evtchn_send {
    evtchn_port_t port;
};

enum {
    EVTCHNSTAT_closed = 0,
    EVTCHNSTAT_unbound = 1,
    EVTCHNSTAT_interdomain = 2,
    EVTCHNSTAT_pirq = 3,
    EVTCHNSTAT_virq = 4,
    EVTCHNSTAT_ipi = 5,
};

struct evtchn_status {
    domid_t dom;
    evtchn_port_t port;
    uint32_t status, vcpu; // out; EVTCHNSTAT_* says which member of u is meant
    union {
        struct {
            domid_t dom;
        } unbound;
        struct {
            domid_t dom;
            evtchn_port_t port;
        } interdomain;
        uint32_t pirq, virq;
    } u;
};

struct evtchn_bind_vcpu {
    evtchn_port_t port;
    uint32_t vcpu;
};

struct evtchn_unmask {
    evtchn_port_t port;
};

struct evtchn_reset {
    domid_t dom;
};
