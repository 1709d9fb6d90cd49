// sched_op: giving up the CPU, waiting for events, shutting down.
#pragma once

#include "types.h"

enum {
    SCHEDOP_yield = 0,
    SCHEDOP_block = 1,
    SCHEDOP_shutdown = 2,
    SCHEDOP_poll = 3,
    SCHEDOP_remote_shutdown = 4,
    SCHEDOP_shutdown_code = 5, // argument: sched_shutdown, for the next SCHEDOP_shutdown
    SCHEDOP_pin_override = 7,
};

enum {
    SHUTDOWN_poweroff = 0,
    SHUTDOWN_reboot = 1,
    SHUTDOWN_crash = 3,
    SHUTDOWN_watchdog = 4,
    SHUTDOWN_MAX = 5,
};

struct sched_shutdown {
    uint32_t reason; // SHUTDOWN_*
};

struct sched_poll {
    uint64_t ports; /* -> evtchn_port_t[nr_ports] */
    uint32_t nr_ports;
    uint64_t timeout; // absolute system time in ns, 0 for never
};

struct sched_remote_shutdown {
    domid_t domain_id;
    uint32_t reason;
};
