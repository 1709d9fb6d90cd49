// grant_table_op: how a domain lets another map, copy or take single pages.
#pragma once

#include "types.h"

enum {
    GNTTABOP_map_grant_ref = 0,
    GNTTABOP_unmap_grant_ref = 1,
    GNTTABOP_setup_table = 2,
    GNTTABOP_transfer = 4,
    GNTTABOP_copy = 5,
    GNTTABOP_query_size = 6,
    GNTTABOP_set_version = 8,
    GNTTABOP_get_version = 10,
    GNTTABOP_swap_grant_ref = 11,
};

// References that are the domain builder's.
#define GNTTAB_RESERVED_CONSOLE 0
#define GNTTAB_RESERVED_XENSTORE 1

// Entry flags: a type in the low two bits, then bits that depend on it.
#define GTF_permit_access 1U
#define GTF_accept_transfer 2U
#define GTF_type_mask 3U
#define GTF_readonly (1U << 2) // permit_access: no write
#define GTF_reading (1U << 3)  // set by the hypervisor while mapped
#define GTF_writing (1U << 4)  // set by the hypervisor while mapped writable

struct grant_entry_v1 {
    uint16_t flags; // GTF_*
    domid_t domid;  // who may use it
    uint32_t frame;
};

// Flags of a mapping. From guest_avail0 on they go into the PTE's available bits.
enum {
    GNTMAP_device_map = 1 << 0,
    GNTMAP_host_map = 1 << 1,
    GNTMAP_readonly = 1 << 2,
    GNTMAP_application_map = 1 << 3, // user mode may use the mapping
    GNTMAP_contains_pte = 1 << 4,    // host_addr is the machine address of the L1 entry
    _GNTMAP_guest_avail0 = 16,
};

// Status of a single operation.
enum {
    GNTST_okay = 0,
    GNTST_general_error = -1,
    GNTST_bad_domain = -2,
    GNTST_bad_gntref = -3,
    GNTST_bad_handle = -4,
    GNTST_bad_virt_addr = -5,
    GNTST_permission_denied = -8,
    GNTST_bad_page = -9,
    GNTST_bad_copy_arg = -10,
    GNTST_eagain = -12,
    GNTST_no_space = -13,
};

struct gnttab_map_grant_ref {
    uint64_t host_addr;
    uint32_t flags; // GNTMAP_*
    grant_ref_t ref;
    domid_t dom;
    int16_t status;        // out, GNTST_*, as in all that follow
    grant_handle_t handle; // out
    uint64_t dev_bus_addr; // out
};

struct gnttab_unmap_grant_ref {
    uint64_t host_addr, dev_bus_addr;
    grant_handle_t handle;
    int16_t status;
};

struct gnttab_setup_table {
    domid_t dom;
    uint32_t nr_frames;
    int16_t status;
    uint64_t frame_list; /* -> xen_pfn_t[nr_frames] */
};

struct gnttab_transfer {
    xen_pfn_t mfn;
    domid_t domid;
    grant_ref_t ref;
    int16_t status;
};

enum { GNTCOPY_source_gref = 1 << 0, GNTCOPY_dest_gref = 1 << 1 }; // that side's u is a reference, not a frame

struct gnttab_copy_ptr {
    union {
        grant_ref_t ref;
        xen_pfn_t gmfn;
    } u;
    domid_t domid;
    uint16_t offset;
};

struct gnttab_copy {
    struct gnttab_copy_ptr source, dest;
    uint16_t len, flags; // GNTCOPY_*
    int16_t status;
};

struct gnttab_query_size {
    domid_t dom;
    uint32_t nr_frames, max_nr_frames; // out
    int16_t status;
};

struct gnttab_set_version {
    uint32_t version; // in: wanted, out: in force
};

struct gnttab_get_version {
    domid_t dom;
    uint16_t pad;
    uint32_t version; // out
};

struct gnttab_swap_grant_ref {
    grant_ref_t ref_a, ref_b;
    int16_t status;
};
