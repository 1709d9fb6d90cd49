// The hypervisor's CPUID leaves, the prefix that asks for them without a trap, and the records in
// which CPU policies travel.
#pragma once

#include "types.h"

#define XEN_CPUID_FIRST_LEAF 0x40000000
#define XEN_CPUID_LEAF(i) (XEN_CPUID_FIRST_LEAF + (i))
#define XEN_CPUID_MAX_NUM_LEAVES 5

// Leaf 0: eax is the last leaf, the rest spells "XenVMMXenVMM".
#define XEN_CPUID_SIGNATURE_EBX 0x566e6558
#define XEN_CPUID_SIGNATURE_ECX 0x65584d4d
#define XEN_CPUID_SIGNATURE_EDX 0x4d4d566e

// Leaf 2, ecx.
#define XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD (1U << 0)
// Leaf 5, ebx.
#define XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK 0xffU

// Five bytes (UD2, "xen") before CPUID: the invalid opcode brings the instruction to the hypervisor.
#define ABI_EMULATE_PREFIX_BYTES 0x0f, 0x0b, 0x78, 0x65, 0x6e
#define ABI_EMULATE_PREFIX_LENGTH 5

#define XEN_CPUID_NO_SUBLEAF 0xffffffffU

struct xen_cpuid_leaf {
    uint32_t leaf;
    uint32_t subleaf; // XEN_CPUID_NO_SUBLEAF where the leaf has none
    uint32_t a, b, c, d;
};
ABI_SIZE(struct xen_cpuid_leaf, 24);

struct xen_msr_entry {
    uint32_t idx;
    uint32_t flags; // must be 0
    uint64_t val;
};
ABI_SIZE(struct xen_msr_entry, 16);
