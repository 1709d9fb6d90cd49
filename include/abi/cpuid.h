// The records in which CPU policies travel.
#pragma once

#include "types.h"

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
