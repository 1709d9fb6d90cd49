// multicall: several hypercalls in one entry.
#pragma once

#include "types.h"

struct multicall_entry {
    uint64_t op; // __HYPERVISOR_*
    uint64_t result;
    uint64_t args[6];
};
ABI_SIZE(struct multicall_entry, 64);
