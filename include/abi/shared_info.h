// The page a domain shares with the hypervisor: event bits, per-vCPU state, wall clock; and runstate.
#pragma once

#include "types.h"

#define XEN_LEGACY_MAX_VCPUS 32 // vCPUs whose vcpu_info lies in shared_info itself

// Virtual interrupts. Those from ARCH_0 on belong to the architecture.
#define VIRQ_TIMER 0      // per vCPU
#define VIRQ_DEBUG 1      // per vCPU
#define VIRQ_CONSOLE 2    // console input, for the hardware domain
#define VIRQ_DOM_EXC 3    // a domain died or shut down
#define VIRQ_TBUF 4       // trace buffer has data
#define VIRQ_DEBUGGER 6   // a debugged domain paused
#define VIRQ_XENOPROF 7   // per vCPU
#define VIRQ_CON_RING 8   // console ring has data
#define VIRQ_PCPU_STATE 9 // a physical CPU came or went
#define VIRQ_MEM_EVENT 10
#define VIRQ_ARGO 11
#define VIRQ_ENOMEM 12 // memory is short
#define VIRQ_XENPMU 13 // per vCPU
#define VIRQ_ARCH_0 16
#define VIRQ_MCA 16
#define VIRQ_ARCH_1 17
#define VIRQ_ARCH_2 18
#define VIRQ_ARCH_3 19
#define VIRQ_ARCH_4 20
#define VIRQ_ARCH_5 21
#define VIRQ_ARCH_6 22
#define VIRQ_ARCH_7 23
#define NR_VIRQS 24

struct arch_vcpu_info {
    uint64_t cr2; // address of the page fault being delivered
    uint64_t pad;
};
ABI_SIZE(struct arch_vcpu_info, 16);

#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0)
#define XEN_PVCLOCK_GUEST_STOPPED (1 << 1)

// now = system_time + (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32), in ns.
// The version is odd while the hypervisor writes.
struct vcpu_time_info {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags; // XEN_PVCLOCK_*
    uint8_t pad1[2];
};
ABI_SIZE(struct vcpu_time_info, 32);

struct vcpu_info {
    uint8_t evtchn_upcall_pending;
    uint8_t evtchn_upcall_mask; // the virtual interrupt flag, inverted
    uint64_t evtchn_pending_sel;
    struct arch_vcpu_info arch;
    struct vcpu_time_info time;
};
ABI_SIZE(struct vcpu_info, 64);

struct arch_shared_info {
    uint64_t max_pfn;
    xen_pfn_t pfn_to_mfn_frame_list_list; // root of the guest's three-level p2m, for tools
    uint64_t nmi_reason;                  // XEN_NMIREASON_*
    uint64_t p2m_cr3;                     // the linear p2m, for tools: page table, address, generation
    uint64_t p2m_vaddr;
    uint64_t p2m_generation;
};
ABI_SIZE(struct arch_shared_info, 48);

struct shared_info {
    struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    uint64_t evtchn_pending[64]; // two-level events: one bit per port
    uint64_t evtchn_mask[64];
    uint32_t wc_version; // odd while the wall clock below is written
    uint32_t wc_sec;     // time of day at system time zero
    uint32_t wc_nsec;
    uint32_t wc_sec_hi;
    struct arch_shared_info arch;
};
ABI_SIZE(struct shared_info, 0xc40);

#define RUNSTATE_running 0
#define RUNSTATE_runnable 1
#define RUNSTATE_blocked 2
#define RUNSTATE_offline 3
#define XEN_RUNSTATE_UPDATE (1ULL << 63) // set in state_entry_time while the hypervisor writes

struct vcpu_runstate_info {
    int32_t state; // RUNSTATE_*
    uint64_t state_entry_time;
    uint64_t time[4]; // ns spent in each state
};
ABI_SIZE(struct vcpu_runstate_info, 48);
