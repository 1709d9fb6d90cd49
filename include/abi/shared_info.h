// The page a domain shares with the hypervisor: event bits, per-vCPU state, wall clock; and runstate.
#pragma once

#include "types.h"

#define XEN_LEGACY_MAX_VCPUS 32 // vCPUs whose vcpu_info lies in shared_info itself

// Virtual interrupts; TIMER, DEBUG, XENOPROF and XENPMU are a vCPU's, the others a domain's.
enum {
    VIRQ_TIMER = 0,
    VIRQ_DEBUG = 1,
    VIRQ_CONSOLE = 2, // console input, for the hardware domain
    VIRQ_DOM_EXC = 3, // a domain died or shut down
    VIRQ_XENOPROF = 7,
    VIRQ_XENPMU = 13,
    NR_VIRQS = 24,
};

// now = system_time + (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32), in ns.
// The version is odd while the hypervisor writes.
struct vcpu_time_info {
    uint32_t version, pad0;
    uint64_t tsc_timestamp, system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags, pad1[2];
};

struct vcpu_info {
    uint8_t evtchn_upcall_pending;
    uint8_t evtchn_upcall_mask; // the virtual interrupt flag, inverted
    uint64_t evtchn_pending_sel;
    struct {
        uint64_t cr2, pad; // address of the page fault being delivered
    } arch;
    struct vcpu_time_info time;
};

struct shared_info {
    struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    uint64_t evtchn_pending[64], evtchn_mask[64]; // two-level events: one bit per port
    uint32_t wc_version;                          // odd while the wall clock below is written
    uint32_t wc_sec, wc_nsec, wc_sec_hi;          // time of day at system time zero
    struct {
        uint64_t max_pfn, _rest[5]; // where the guest's p2m is, for tools; the reason of an NMI
    } arch;
};

enum { RUNSTATE_running = 0, RUNSTATE_runnable = 1, RUNSTATE_blocked = 2, RUNSTATE_offline = 3 };
#define XEN_RUNSTATE_UPDATE (1ULL << 63) // set in state_entry_time while the hypervisor writes

struct vcpu_runstate_info {
    int32_t state; // RUNSTATE_*
    uint64_t state_entry_time;
    uint64_t time[4]; // ns spent in each state
};
