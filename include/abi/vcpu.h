// vcpu_op: starting and stopping vCPUs, their timers, and the areas they share with the hypervisor.
#pragma once

#include "types.h"

enum {
    VCPUOP_initialise = 0, // argument: vcpu_guest_context
    VCPUOP_up = 1,
    VCPUOP_down = 2,
    VCPUOP_is_up = 3,
    VCPUOP_get_runstate_info = 4, // argument: vcpu_runstate_info
    VCPUOP_register_runstate_memory_area = 5,
    VCPUOP_set_periodic_timer = 6,
    VCPUOP_stop_periodic_timer = 7,
    VCPUOP_set_singleshot_timer = 8,
    VCPUOP_stop_singleshot_timer = 9,
    VCPUOP_register_vcpu_info = 10,
    VCPUOP_send_nmi = 11,
    VCPUOP_get_physid = 12,
    VCPUOP_register_vcpu_time_memory_area = 13,
};

struct vcpu_register_runstate_memory_area {
    uint64_t addr; /* -> struct vcpu_runstate_info */
};

struct vcpu_register_time_memory_area {
    uint64_t addr; /* -> struct vcpu_time_info */
};

struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};

#define VCPU_SSHOTTMR_future (1U << 0) // a time in the past is an error, -XEN_ETIME

struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns;
    uint32_t flags; // VCPU_SSHOTTMR_*
};

struct vcpu_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset, rsvd; // within the frame; the structure must not cross its end
};

struct vcpu_get_physid {
    uint64_t phys_id; // low half: APIC id, high half: ACPI id
};
