// multicall: several hypercalls in one entry.
#pragma once

#include "types.h"

struct multicall_entry {
    uint64_t op, result, args[6]; // op: __HYPERVISOR_*
};
