// vcpu_op: starting and stopping vCPUs, their timers, and the areas they share with the hypervisor.
#pragma once

#include "types.h"

#define VCPUOP_initialise 0 // argument: vcpu_guest_context
#define VCPUOP_up 1
#define VCPUOP_down 2
#define VCPUOP_is_up 3
#define VCPUOP_get_runstate_info 4 // argument: vcpu_runstate_info
#define VCPUOP_register_runstate_memory_area 5
#define VCPUOP_set_periodic_timer 6
#define VCPUOP_stop_periodic_timer 7
#define VCPUOP_set_singleshot_timer 8
#define VCPUOP_stop_singleshot_timer 9
#define VCPUOP_register_vcpu_info 10
#define VCPUOP_send_nmi 11
#define VCPUOP_get_physid 12
#define VCPUOP_register_vcpu_time_memory_area 13

struct vcpu_register_runstate_memory_area {
    union {
        uint64_t h; /* -> struct vcpu_runstate_info */
        uint64_t v;
        uint64_t p;
    } addr;
};
ABI_SIZE(struct vcpu_register_runstate_memory_area, 8);

struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};
ABI_SIZE(struct vcpu_set_periodic_timer, 8);

#define VCPU_SSHOTTMR_future (1U << 0) // a time in the past is an error, -XEN_ETIME

struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns;
    uint32_t flags; // VCPU_SSHOTTMR_*
};
ABI_SIZE(struct vcpu_set_singleshot_timer, 16);

struct vcpu_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset; // within the frame; the structure must not cross its end
    uint32_t rsvd;
};
ABI_SIZE(struct vcpu_register_vcpu_info, 16);

struct vcpu_get_physid {
    uint64_t phys_id; // low half: APIC id, high half: ACPI id
};
ABI_SIZE(struct vcpu_get_physid, 8);

struct vcpu_register_time_memory_area {
    union {
        uint64_t h; /* -> struct vcpu_time_info */
        uint64_t v;
        uint64_t p;
    } addr;
};
ABI_SIZE(struct vcpu_register_time_memory_area, 8);
