// callback_op: where a PV kernel is entered for events, failed returns and system calls; and nmi_op.
#pragma once

#include "types.h"

#define CALLBACKOP_register 0
#define CALLBACKOP_unregister 1

#define CALLBACKTYPE_event 0
#define CALLBACKTYPE_failsafe 1
#define CALLBACKTYPE_syscall 2
#define CALLBACKTYPE_sysenter_deprecated 3
#define CALLBACKTYPE_nmi 4
#define CALLBACKTYPE_sysenter 5
#define CALLBACKTYPE_syscall32 7

#define CALLBACKF_mask_events (1U << 0) // enter with events masked

struct callback_register {
    uint16_t type;    // CALLBACKTYPE_*
    uint16_t flags;   // CALLBACKF_*
    uint64_t address; // instruction in the guest kernel
};
ABI_SIZE(struct callback_register, 16);

struct callback_unregister {
    uint16_t type;
    uint16_t _unused;
};
ABI_SIZE(struct callback_unregister, 4);

// nmi_op, an older way to register the NMI callback.
#define XENNMI_register_callback 0
#define XENNMI_unregister_callback 1

// arch_shared_info.nmi_reason.
#define XEN_NMIREASON_io_error (1UL << 0)
#define XEN_NMIREASON_pci_serr (1UL << 1)
#define XEN_NMIREASON_unknown (1UL << 2)

struct xennmi_callback {
    uint64_t handler_address;
    uint64_t pad;
};
ABI_SIZE(struct xennmi_callback, 16);
