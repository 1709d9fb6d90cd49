// Processor power management data that dom0 reads from ACPI and hands over in platform_op.
#pragma once

#include "types.h"

#define XEN_PROCESSOR_PM_CX 1
#define XEN_PROCESSOR_PM_PX 2
#define XEN_PROCESSOR_PM_TX 4

// xenpf_set_processor_pminfo.type.
#define XEN_PM_CX 0
#define XEN_PM_PX 1
#define XEN_PM_TX 2
#define XEN_PM_PDC 3

// xen_processor_performance.flags: which parts are filled in.
#define XEN_PX_PCT 1
#define XEN_PX_PSS 2
#define XEN_PX_PPC 4
#define XEN_PX_PSD 8

struct xen_power_register {
    uint32_t space_id;
    uint32_t bit_width;
    uint32_t bit_offset;
    uint32_t access_size;
    uint64_t address;
};
ABI_SIZE(struct xen_power_register, 24);

struct xen_processor_csd {
    uint32_t domain;
    uint32_t coord_type;
    uint32_t num;
};
ABI_SIZE(struct xen_processor_csd, 12);

struct xen_processor_cx {
    struct xen_power_register reg;
    uint8_t type;
    uint32_t latency;
    uint32_t power;
    uint32_t dpcnt;
    uint64_t dp; /* -> struct xen_processor_csd[dpcnt] */
};
ABI_SIZE(struct xen_processor_cx, 48);

struct xen_processor_power {
    uint32_t count;
    uint32_t flags;  // bits: bm_control, bm_check, has_cst, power_setup_done, bm_rld_set
    uint64_t states; /* -> struct xen_processor_cx[count] */
};
ABI_SIZE(struct xen_processor_power, 16);

struct xen_pct_register {
    uint8_t descriptor;
    uint16_t length;
    uint8_t space_id;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t reserved;
    uint64_t address;
};
ABI_SIZE(struct xen_pct_register, 16);

struct xen_processor_px {
    uint64_t core_frequency; // MHz
    uint64_t power;
    uint64_t transition_latency;
    uint64_t bus_master_latency;
    uint64_t control;
    uint64_t status;
};
ABI_SIZE(struct xen_processor_px, 48);

struct xen_psd_package {
    uint64_t num_entries;
    uint64_t revision;
    uint64_t domain;
    uint64_t coord_type;
    uint64_t num_processors;
};
ABI_SIZE(struct xen_psd_package, 40);

#define XEN_CPUPERF_SHARED_TYPE_HW 1
#define XEN_CPUPERF_SHARED_TYPE_ALL 2
#define XEN_CPUPERF_SHARED_TYPE_ANY 3

struct xen_processor_performance {
    uint32_t flags; // XEN_PX_*
    uint32_t platform_limit;
    struct xen_pct_register control_register;
    struct xen_pct_register status_register;
    uint32_t state_count;
    uint64_t states; /* -> struct xen_processor_px[state_count] */
    struct xen_psd_package domain_info;
    uint32_t shared_type;
};
ABI_SIZE(struct xen_processor_performance, 104);

struct xenpf_set_processor_pminfo {
    uint32_t id;   // ACPI processor id
    uint32_t type; // XEN_PM_*
    union {
        struct xen_processor_power power;
        struct xen_processor_performance perf;
        uint64_t pdc; /* -> uint32_t[] */
    } u;
};
ABI_SIZE(struct xenpf_set_processor_pminfo, 112);
