// grant_table_op: how a domain lets another map, copy or take single pages.
#pragma once

#include "types.h"

#define GNTTABOP_map_grant_ref 0
#define GNTTABOP_unmap_grant_ref 1
#define GNTTABOP_setup_table 2
#define GNTTABOP_dump_table 3
#define GNTTABOP_transfer 4
#define GNTTABOP_copy 5
#define GNTTABOP_query_size 6
#define GNTTABOP_unmap_and_replace 7
#define GNTTABOP_set_version 8
#define GNTTABOP_get_status_frames 9
#define GNTTABOP_get_version 10
#define GNTTABOP_swap_grant_ref 11
#define GNTTABOP_cache_flush 12

// References every domain keeps free for its builder.
#define GNTTAB_NR_RESERVED_ENTRIES 8
#define GNTTAB_RESERVED_CONSOLE 0
#define GNTTAB_RESERVED_XENSTORE 1

// Entry flags: a type in the low two bits, then bits that depend on it.
#define GTF_invalid 0U
#define GTF_permit_access 1U
#define GTF_accept_transfer 2U
#define GTF_transitive 3U // version 2 only
#define GTF_type_mask 3U
#define GTF_readonly (1U << 2) // permit_access: no write
#define GTF_reading (1U << 3)  // set by the hypervisor while mapped
#define GTF_writing (1U << 4)  // set by the hypervisor while mapped writable
#define GTF_PWT (1U << 5)
#define GTF_PCD (1U << 6)
#define GTF_PAT (1U << 7)
#define GTF_sub_page (1U << 8)           // version 2: only part of the page, only for copies
#define GTF_transfer_committed (1U << 2) // accept_transfer
#define GTF_transfer_completed (1U << 3) // accept_transfer

struct grant_entry_v1 {
    uint16_t flags; // GTF_*
    domid_t domid;  // who may use it
    uint32_t frame;
};
ABI_SIZE(struct grant_entry_v1, 8);

struct grant_entry_header {
    uint16_t flags;
    domid_t domid;
};
ABI_SIZE(struct grant_entry_header, 4);

// Version 2 keeps GTF_reading and GTF_writing in a separate array of grant_status_t.
union grant_entry_v2 {
    struct grant_entry_header hdr;
    struct {
        struct grant_entry_header hdr;
        uint32_t pad0;
        uint64_t frame;
    } full_page;
    struct {
        struct grant_entry_header hdr;
        uint16_t page_off;
        uint16_t length;
        uint64_t frame;
    } sub_page;
    struct {
        struct grant_entry_header hdr;
        domid_t trans_domid;
        uint16_t pad0;
        grant_ref_t gref;
    } transitive;
    uint32_t __spacer[4];
};
ABI_SIZE(union grant_entry_v2, 16);

// Flags of a mapping. From guest_avail0 on they go into the PTE's available bits.
#define GNTMAP_device_map (1 << 0)
#define GNTMAP_host_map (1 << 1)
#define GNTMAP_readonly (1 << 2)
#define GNTMAP_application_map (1 << 3) // user mode may use the mapping
#define GNTMAP_contains_pte (1 << 4)    // host_addr is the machine address of the L1 entry
#define _GNTMAP_guest_avail0 16
#define GNTMAP_guest_avail_mask (0xFFFFFFFFU << _GNTMAP_guest_avail0)

// Status of a single operation.
#define GNTST_okay 0
#define GNTST_general_error (-1)
#define GNTST_bad_domain (-2)
#define GNTST_bad_gntref (-3)
#define GNTST_bad_handle (-4)
#define GNTST_bad_virt_addr (-5)
#define GNTST_bad_dev_addr (-6)
#define GNTST_no_device_space (-7)
#define GNTST_permission_denied (-8)
#define GNTST_bad_page (-9)
#define GNTST_bad_copy_arg (-10)
#define GNTST_address_too_big (-11)
#define GNTST_eagain (-12)
#define GNTST_no_space (-13)

struct gnttab_map_grant_ref {
    uint64_t host_addr;
    uint32_t flags; // GNTMAP_*
    grant_ref_t ref;
    domid_t dom;
    int16_t status;        // out, GNTST_*
    grant_handle_t handle; // out
    uint64_t dev_bus_addr; // out
};
ABI_SIZE(struct gnttab_map_grant_ref, 32);

struct gnttab_unmap_grant_ref {
    uint64_t host_addr;
    uint64_t dev_bus_addr;
    grant_handle_t handle;
    int16_t status; // out
};
ABI_SIZE(struct gnttab_unmap_grant_ref, 24);

struct gnttab_setup_table {
    domid_t dom;
    uint32_t nr_frames;
    int16_t status;      // out
    uint64_t frame_list; /* -> xen_pfn_t[nr_frames] */
};
ABI_SIZE(struct gnttab_setup_table, 24);

struct gnttab_dump_table {
    domid_t dom;
    int16_t status; // out
};
ABI_SIZE(struct gnttab_dump_table, 4);

struct gnttab_transfer {
    xen_pfn_t mfn;
    domid_t domid;
    grant_ref_t ref;
    int16_t status; // out
};
ABI_SIZE(struct gnttab_transfer, 24);

#define GNTCOPY_source_gref (1 << 0) // source.u is a reference, not a frame
#define GNTCOPY_dest_gref (1 << 1)

struct gnttab_copy_ptr {
    union {
        grant_ref_t ref;
        xen_pfn_t gmfn;
    } u;
    domid_t domid;
    uint16_t offset;
};
ABI_SIZE(struct gnttab_copy_ptr, 16);

struct gnttab_copy {
    struct gnttab_copy_ptr source, dest;
    uint16_t len;
    uint16_t flags; // GNTCOPY_*
    int16_t status; // out
};
ABI_SIZE(struct gnttab_copy, 40);

struct gnttab_query_size {
    domid_t dom;
    uint32_t nr_frames;     // out
    uint32_t max_nr_frames; // out
    int16_t status;         // out
};
ABI_SIZE(struct gnttab_query_size, 16);

struct gnttab_unmap_and_replace {
    uint64_t host_addr;
    uint64_t new_addr; // the mapping found here moves to host_addr
    grant_handle_t handle;
    int16_t status; // out
};
ABI_SIZE(struct gnttab_unmap_and_replace, 24);

struct gnttab_set_version {
    uint32_t version; // in: wanted, out: in force
};
ABI_SIZE(struct gnttab_set_version, 4);

struct gnttab_get_status_frames {
    uint32_t nr_frames;
    domid_t dom;
    int16_t status;      // out
    uint64_t frame_list; /* -> uint64_t[nr_frames] */
};
ABI_SIZE(struct gnttab_get_status_frames, 16);

struct gnttab_get_version {
    domid_t dom;
    uint16_t pad;
    uint32_t version; // out
};
ABI_SIZE(struct gnttab_get_version, 8);

struct gnttab_swap_grant_ref {
    grant_ref_t ref_a, ref_b;
    int16_t status; // out
};
ABI_SIZE(struct gnttab_swap_grant_ref, 12);

#define GNTTAB_CACHE_CLEAN (1U << 0)
#define GNTTAB_CACHE_INVAL (1U << 1)
#define GNTTAB_CACHE_SOURCE_GREF (1U << 31)

struct gnttab_cache_flush {
    union {
        uint64_t dev_bus_addr;
        grant_ref_t ref;
    } a;
    uint16_t offset;
    uint16_t length;
    uint32_t op; // GNTTAB_CACHE_*
};
ABI_SIZE(struct gnttab_cache_flush, 16);
