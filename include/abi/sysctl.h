// sysctl: how the control tools look at and steer the machine as a whole.
#pragma once

#include "cpuid.h"
#include "types.h"

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

enum {
    XEN_SYSCTL_readconsole = 1,
    XEN_SYSCTL_tbuf_op = 2,
    XEN_SYSCTL_physinfo = 3,
    XEN_SYSCTL_sched_id = 4,
    XEN_SYSCTL_perfc_op = 5,
    XEN_SYSCTL_getdomaininfolist = 6,
    XEN_SYSCTL_debug_keys = 7,
    XEN_SYSCTL_availheap = 9,
    XEN_SYSCTL_cputopoinfo = 16,
    XEN_SYSCTL_numainfo = 17,
    XEN_SYSCTL_cpupool_op = 18,
    XEN_SYSCTL_scheduler_op = 19,
    XEN_SYSCTL_pcitopoinfo = 22,
    XEN_SYSCTL_get_cpu_levelling_caps = 25,
    XEN_SYSCTL_get_cpu_featureset = 26,
    XEN_SYSCTL_get_cpu_policy = 29,
};

enum { XEN_SYSCTL_PHYSCAP_pv = 1U << 1, XEN_SYSCTL_PHYSCAP_gnttab_v1 = 1U << 8 };

struct xen_sysctl_physinfo {
    uint32_t threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes, max_node_id, cpu_khz;
    uint32_t capabilities, arch_capabilities, pad; // XEN_SYSCTL_PHYSCAP_*
    uint64_t total_pages, free_pages, scrub_pages, outstanding_pages, max_mfn;
    uint32_t hw_cap[8]; // CPUID words
};

#define XEN_INVALID_CORE_ID (~0U)
#define XEN_INVALID_SOCKET_ID (~0U)
#define XEN_INVALID_NODE_ID (~0U)

struct xen_sysctl_cputopo {
    uint32_t core, socket, node;
};

struct xen_sysctl_meminfo {
    uint64_t memsize, memfree; // bytes
};

enum { XEN_SYSCTL_CPUPOOL_OP_INFO = 3, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN = 6, XEN_SYSCTL_CPUPOOL_OP_FREEINFO = 7 };
#define XEN_SYSCTL_CPUPOOL_PAR_ANY 0xFFFFFFFF

enum { XEN_SYSCTL_SCHEDOP_getinfo = 1 };

enum { XEN_SYSCTL_cpu_featureset_pv = 2, XEN_SYSCTL_cpu_featureset_hvm = 3 };
enum { XEN_SYSCTL_cpu_policy_hvm_max = 3, XEN_SYSCTL_cpu_policy_pv_default = 4, XEN_SYSCTL_cpu_policy_hvm_default = 5 };

// Where a list is given by a handle, a null handle asks for its length.
struct xen_sysctl {
    uint32_t cmd, interface_version; // XEN_SYSCTL_*, XEN_SYSCTL_INTERFACE_VERSION
    union {
        struct {
            uint8_t clear;       // forget what was read
            uint8_t incremental; // begin at index instead of the oldest byte
            uint8_t pad0, pad1;
            uint32_t index;
            uint64_t buffer; /* -> char[count] */
            uint32_t count;  // in: room, out: bytes written
        } readconsole;
        struct xen_sysctl_physinfo physinfo;
        struct {
            uint32_t num_cpus;
            uint64_t cputopo; /* -> struct xen_sysctl_cputopo[num_cpus] */
        } cputopoinfo;
        struct {
            uint32_t num_nodes;
            uint64_t meminfo;  /* -> struct xen_sysctl_meminfo[num_nodes] */
            uint64_t distance; /* -> uint32_t[num_nodes * num_nodes] */
        } numainfo;
        struct {
            uint32_t sched_id; // XEN_SCHEDULER_*
        } sched_id;
        struct {
            domid_t first_domain;
            uint32_t max_domains;
            uint64_t buffer;      /* -> struct xen_domctl_getdomaininfo[max_domains] */
            uint32_t num_domains; // out
        } getdomaininfolist;
        struct {
            uint64_t keys; /* -> char[nr_keys] */
            uint32_t nr_keys;
        } debug_keys;
        struct {
            uint32_t min_bitwidth, max_bitwidth; // 0 for no bound
            int32_t node;                        // -1 for all
            uint64_t avail_bytes;
        } availheap;
        struct {
            uint32_t op, cpupool_id, sched_id, domid, cpu, n_dom; // XEN_SYSCTL_CPUPOOL_OP_*
            struct xenctl_bitmap cpumap;
        } cpupool_op;
        struct {
            uint32_t cpupool_id, sched_id, cmd; // XEN_SCHEDULER_*, XEN_SYSCTL_SCHEDOP_*
            union {
                struct {
                    uint32_t ratelimit_us; // shortest time a vCPU runs before another may take over
                } sched_credit2;
                uint64_t pad[2];
            } u;
        } scheduler_op;
        struct {
            uint32_t num_devs;
            uint64_t devs;  /* -> struct physdev_pci_device[num_devs] */
            uint64_t nodes; /* -> uint32_t[num_devs] */
        } pcitopoinfo;
        struct {
            uint32_t caps;
        } cpu_levelling_caps;
        struct {
            uint32_t index, nr_features; // XEN_SYSCTL_cpu_featureset_*; in: room, out: words
            uint64_t features;           /* -> uint32_t[nr_features] */
        } cpu_featureset;
        struct {
            uint32_t index, nr_leaves, nr_msrs, _rsvd; // XEN_SYSCTL_cpu_policy_*
            uint64_t leaves;                           /* -> struct xen_cpuid_leaf[nr_leaves] */
            uint64_t msrs;                             /* -> struct xen_msr_entry[nr_msrs] */
        } cpu_policy;
        uint8_t pad[128];
    } u;
};
