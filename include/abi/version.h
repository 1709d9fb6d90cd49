// xen_version: who the hypervisor is and which features it has.
#pragma once

#include "types.h"

#define XENVER_version 0             // no argument; returns major << 16 | minor
#define XENVER_extraversion 1        // char[XEN_EXTRAVERSION_LEN]
#define XENVER_compile_info 2        // xen_compile_info
#define XENVER_capabilities 3        // char[XEN_CAPABILITIES_INFO_LEN]
#define XENVER_changeset 4           // char[XEN_CHANGESET_INFO_LEN]
#define XENVER_platform_parameters 5 // xen_platform_parameters
#define XENVER_get_features 6        // xen_feature_info
#define XENVER_pagesize 7            // no argument; returns it
#define XENVER_guest_handle 8        // uint8_t[16], the caller's UUID
#define XENVER_commandline 9         // char[ABI_COMMANDLINE_LEN]
#define XENVER_build_id 10           // xen_build_id

#define XEN_EXTRAVERSION_LEN 16UL
#define XEN_CAPABILITIES_INFO_LEN 1024UL
#define XEN_CHANGESET_INFO_LEN 64UL
#define ABI_COMMANDLINE_LEN 1024UL

struct xen_compile_info {
    char compiler[64];
    char compile_by[16];
    char compile_domain[32];
    char compile_date[32];
};
ABI_SIZE(struct xen_compile_info, 144);

struct xen_platform_parameters {
    uint64_t virt_start; // where the machine-to-phys table begins
};
ABI_SIZE(struct xen_platform_parameters, 8);

struct xen_feature_info {
    uint32_t submap_idx; // in: word asked for, below XENFEAT_NR_SUBMAPS
    uint32_t submap;     // out: XENFEAT_* bits of that word
};
ABI_SIZE(struct xen_feature_info, 8);

// The id itself follows: len bytes.
struct xen_build_id {
    uint32_t len;
};
ABI_SIZE(struct xen_build_id, 4);

#define XENFEAT_writable_page_tables 0
#define XENFEAT_writable_descriptor_tables 1
#define XENFEAT_auto_translated_physmap 2
#define XENFEAT_supervisor_mode_kernel 3
#define XENFEAT_pae_pgdir_above_4gb 4
#define XENFEAT_mmu_pt_update_preserve_ad 5
#define XENFEAT_highmem_assist 6
#define XENFEAT_gnttab_map_avail_bits 7
#define XENFEAT_hvm_callback_vector 8
#define XENFEAT_hvm_safe_pvclock 9
#define XENFEAT_hvm_pirqs 10
#define XENFEAT_dom0 11
#define XENFEAT_memory_op_vnode_supported 13
#define XENFEAT_ARM_SMCCC_supported 14
#define XENFEAT_linux_rsdp_unrestricted 15
#define XENFEAT_not_direct_mapped 16
#define XENFEAT_direct_mapped 17
#define XENFEAT_NR_SUBMAPS 1
