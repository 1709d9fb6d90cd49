// The console ring of a domain: one page, two byte streams. Indices run freely; mask them on use.
#pragma once

#include "../types.h"

typedef uint32_t XENCONS_RING_IDX;

#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
    char in[1024];  // towards the domain
    char out[2048]; // from the domain
    XENCONS_RING_IDX in_cons, in_prod, out_cons, out_prod;
};
