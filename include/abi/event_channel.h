// event_channel_op, and how pending events are queued by the FIFO calls (which Tenon refuses; its tests ask for them).
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
    EVTCHNOP_expand_array = 12,
    EVTCHNOP_set_priority = 13,
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

struct evtchn_init_control {
    uint64_t control_gfn; // frame that holds the vCPU's control block
    uint32_t offset, vcpu;
    uint8_t link_bits, _pad[7]; // out
};

struct evtchn_expand_array {
    uint64_t array_gfn;
};

struct evtchn_set_priority {
    evtchn_port_t port;
    uint32_t priority;
};

#define EVTCHN_FIFO_PRIORITY_DEFAULT 7

// Bits of an event word; the link to the next port lies below them.
enum { EVTCHN_FIFO_PENDING = 31, EVTCHN_FIFO_MASKED = 30, EVTCHN_FIFO_LINKED = 29, EVTCHN_FIFO_LINK_BITS = 17 };
#define EVTCHN_FIFO_LINK_MASK ((1 << EVTCHN_FIFO_LINK_BITS) - 1)

struct evtchn_fifo_control_block {
    uint32_t ready, _rsvd; // one bit per queue that is not empty
    event_word_t head[16];
};
