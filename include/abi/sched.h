// sched_op: giving up the CPU, waiting for events, shutting down.
#pragma once

#include "types.h"

#define SCHEDOP_yield 0
#define SCHEDOP_block 1
#define SCHEDOP_shutdown 2
#define SCHEDOP_poll 3
#define SCHEDOP_remote_shutdown 4
#define SCHEDOP_shutdown_code 5 // argument: sched_shutdown, for the next SCHEDOP_shutdown
#define SCHEDOP_watchdog 6
#define SCHEDOP_pin_override 7

#define SHUTDOWN_poweroff 0
#define SHUTDOWN_reboot 1
#define SHUTDOWN_suspend 2
#define SHUTDOWN_crash 3
#define SHUTDOWN_watchdog 4
#define SHUTDOWN_soft_reset 5
#define SHUTDOWN_MAX 5

struct sched_shutdown {
    uint32_t reason; // SHUTDOWN_*
};
ABI_SIZE(struct sched_shutdown, 4);

struct sched_poll {
    uint64_t ports; /* -> evtchn_port_t[nr_ports] */
    uint32_t nr_ports;
    uint64_t timeout; // absolute system time in ns, 0 for never
};
ABI_SIZE(struct sched_poll, 24);

struct sched_remote_shutdown {
    domid_t domain_id;
    uint32_t reason;
};
ABI_SIZE(struct sched_remote_shutdown, 8);

struct sched_watchdog {
    uint32_t id;      // 0 makes a new one, which is returned
    uint32_t timeout; // seconds from now, 0 cancels
};
ABI_SIZE(struct sched_watchdog, 8);

struct sched_pin_override {
    int32_t pcpu; // negative undoes it
};
ABI_SIZE(struct sched_pin_override, 4);
