// The hypervisor's CPUID leaves, and the records in which CPU policies travel.
#pragma once

#include "types.h"

#define XEN_CPUID_FIRST_LEAF 0x40000000
#define XEN_CPUID_LEAF(i) (XEN_CPUID_FIRST_LEAF + (i))
enum {
    XEN_CPUID_MAX_NUM_LEAVES = 5,
    XEN_CPUID_SIGNATURE_EBX = 0x566e6558,
    XEN_CPUID_SIGNATURE_ECX = 0x65584d4d,
    XEN_CPUID_SIGNATURE_EDX = 0x4d4d566e,          // "XenVMMXenVMM"
    XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD = 1, // leaf 2, ecx
};
#define XEN_CPUID_NO_SUBLEAF 0xffffffffU

struct xen_cpuid_leaf {
    uint32_t leaf;
    uint32_t subleaf; // XEN_CPUID_NO_SUBLEAF where the leaf has none
    uint32_t a, b, c, d;
};

struct xen_msr_entry {
    uint32_t idx;
    uint32_t flags; // must be 0
    uint64_t val;
};
