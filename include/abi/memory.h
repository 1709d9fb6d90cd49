// memory_op: reservations, memory maps, and resources of other domains.
#pragma once

#include "types.h"

enum {
    XENMEM_increase_reservation = 0,
    XENMEM_decrease_reservation = 1,
    XENMEM_maximum_ram_page = 2,
    XENMEM_current_reservation = 3,
    XENMEM_maximum_reservation = 4, // argument: xen_memory_domain
    XENMEM_machphys_mfn_list = 5,
    XENMEM_populate_physmap = 6,
    XENMEM_add_to_physmap = 7,
    XENMEM_memory_map = 9,
    XENMEM_machine_memory_map = 10,
    XENMEM_exchange = 11,
    XENMEM_machphys_mapping = 12,
    XENMEM_set_memory_map = 13,
    XENMEM_maximum_gpfn = 14, // argument: xen_memory_domain
    XENMEM_remove_from_physmap = 15,
    XENMEM_set_pod_target = 16,
    XENMEM_get_pod_target = 17,
    XENMEM_get_sharing_freed_pages = 18,
    XENMEM_get_sharing_shared_pages = 19,
    XENMEM_add_to_physmap_batch = 23,
    XENMEM_claim_pages = 24, // argument: xen_memory_reservation
    XENMEM_get_vnumainfo = 26,
    XENMEM_reserved_device_memory_map = 27,
    XENMEM_acquire_resource = 28,
};

// xen_memory_reservation.mem_flags: frames must lie below 2^(low byte); 0 means anywhere.
#define XENMEMF_get_address_bits(x) ((x)&0xffU)
#define XENMEMF_populate_on_demand (1 << 16)

struct xen_memory_reservation {
    uint64_t extent_start; /* -> xen_pfn_t[nr_extents] */
    uint64_t nr_extents;
    uint32_t extent_order, mem_flags; // log2 of the frames per extent; XENMEMF_*
    domid_t domid;
};

struct xen_memory_exchange {
    struct xen_memory_reservation in, out;
    uint64_t nr_exchanged; // must be 0 at the first call
};

struct xen_memory_domain {
    domid_t domid;
};

struct xen_machphys_mfn_list {
    uint32_t max_extents;
    uint64_t extent_start; /* -> xen_pfn_t[max_extents], one per 2 MiB of the table */
    uint32_t nr_extents;   // out
};

struct xen_machphys_mapping {
    uint64_t v_start, v_end, max_mfn;
};

struct xen_memory_map {
    uint32_t nr_entries; // in: room, out: entries written
    uint64_t buffer;     /* -> struct xen_e820_entry[nr_entries] */
};

struct xen_foreign_memory_map {
    domid_t domid;
    struct xen_memory_map map;
};

// [ACPI 15] An entry of the BIOS memory map: 20 bytes, so the 64-bit fields are only 4-aligned.
struct __attribute__((packed)) xen_e820_entry {
    uint64_t addr, size;
    uint32_t type; // XEN_E820_*
};
enum { XEN_E820_RAM = 1, XEN_E820_RESERVED = 2 };

struct xen_reserved_device_memory_map {
    uint32_t flags, nr_entries;
    uint64_t buffer; /* -> one structure a region */
    struct {
        struct {
            uint16_t seg;
            uint8_t bus, devfn;
        } pci;
    } dev;
};

enum { XENMEM_resource_ioreq_server = 0, XENMEM_resource_grant_table = 1, XENMEM_resource_grant_table_id_shared = 0 };

struct xen_mem_acquire_resource {
    domid_t domid;
    uint16_t type; // XENMEM_resource_*
    uint32_t id;
    uint32_t nr_frames, pad; // 0 with a null list asks for the number of frames there are
    uint64_t frame;          // first frame of the resource
    uint64_t frame_list;     /* -> xen_pfn_t[nr_frames] */
};
