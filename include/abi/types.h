// Scalar types every other header of this folder builds on, and the size check.
//
// This folder is the interface that guests and control tools see: x86-64 layouts with the public names,
// written as plain C that also compiles as C++ and without a C library. A pointer into the caller's
// memory ("guest handle") is a plain 64-bit number; the comment beside it says what it points to.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
#define ABI_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type " has the wrong size")
#else
#define ABI_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has the wrong size")
#endif

typedef uint16_t domid_t;
typedef uint64_t xen_pfn_t;
typedef uint64_t xen_ulong_t;
typedef uint32_t evtchn_port_t;
typedef uint32_t event_word_t;
typedef uint32_t grant_ref_t;
typedef uint32_t grant_handle_t;
typedef uint16_t grant_status_t;

// Domain ids from here on name no ordinary domain.
#define DOMID_FIRST_RESERVED 0x7FF0U
#define DOMID_SELF 0x7FF0U    // the caller
#define DOMID_IO 0x7FF1U      // owner of device memory
#define DOMID_XEN 0x7FF2U     // owner of the hypervisor's shareable pages
#define DOMID_COW 0x7FF3U     // owner of shared copy-on-write pages
#define DOMID_INVALID 0x7FF4U // no domain at all
#define DOMID_IDLE 0x7FFFU    // the hypervisor's own idle vCPUs
#define DOMID_MASK 0x7FFFU

// A bitmap in the control tool's memory.
struct xenctl_bitmap {
    uint64_t bitmap; /* -> uint8_t[(nr_bits + 7) / 8] */
    uint32_t nr_bits;
};
ABI_SIZE(struct xenctl_bitmap, 16);
