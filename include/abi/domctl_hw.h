// Payloads of the domctl operations about hardware: permissions, devices, CPU state and debugging.
#pragma once

#include "cpuid.h"
#include "types.h"

struct xen_domctl_irq_permission {
    uint32_t pirq;
    uint8_t allow_access;
    uint8_t pad[3];
};
ABI_SIZE(struct xen_domctl_irq_permission, 8);

struct xen_domctl_iomem_permission {
    uint64_t first_mfn, nr_mfns;
    uint8_t allow_access;
};
ABI_SIZE(struct xen_domctl_iomem_permission, 24);

struct xen_domctl_ioport_permission {
    uint32_t first_port, nr_ports;
    uint8_t allow_access;
};
ABI_SIZE(struct xen_domctl_ioport_permission, 12);

#define XEN_DOMCTL_SENDTRIGGER_NMI 0
#define XEN_DOMCTL_SENDTRIGGER_RESET 1
#define XEN_DOMCTL_SENDTRIGGER_INIT 2
#define XEN_DOMCTL_SENDTRIGGER_POWER 3
#define XEN_DOMCTL_SENDTRIGGER_SLEEP 4

struct xen_domctl_sendtrigger {
    uint32_t trigger;
    uint32_t vcpu;
};
ABI_SIZE(struct xen_domctl_sendtrigger, 8);

#define XEN_DOMCTL_DEV_PCI 0
#define XEN_DOMCTL_DEV_DT 1
#define XEN_DOMCTL_DEV_RDM_RELAXED 1

struct xen_domctl_assign_device {
    uint32_t dev; // XEN_DOMCTL_DEV_PCI
    uint32_t flags;
    union {
        struct {
            uint32_t machine_sbdf;
        } pci;
        struct {
            uint32_t size;
            uint64_t path; /* -> char[size] */
        } dt;
    } u;
};
ABI_SIZE(struct xen_domctl_assign_device, 24);

struct xen_domctl_get_device_group {
    uint32_t machine_sbdf;
    uint32_t max_sdevs;
    uint32_t num_sdevs;  // out
    uint64_t sdev_array; /* -> uint32_t[max_sdevs] */
};
ABI_SIZE(struct xen_domctl_get_device_group, 24);

#define DPCI_ADD_MAPPING 1
#define DPCI_REMOVE_MAPPING 0

struct xen_domctl_memory_mapping {
    uint64_t first_gfn, first_mfn, nr_mfns;
    uint32_t add_mapping; // DPCI_*
    uint32_t padding;
};
ABI_SIZE(struct xen_domctl_memory_mapping, 32);

struct xen_domctl_ioport_mapping {
    uint32_t first_gport, first_mport, nr_ports;
    uint32_t add_mapping;
};
ABI_SIZE(struct xen_domctl_ioport_mapping, 16);

struct xen_domctl_ext_vcpucontext {
    uint32_t vcpu;
    uint32_t size; // bytes of this struct that are meant
    uint64_t syscall32_callback_eip, sysenter_callback_eip;
    uint16_t syscall32_callback_cs, sysenter_callback_cs;
    uint8_t syscall32_disables_events, sysenter_disables_events;
    struct {
        uint64_t caps;
        uint64_t mci_ctl2_bank0, mci_ctl2_bank1;
        uint64_t mcg_ext_ctl;
    } vmce;
};
ABI_SIZE(struct xen_domctl_ext_vcpucontext, 64);

#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF 0
#define XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON 1

struct xen_domctl_debug_op {
    uint32_t op;
    uint32_t vcpu;
};
ABI_SIZE(struct xen_domctl_debug_op, 8);

// CPUID leaves and MSRs the domain shall see. An error names the culprit in err_*; ~0 means none.
struct xen_domctl_cpu_policy {
    uint32_t nr_leaves, nr_msrs; // in: room or length, out: needed
    uint64_t leaves;             /* -> struct xen_cpuid_leaf[nr_leaves] */
    uint64_t msrs;               /* -> struct xen_msr_entry[nr_msrs] */
    uint32_t err_leaf, err_subleaf, err_msr;
};
ABI_SIZE(struct xen_domctl_cpu_policy, 40);

struct xen_domctl_vcpuextstate {
    uint32_t vcpu;
    uint64_t xfeature_mask;
    uint64_t size;
    uint64_t buffer; /* -> uint8_t[size] */
};
ABI_SIZE(struct xen_domctl_vcpuextstate, 32);

struct xen_domctl_vcpu_msr {
    uint32_t index;
    uint32_t reserved;
    uint64_t value;
};
ABI_SIZE(struct xen_domctl_vcpu_msr, 16);

struct xen_domctl_vcpu_msrs {
    uint32_t vcpu;
    uint32_t msr_count; // in: room, out: how many
    uint64_t msrs;      /* -> struct xen_domctl_vcpu_msr[msr_count] */
};
ABI_SIZE(struct xen_domctl_vcpu_msrs, 16);

struct xen_domctl_gdbsx_memio {
    uint64_t pgd3val; // L4 to use, 0 for the current one
    uint64_t gva;     // address in the domain
    uint64_t uva;     /* -> uint8_t[len] */
    uint32_t len;
    uint8_t gwr;     // 1 writes
    uint32_t remain; // out: bytes not done
};
ABI_SIZE(struct xen_domctl_gdbsx_memio, 40);

struct xen_domctl_gdbsx_pauseunp_vcpu {
    uint32_t vcpu;
};
ABI_SIZE(struct xen_domctl_gdbsx_pauseunp_vcpu, 4);

struct xen_domctl_gdbsx_domstatus {
    uint8_t paused;
    uint32_t vcpu_id; // which one hit an event, ~0 for none
    uint32_t vcpu_ev;
};
ABI_SIZE(struct xen_domctl_gdbsx_domstatus, 12);
