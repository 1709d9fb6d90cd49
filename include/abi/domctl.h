// domctl: how the control tools make, inspect, change and destroy domains.
#pragma once

#include "cpuid.h"
#include "types.h"

#define XEN_DOMCTL_INTERFACE_VERSION 0x00000015

enum {
    XEN_DOMCTL_createdomain = 1,
    XEN_DOMCTL_destroydomain = 2,
    XEN_DOMCTL_pausedomain = 3,
    XEN_DOMCTL_unpausedomain = 4,
    XEN_DOMCTL_getdomaininfo = 5,
    XEN_DOMCTL_setvcpuaffinity = 9,
    XEN_DOMCTL_shadow_op = 10,
    XEN_DOMCTL_max_mem = 11,
    XEN_DOMCTL_setvcpucontext = 12,
    XEN_DOMCTL_getvcpucontext = 13,
    XEN_DOMCTL_getvcpuinfo = 14,
    XEN_DOMCTL_max_vcpus = 15,
    XEN_DOMCTL_scheduler_op = 16,
    XEN_DOMCTL_setdomainhandle = 17,
    XEN_DOMCTL_setdebugging = 18,
    XEN_DOMCTL_irq_permission = 19,
    XEN_DOMCTL_iomem_permission = 20,
    XEN_DOMCTL_ioport_permission = 21,
    XEN_DOMCTL_hypercall_init = 22,
    XEN_DOMCTL_settimeoffset = 24,
    XEN_DOMCTL_getvcpuaffinity = 25,
    XEN_DOMCTL_resumedomain = 27,
    XEN_DOMCTL_sendtrigger = 28,
    XEN_DOMCTL_gethvmcontext = 33,
    XEN_DOMCTL_set_address_size = 35,
    XEN_DOMCTL_get_address_size = 36,
    XEN_DOMCTL_gettscinfo = 59,
    XEN_DOMCTL_settscinfo = 60,
    XEN_DOMCTL_getpageframeinfo3 = 61,
    XEN_DOMCTL_set_virq_handler = 66,
    XEN_DOMCTL_setnodeaffinity = 68,
    XEN_DOMCTL_getnodeaffinity = 69,
    XEN_DOMCTL_get_cpu_policy = 82,
    XEN_DOMCTL_set_cpu_policy = 83,
    XEN_DOMCTL_gdbsx_guestmemio = 1000,
};

enum { XEN_DOMCTL_CDF_hvm = 1U << 0, XEN_DOMCTL_CDF_xs_domain = 1U << 4, XEN_DOMCTL_CDF_iommu = 1U << 5, XEN_DOMCTL_CDF_vpmu = 1U << 7 };
#define XEN_DOMCTL_GRANT_version(v) ((v)&0xf)
#define XEN_X86_MISC_FLAGS_MAX (1U << 0)

struct xen_arch_domainconfig {
    uint32_t emulation_flags, misc_flags; // 0 for PV; XEN_X86_*
};

struct xen_domctl_createdomain {
    uint32_t ssidref;
    uint8_t handle[16]; // UUID
    uint32_t flags;     // XEN_DOMCTL_CDF_*
    uint32_t iommu_opts, max_vcpus, max_evtchn_port;
    int32_t max_grant_frames, max_maptrack_frames; // negative: the default
    uint32_t grant_opts, vmtrace_size, cpupool_id; // highest grant table version the domain may use
    struct xen_arch_domainconfig arch;
};

enum {
    XEN_DOMINF_dying = 1U << 0,
    XEN_DOMINF_shutdown = 1U << 2,
    XEN_DOMINF_paused = 1U << 3,
    XEN_DOMINF_blocked = 1U << 4,
    XEN_DOMINF_running = 1U << 5,
    XEN_DOMINF_xs_domain = 1U << 7,
    XEN_DOMINF_shutdownmask = 255,
    XEN_DOMINF_shutdownshift = 16, // where SHUTDOWN_* begins; all ones before a shutdown
};
#define XEN_INVALID_MAX_VCPU_ID (~0U)

struct xen_domctl_getdomaininfo {
    domid_t domain;
    uint16_t pad1;
    uint32_t flags; // XEN_DOMINF_*
    uint64_t tot_pages, max_pages, outstanding_pages, shr_pages, paged_pages;
    uint64_t shared_info_frame;
    uint64_t cpu_time; // ns, all vCPUs
    uint32_t nr_online_vcpus, max_vcpu_id, ssidref;
    uint8_t handle[16];
    uint32_t cpupool;
    uint8_t gpaddr_bits, pad2[7];
    struct xen_arch_domainconfig arch_config;
};

