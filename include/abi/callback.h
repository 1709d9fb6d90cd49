// callback_op: where a PV kernel is entered for events, failed returns and system calls.
#pragma once

#include "types.h"

enum { CALLBACKOP_register = 0, CALLBACKOP_unregister = 1 };
enum {
    CALLBACKTYPE_event = 0,
    CALLBACKTYPE_failsafe = 1,
    CALLBACKTYPE_syscall = 2,
    CALLBACKTYPE_sysenter_deprecated = 3,
    CALLBACKTYPE_nmi = 4,
    CALLBACKTYPE_sysenter = 5,
    CALLBACKTYPE_syscall32 = 7,
};
#define CALLBACKF_mask_events (1U << 0) // enter with events masked

struct callback_register {
    uint16_t type, flags; // CALLBACKTYPE_*, CALLBACKF_*
    uint64_t address;     // instruction in the guest kernel
};

struct callback_unregister {
    uint16_t type, _unused;
};
