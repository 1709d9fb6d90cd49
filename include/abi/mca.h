// mca: machine-check reports. Only the envelope and the count of CPUs; there is nothing to report.
#pragma once

#include "types.h"

#define XEN_MCA_INTERFACE_VERSION 0x01ecc003

#define XEN_MC_fetch 1
#define XEN_MC_notifydomain 2
#define XEN_MC_physcpuinfo 3
#define XEN_MC_msrinject 4
#define XEN_MC_mceinject 5
#define XEN_MC_inject_v2 6

#define XEN_MC_NONURGENT 0x0001
#define XEN_MC_URGENT 0x0002
#define XEN_MC_ACK 0x0004

#define XEN_MC_OK 0x0
#define XEN_MC_FETCHFAILED 0x1
#define XEN_MC_NODATA 0x2

struct xen_mc_fetch {
    uint32_t flags; // in: XEN_MC_URGENT.., out: XEN_MC_OK..
    uint32_t _pad0;
    uint64_t fetch_id;
    uint64_t data; /* -> uint8_t[768] */
};
ABI_SIZE(struct xen_mc_fetch, 24);

struct xen_mc_physcpuinfo {
    uint32_t ncpus; // in: room, out: CPUs there are
    uint32_t _pad0;
    uint64_t info; /* -> struct of 304 bytes [ncpus], or null to ask for the count */
};
ABI_SIZE(struct xen_mc_physcpuinfo, 16);

struct xen_mc {
    uint32_t cmd;               // XEN_MC_*
    uint32_t interface_version; // XEN_MCA_INTERFACE_VERSION
    union {
        struct xen_mc_fetch mc_fetch;
        struct xen_mc_physcpuinfo mc_physcpuinfo;
        uint64_t _pad[18];
    } u;
};
ABI_SIZE(struct xen_mc, 152);
