// mca: machine-check reports. Only the envelope and the count of CPUs; there is nothing to report.
#pragma once

#include "types.h"

#define XEN_MCA_INTERFACE_VERSION 0x01ecc003

enum { XEN_MC_fetch = 1, XEN_MC_physcpuinfo = 3, XEN_MC_mceinject = 5 };
#define XEN_MC_NONURGENT 0x0001
#define XEN_MC_NODATA 0x2

struct xen_mc_fetch {
    uint32_t flags, _pad0; // in: XEN_MC_NONURGENT.., out: XEN_MC_NODATA
    uint64_t fetch_id;
    uint64_t data; /* -> uint8_t[768] */
};

struct xen_mc_physcpuinfo {
    uint32_t ncpus, _pad0; // in: room, out: CPUs there are
    uint64_t info;         /* -> struct of 304 bytes [ncpus], or null to ask for the count */
};

struct xen_mc {
    uint32_t cmd;               // XEN_MC_*
    uint32_t interface_version; // XEN_MCA_INTERFACE_VERSION
    union {
        struct xen_mc_fetch mc_fetch;
        struct xen_mc_physcpuinfo mc_physcpuinfo;
        uint64_t _pad[18];
    } u;
};
