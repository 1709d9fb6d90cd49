// physdev_op: interrupts, I/O privilege and PCI devices, for the domains that drive hardware.
#pragma once

#include "types.h"

#define PHYSDEVOP_IRQ_UNMASK_NOTIFY 4
#define PHYSDEVOP_irq_status_query 5
#define PHYSDEVOP_set_iopl 6
#define PHYSDEVOP_set_iobitmap 7
#define PHYSDEVOP_apic_read 8
#define PHYSDEVOP_apic_write 9
#define PHYSDEVOP_alloc_irq_vector 10
#define PHYSDEVOP_free_irq_vector 11
#define PHYSDEVOP_eoi 12
#define PHYSDEVOP_map_pirq 13
#define PHYSDEVOP_unmap_pirq 14
#define PHYSDEVOP_manage_pci_add 15
#define PHYSDEVOP_manage_pci_remove 16
#define PHYSDEVOP_pirq_eoi_gmfn_v1 17
#define PHYSDEVOP_restore_msi 19
#define PHYSDEVOP_manage_pci_add_ext 20
#define PHYSDEVOP_setup_gsi 21
#define PHYSDEVOP_get_free_pirq 23
#define PHYSDEVOP_pci_mmcfg_reserved 24
#define PHYSDEVOP_pci_device_add 25
#define PHYSDEVOP_pci_device_remove 26 // argument: physdev_pci_device
#define PHYSDEVOP_restore_msi_ext 27   // argument: physdev_pci_device
#define PHYSDEVOP_pirq_eoi_gmfn_v2 28
#define PHYSDEVOP_dbgp_op 29
#define PHYSDEVOP_prepare_msix 30 // argument: physdev_pci_device
#define PHYSDEVOP_release_msix 31 // argument: physdev_pci_device

struct physdev_eoi {
    uint32_t irq;
};
ABI_SIZE(struct physdev_eoi, 4);

// The frame holds one bit per pirq: set while it needs an EOI.
struct physdev_pirq_eoi_gmfn {
    xen_pfn_t gmfn;
};
ABI_SIZE(struct physdev_pirq_eoi_gmfn, 8);

#define XENIRQSTAT_needs_eoi (1U << 0)
#define XENIRQSTAT_shared (1U << 1)

struct physdev_irq_status_query {
    uint32_t irq;
    uint32_t flags; // out, XENIRQSTAT_*
};
ABI_SIZE(struct physdev_irq_status_query, 8);

struct physdev_set_iopl {
    uint32_t iopl; // ring 1 counts as the kernel
};
ABI_SIZE(struct physdev_set_iopl, 4);

struct physdev_set_iobitmap {
    uint64_t bitmap; /* -> uint8_t[(nr_ports + 7) / 8] */
    uint32_t nr_ports;
};
ABI_SIZE(struct physdev_set_iobitmap, 16);

// Access to an I/O APIC register.
struct physdev_apic {
    uint64_t apic_physbase;
    uint32_t reg;
    uint32_t value;
};
ABI_SIZE(struct physdev_apic, 16);

struct physdev_irq {
    uint32_t irq;
    uint32_t vector; // out
};
ABI_SIZE(struct physdev_irq, 8);

#define MAP_PIRQ_TYPE_MSI 0x0
#define MAP_PIRQ_TYPE_GSI 0x1
#define MAP_PIRQ_TYPE_UNKNOWN 0x2
#define MAP_PIRQ_TYPE_MSI_SEG 0x3
#define MAP_PIRQ_TYPE_MULTI_MSI 0x4

struct physdev_map_pirq {
    domid_t domid;
    int32_t type;  // MAP_PIRQ_TYPE_*
    int32_t index; // GSI
    int32_t pirq;  // in: wanted or -1, out: given
    int32_t bus;   // MSI: segment in the high half
    int32_t devfn;
    int32_t entry_nr;    // MSI-X entry, or number of vectors for MULTI_MSI
    uint64_t table_base; // MSI-X: machine address of the table's BAR, 0 for plain MSI
};
ABI_SIZE(struct physdev_map_pirq, 40);

struct physdev_unmap_pirq {
    domid_t domid;
    int32_t pirq;
};
ABI_SIZE(struct physdev_unmap_pirq, 8);

struct physdev_manage_pci {
    uint8_t bus, devfn;
};
ABI_SIZE(struct physdev_manage_pci, 2);

struct physdev_restore_msi {
    uint8_t bus, devfn;
};
ABI_SIZE(struct physdev_restore_msi, 2);

struct physdev_manage_pci_ext {
    uint8_t bus, devfn;
    uint32_t is_extfn;
    uint32_t is_virtfn;
    struct {
        uint8_t bus, devfn;
    } physfn;
};
ABI_SIZE(struct physdev_manage_pci_ext, 16);

// Argument of the old call, physdev_op_compat.
struct physdev_op {
    uint32_t cmd;
    union {
        struct physdev_irq_status_query irq_status_query;
        struct physdev_set_iopl set_iopl;
        struct physdev_set_iobitmap set_iobitmap;
        struct physdev_apic apic_op;
        struct physdev_irq irq_op;
    } u;
};
ABI_SIZE(struct physdev_op, 24);

struct physdev_setup_gsi {
    int32_t gsi;
    uint8_t triggering; // 0 edge, 1 level
    uint8_t polarity;   // 0 active high, 1 active low
};
ABI_SIZE(struct physdev_setup_gsi, 8);

struct physdev_get_free_pirq {
    int32_t type;  // MAP_PIRQ_TYPE_*
    uint32_t pirq; // out
};
ABI_SIZE(struct physdev_get_free_pirq, 8);

#define XEN_PCI_MMCFG_RESERVED 0x1

struct physdev_pci_mmcfg_reserved {
    uint64_t address;
    uint16_t segment;
    uint8_t start_bus, end_bus;
    uint32_t flags; // XEN_PCI_MMCFG_RESERVED
};
ABI_SIZE(struct physdev_pci_mmcfg_reserved, 16);

#define XEN_PCI_DEV_EXTFN 0x1
#define XEN_PCI_DEV_VIRTFN 0x2
#define XEN_PCI_DEV_PXM 0x4

// With XEN_PCI_DEV_PXM a uint32_t follows: the proximity domain.
struct physdev_pci_device_add {
    uint16_t seg;
    uint8_t bus, devfn;
    uint32_t flags; // XEN_PCI_DEV_*
    struct {
        uint8_t bus, devfn;
    } physfn;
    uint16_t _pad;
};
ABI_SIZE(struct physdev_pci_device_add, 12);

struct physdev_pci_device {
    uint16_t seg;
    uint8_t bus, devfn;
};
ABI_SIZE(struct physdev_pci_device, 4);

#define PHYSDEVOP_DBGP_RESET_PREPARE 1
#define PHYSDEVOP_DBGP_RESET_DONE 2
#define PHYSDEVOP_DBGP_BUS_UNKNOWN 0
#define PHYSDEVOP_DBGP_BUS_PCI 1

struct physdev_dbgp_op {
    uint8_t op;  // PHYSDEVOP_DBGP_RESET_*
    uint8_t bus; // PHYSDEVOP_DBGP_BUS_*
    union {
        struct physdev_pci_device pci;
    } u;
};
ABI_SIZE(struct physdev_dbgp_op, 6);
