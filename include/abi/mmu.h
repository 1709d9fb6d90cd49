// Direct paging: mmu_update, mmuext_op, update_va_mapping and vm_assist.
#pragma once

#include "types.h"

// What an mmu_update does: the low two bits of ptr; 0 writes a page-table entry.
enum {
    MMU_MACHPHYS_UPDATE = 1,        // write a machine-to-phys entry
    MMU_PT_UPDATE_PRESERVE_AD = 2,  // write, keeping accessed and dirty as they are
    MMU_PT_UPDATE_NO_TRANSLATE = 3, // write machine frames even for a translated guest
};

struct mmu_update {
    uint64_t ptr, val; // machine address of the entry, plus MMU_*
};

enum {
    MMUEXT_PIN_L1_TABLE = 0,
    MMUEXT_PIN_L2_TABLE = 1,
    MMUEXT_PIN_L3_TABLE = 2,
    MMUEXT_PIN_L4_TABLE = 3,
    MMUEXT_UNPIN_TABLE = 4,
    MMUEXT_NEW_BASEPTR = 5,
    MMUEXT_TLB_FLUSH_LOCAL = 6,
    MMUEXT_INVLPG_LOCAL = 7,
    MMUEXT_TLB_FLUSH_MULTI = 8,
    MMUEXT_INVLPG_MULTI = 9,
    MMUEXT_TLB_FLUSH_ALL = 10,
    MMUEXT_INVLPG_ALL = 11,
    MMUEXT_FLUSH_CACHE = 12,
    MMUEXT_SET_LDT = 13,
    MMUEXT_NEW_USER_BASEPTR = 15,
    MMUEXT_CLEAR_PAGE = 16,
    MMUEXT_COPY_PAGE = 17,
    MMUEXT_FLUSH_CACHE_GLOBAL = 18,
    MMUEXT_MARK_SUPER = 19,
    MMUEXT_UNMARK_SUPER = 20,
};

struct mmuext_op {
    uint32_t cmd; // MMUEXT_*
    union {
        xen_pfn_t mfn;        // pins, base pointers, page to clear or to copy to
        uint64_t linear_addr; // INVLPG, start of the LDT
    } arg1;
    union {
        uint32_t nr_ents;  // SET_LDT
        uint64_t vcpumask; /* -> uint64_t[], for the MULTI flushes */
        xen_pfn_t src_mfn; // COPY_PAGE
    } arg2;
};

// Flags of update_va_mapping. Other bits are the address of a vCPU mask, zero for the caller alone.
#define UVMF_NONE 0UL
#define UVMF_TLB_FLUSH 1UL
#define UVMF_INVLPG 2UL
#define UVMF_FLUSHTYPE_MASK 3UL
#define UVMF_LOCAL 0UL
#define UVMF_ALL 4UL

enum { VMASST_CMD_enable = 0, VMASST_CMD_disable = 1 };
enum {
    VMASST_TYPE_4gb_segments = 0,
    VMASST_TYPE_writable_pagetables = 2,
    VMASST_TYPE_pae_extended_cr3 = 3,
    VMASST_TYPE_runstate_update_flag = 5,
    VMASST_TYPE_m2p_strict = 32,
};
