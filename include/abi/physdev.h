// physdev_op: interrupts, I/O privilege and PCI devices, for the domains that drive hardware.
#pragma once

#include "types.h"

enum {
    PHYSDEVOP_irq_status_query = 5,
    PHYSDEVOP_set_iopl = 6,
    PHYSDEVOP_set_iobitmap = 7,
    PHYSDEVOP_apic_read = 8,
    PHYSDEVOP_alloc_irq_vector = 10,
    PHYSDEVOP_eoi = 12,
    PHYSDEVOP_map_pirq = 13,
    PHYSDEVOP_unmap_pirq = 14,
    PHYSDEVOP_pirq_eoi_gmfn_v1 = 17,
    PHYSDEVOP_setup_gsi = 21,
    PHYSDEVOP_get_free_pirq = 23,
    PHYSDEVOP_pci_mmcfg_reserved = 24,
    PHYSDEVOP_pci_device_add = 25,
    PHYSDEVOP_pirq_eoi_gmfn_v2 = 28,
    // argument: physdev_pci_device
    PHYSDEVOP_pci_device_remove = 26,
    PHYSDEVOP_restore_msi_ext = 27,
    PHYSDEVOP_prepare_msix = 30,
    PHYSDEVOP_release_msix = 31,
};

struct physdev_eoi {
    uint32_t irq;
};

#define XENIRQSTAT_needs_eoi (1U << 0)

struct physdev_irq_status_query {
    uint32_t irq, flags; // out: XENIRQSTAT_*
};

struct physdev_set_iopl {
    uint32_t iopl; // ring 1 counts as the kernel
};

struct physdev_set_iobitmap {
    uint64_t bitmap; /* -> uint8_t[(nr_ports + 7) / 8] */
    uint32_t nr_ports;
};

// Access to an I/O APIC register.
struct physdev_apic {
    uint64_t apic_physbase;
    uint32_t reg, value;
};

struct physdev_irq {
    uint32_t irq, vector; // in, out
};

enum { MAP_PIRQ_TYPE_MSI = 0x0, MAP_PIRQ_TYPE_GSI = 0x1, MAP_PIRQ_TYPE_MSI_SEG = 0x3, MAP_PIRQ_TYPE_MULTI_MSI = 0x4 };

struct physdev_map_pirq {
    domid_t domid;
    int32_t type;        // MAP_PIRQ_TYPE_*
    int32_t index, pirq; // GSI; in: wanted or -1, out: given
    int32_t bus, devfn;  // MSI: segment in the bus' high half
    int32_t entry_nr;    // MSI-X entry, or number of vectors for MULTI_MSI
    uint64_t table_base; // MSI-X: machine address of the table's BAR, 0 for plain MSI
};

struct physdev_unmap_pirq {
    domid_t domid;
    int32_t pirq;
};

struct physdev_setup_gsi {
    int32_t gsi;
    uint8_t triggering, polarity; // 0 edge, 1 level; 0 active high, 1 active low
};

struct physdev_get_free_pirq {
    int32_t type;  // MAP_PIRQ_TYPE_*
    uint32_t pirq; // out
};

struct physdev_pci_mmcfg_reserved {
    uint64_t address;
    uint16_t segment;
    uint8_t start_bus, end_bus;
    uint32_t flags;
};

struct physdev_pci_device {
    uint16_t seg;
    uint8_t bus, devfn;
};

struct physdev_pci_device_add {
    uint16_t seg;
    uint8_t bus, devfn;
    uint32_t flags;
    struct {
        uint8_t bus, devfn;
    } physfn;
    uint16_t _pad;
};
