// xen_version: who the hypervisor is and which features it has.
#pragma once

#include "types.h"

enum {
    XENVER_version = 0,             // no argument; returns major << 16 | minor
    XENVER_extraversion = 1,        // char[XEN_EXTRAVERSION_LEN]
    XENVER_compile_info = 2,        // xen_compile_info
    XENVER_capabilities = 3,        // char[XEN_CAPABILITIES_INFO_LEN]
    XENVER_changeset = 4,           // char[XEN_CHANGESET_INFO_LEN]
    XENVER_platform_parameters = 5, // xen_platform_parameters
    XENVER_get_features = 6,        // xen_feature_info
    XENVER_pagesize = 7,            // no argument; returns it
    XENVER_guest_handle = 8,        // uint8_t[16], the caller's UUID
    XENVER_commandline = 9,         // char[ABI_COMMANDLINE_LEN]
    XENVER_build_id = 10,           // xen_build_id
};

#define XEN_EXTRAVERSION_LEN 16UL
#define XEN_CAPABILITIES_INFO_LEN 1024UL
#define XEN_CHANGESET_INFO_LEN 64UL
#define ABI_COMMANDLINE_LEN 1024UL

struct xen_compile_info {
    char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
};

struct xen_platform_parameters {
    uint64_t virt_start; // where the machine-to-phys table begins
};

struct xen_feature_info {
    uint32_t submap_idx; // in: word asked for, below XENFEAT_NR_SUBMAPS
    uint32_t submap;     // out: XENFEAT_* bits of that word
};

// The id itself follows: len bytes.
struct xen_build_id {
    uint32_t len;
};

enum {
    XENFEAT_writable_page_tables = 0,
    XENFEAT_writable_descriptor_tables = 1,
    XENFEAT_auto_translated_physmap = 2,
    XENFEAT_supervisor_mode_kernel = 3,
    XENFEAT_pae_pgdir_above_4gb = 4,
    XENFEAT_mmu_pt_update_preserve_ad = 5,
    XENFEAT_highmem_assist = 6,
    XENFEAT_gnttab_map_avail_bits = 7,
    XENFEAT_hvm_callback_vector = 8,
    XENFEAT_hvm_safe_pvclock = 9,
    XENFEAT_hvm_pirqs = 10,
    XENFEAT_dom0 = 11,
    XENFEAT_memory_op_vnode_supported = 13,
    XENFEAT_not_direct_mapped = 16,
    XENFEAT_direct_mapped = 17,
    XENFEAT_NR_SUBMAPS = 1,
};