#define XEN_DOMCTL_PFINFO_LTAB_SHIFT 28
#define XEN_DOMCTL_PFINFO_NOTAB (0x0U << 28)
#define XEN_DOMCTL_PFINFO_L4TAB (0x4U << 28)
#define XEN_DOMCTL_PFINFO_LPINTAB (0x1U << 31)
#define XEN_DOMCTL_PFINFO_XTAB (0xfU << 28)

enum { XEN_DOMCTL_SHADOW_OP_OFF = 0, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY = 2 };
enum { XEN_VCPUAFFINITY_HARD = 1U << 0, XEN_VCPUAFFINITY_SOFT = 1U << 1, XEN_VCPUAFFINITY_FORCE = 1U << 2 };
enum { XEN_SCHEDULER_CREDIT = 5, XEN_SCHEDULER_CREDIT2 = 6 };
enum { XEN_DOMCTL_SCHEDOP_putinfo = 0, XEN_DOMCTL_SCHEDOP_getinfo = 1 };
enum { XEN_DOMCTL_SENDTRIGGER_NMI = 0, XEN_DOMCTL_SENDTRIGGER_POWER = 3 };

struct xen_domctl_getvcpuinfo {
    uint32_t vcpu;
    uint8_t online, blocked, running;
    uint64_t cpu_time; // ns
    uint32_t cpu;      // where it runs or last ran
};

// CPUID leaves and MSRs the domain shall see. An error names the culprit in err_*; ~0 means none.
struct xen_domctl_cpu_policy {
    uint32_t nr_leaves, nr_msrs; // in: room or length, out: needed
    uint64_t leaves;             /* -> struct xen_cpuid_leaf[nr_leaves] */
    uint64_t msrs;               /* -> struct xen_msr_entry[nr_msrs] */
    uint32_t err_leaf, err_subleaf, err_msr;
};

struct xen_domctl {
    uint32_t cmd, interface_version; // XEN_DOMCTL_*, XEN_DOMCTL_INTERFACE_VERSION
    domid_t domain;
    uint16_t _pad[3];
    union {
        struct xen_domctl_createdomain createdomain;
        struct xen_domctl_getdomaininfo getdomaininfo;
        struct xen_domctl_getvcpuinfo getvcpuinfo;
        struct xen_domctl_cpu_policy cpu_policy;
        struct {
            uint64_t num, array; /* -> xen_pfn_t[num]: frames in, XEN_DOMCTL_PFINFO_* out */
        } getpageframeinfo3;
        struct {
            struct xenctl_bitmap nodemap;
        } nodeaffinity;
        struct {
            uint32_t vcpu, flags; // XEN_VCPUAFFINITY_*
            struct xenctl_bitmap cpumap_hard, cpumap_soft;
        } vcpuaffinity;
        struct {
            uint32_t op; // XEN_DOMCTL_SHADOW_OP_*, and what is of no use to a PV guest
        } shadow_op;
        struct {
            uint64_t max_memkb;
        } max_mem;
        struct {
            uint32_t vcpu;
            uint64_t ctxt; /* -> struct vcpu_guest_context */
        } vcpucontext;
        struct {
            uint32_t max;
        } max_vcpus;
        struct {
            uint32_t sched_id, cmd; // XEN_SCHEDULER_*, XEN_DOMCTL_SCHEDOP_*
            union {
                struct {
                    uint16_t weight, cap;
                } credit2;
                uint64_t pad[2];
            } u;
        } scheduler_op;
        struct {
            uint8_t handle[16];
        } setdomainhandle;
        struct {
            uint8_t enable;
        } setdebugging;
        struct {
            uint32_t pirq;
            uint8_t allow_access, pad[3];
        } irq_permission;
        struct {
            uint64_t first_mfn, nr_mfns;
            uint8_t allow_access;
        } iomem_permission;
        struct {
            uint32_t first_port, nr_ports;
            uint8_t allow_access;
        } ioport_permission;
        struct {
            uint64_t gmfn; // frame to fill with hypercall stubs
        } hypercall_init;
        struct {
            int64_t time_offset_seconds;
        } settimeoffset;
        struct {
            uint32_t tsc_mode, gtsc_khz, incarnation, pad;
            uint64_t elapsed_nsec;
        } tsc_info;
        struct {
            uint32_t size; // 64 or 32
        } address_size;
        struct {
            uint32_t trigger, vcpu; // XEN_DOMCTL_SENDTRIGGER_*
        } sendtrigger;
        struct {
            uint32_t virq; // from now on this domain gets it
        } set_virq_handler;
        uint8_t pad[128];
    } u;
};
