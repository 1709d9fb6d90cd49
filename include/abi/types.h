// Scalar types every other header of this folder builds on.
//
// This folder is the interface that guests and control tools see: x86-64 layouts with the public names, written as plain C that also
// compiles as C++ and without a C library; of the public interface, what Tenon or its tests name of it. What only dom0's programs and
// guests agree on (rings, device states) those take from the public headers, as the micro-guests take the error numbers. A pointer into the
// caller's memory ("guest handle") is a plain 64-bit number; the comment beside it says what it points to.
// tests/unit/abi compares every structure and number with the public headers.
#pragma once

#include <stdint.h>

typedef uint16_t domid_t;
typedef uint64_t xen_pfn_t;
typedef uint32_t evtchn_port_t, grant_ref_t, grant_handle_t;

// Domain ids from here on name no ordinary domain.
#define DOMID_FIRST_RESERVED 0x7FF0U
#define DOMID_SELF 0x7FF0U    // the caller
#define DOMID_INVALID 0x7FF4U // no domain at all

// A bitmap in the control tool's memory.
struct xenctl_bitmap {
    uint64_t bitmap; /* -> uint8_t[(nr_bits + 7) / 8] */
    uint32_t nr_bits;
};
