// Payloads of the domctl operations that shape a domain: its life, memory, vCPUs and scheduling.
#pragma once

#include "types.h"

#define XEN_DOMCTL_CDF_hvm (1U << 0)
#define XEN_DOMCTL_CDF_hap (1U << 1)
#define XEN_DOMCTL_CDF_s3_integrity (1U << 2)
#define XEN_DOMCTL_CDF_oos_off (1U << 3)
#define XEN_DOMCTL_CDF_xs_domain (1U << 4)
#define XEN_DOMCTL_CDF_iommu (1U << 5)
#define XEN_DOMCTL_CDF_nested_virt (1U << 6)
#define XEN_DOMCTL_CDF_vpmu (1U << 7)
#define XEN_DOMCTL_CDF_MAX XEN_DOMCTL_CDF_vpmu
#define XEN_DOMCTL_IOMMU_no_sharept (1U << 0)
#define XEN_DOMCTL_IOMMU_MAX XEN_DOMCTL_IOMMU_no_sharept
#define XEN_DOMCTL_GRANT_version_mask 0xf
#define XEN_DOMCTL_GRANT_version(v) ((v)&XEN_DOMCTL_GRANT_version_mask)
#define XEN_X86_MSR_RELAXED (1U << 0)
#define XEN_X86_MISC_FLAGS_MAX XEN_X86_MSR_RELAXED

struct xen_arch_domainconfig {
    uint32_t emulation_flags; // 0 for PV
    uint32_t misc_flags;      // XEN_X86_MSR_RELAXED
};
ABI_SIZE(struct xen_arch_domainconfig, 8);

struct xen_domctl_createdomain {
    uint32_t ssidref;
    uint8_t handle[16]; // UUID
    uint32_t flags;     // XEN_DOMCTL_CDF_*
    uint32_t iommu_opts;
    uint32_t max_vcpus;
    uint32_t max_evtchn_port;
    int32_t max_grant_frames;    // negative: the default
    int32_t max_maptrack_frames; // negative: the default
    uint32_t grant_opts;         // highest version the domain may use
    uint32_t vmtrace_size;
    uint32_t cpupool_id;
    struct xen_arch_domainconfig arch;
};
ABI_SIZE(struct xen_domctl_createdomain, 64);

#define XEN_DOMINF_dying (1U << 0)
#define XEN_DOMINF_hvm_guest (1U << 1)
#define XEN_DOMINF_shutdown (1U << 2)
#define XEN_DOMINF_paused (1U << 3)
#define XEN_DOMINF_blocked (1U << 4)
#define XEN_DOMINF_running (1U << 5)
#define XEN_DOMINF_debugged (1U << 6)
#define XEN_DOMINF_xs_domain (1U << 7)
#define XEN_DOMINF_hap (1U << 8)
#define XEN_DOMINF_shutdownmask 255
#define XEN_DOMINF_shutdownshift 16 // where SHUTDOWN_* begins; all ones before a shutdown
#define XEN_INVALID_MAX_VCPU_ID (~0U)

struct xen_domctl_getdomaininfo {
    domid_t domain;
    uint16_t pad1;
    uint32_t flags; // XEN_DOMINF_*
    uint64_t tot_pages, max_pages, outstanding_pages, shr_pages, paged_pages;
    uint64_t shared_info_frame;
    uint64_t cpu_time; // ns, all vCPUs
    uint32_t nr_online_vcpus;
    uint32_t max_vcpu_id;
    uint32_t ssidref;
    uint8_t handle[16];
    uint32_t cpupool;
    uint8_t gpaddr_bits;
    uint8_t pad2[7];
    struct xen_arch_domainconfig arch_config;
};
ABI_SIZE(struct xen_domctl_getdomaininfo, 112);

#define XEN_DOMCTL_PFINFO_LTAB_SHIFT 28
#define XEN_DOMCTL_PFINFO_NOTAB (0x0U << 28)
#define XEN_DOMCTL_PFINFO_L1TAB (0x1U << 28)
#define XEN_DOMCTL_PFINFO_L2TAB (0x2U << 28)
#define XEN_DOMCTL_PFINFO_L3TAB (0x3U << 28)
#define XEN_DOMCTL_PFINFO_L4TAB (0x4U << 28)
#define XEN_DOMCTL_PFINFO_LTABTYPE_MASK (0x7U << 28)
#define XEN_DOMCTL_PFINFO_LPINTAB (0x1U << 31)
#define XEN_DOMCTL_PFINFO_XTAB (0xfU << 28)
#define XEN_DOMCTL_PFINFO_XALLOC (0xeU << 28)
#define XEN_DOMCTL_PFINFO_BROKEN (0xdU << 28)
#define XEN_DOMCTL_PFINFO_LTAB_MASK (0xfU << 28)

struct xen_domctl_getpageframeinfo3 {
    uint64_t num;
    uint64_t array; /* -> xen_pfn_t[num]: frames in, XEN_DOMCTL_PFINFO_* out */
};
ABI_SIZE(struct xen_domctl_getpageframeinfo3, 16);

#define XEN_DOMCTL_SHADOW_OP_OFF 0
#define XEN_DOMCTL_SHADOW_OP_ENABLE_TEST 1
#define XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY 2
#define XEN_DOMCTL_SHADOW_OP_CLEAN 11
#define XEN_DOMCTL_SHADOW_OP_PEEK 12
#define XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION 30
#define XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION 31
#define XEN_DOMCTL_SHADOW_OP_ENABLE 32
#define XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT (1 << 1)
#define XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY (1 << 2)
#define XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE (1 << 3)
#define XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL (1 << 4)
#define XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL (1 << 0)

struct xen_domctl_shadow_op_stats {
    uint32_t fault_count, dirty_count;
};
ABI_SIZE(struct xen_domctl_shadow_op_stats, 8);

struct xen_domctl_shadow_op {
    uint32_t op;           // XEN_DOMCTL_SHADOW_OP_*
    uint32_t mode;         // XEN_DOMCTL_SHADOW_ENABLE_*, or LOGDIRTY_FINAL
    uint32_t mb;           // for the two ALLOCATION operations
    uint64_t dirty_bitmap; /* -> uint8_t[(pages + 7) / 8] */
    uint64_t pages;
    struct xen_domctl_shadow_op_stats stats;
};
ABI_SIZE(struct xen_domctl_shadow_op, 40);

struct xen_domctl_max_mem {
    uint64_t max_memkb;
};
ABI_SIZE(struct xen_domctl_max_mem, 8);

struct xen_domctl_vcpucontext {
    uint32_t vcpu;
    uint64_t ctxt; /* -> struct vcpu_guest_context */
};
ABI_SIZE(struct xen_domctl_vcpucontext, 16);

struct xen_domctl_getvcpuinfo {
    uint32_t vcpu;
    uint8_t online, blocked, running;
    uint64_t cpu_time; // ns
    uint32_t cpu;      // where it runs or last ran
};
ABI_SIZE(struct xen_domctl_getvcpuinfo, 24);

struct xen_domctl_nodeaffinity {
    struct xenctl_bitmap nodemap;
};
ABI_SIZE(struct xen_domctl_nodeaffinity, 16);

#define XEN_VCPUAFFINITY_HARD (1U << 0)
#define XEN_VCPUAFFINITY_SOFT (1U << 1)
#define XEN_VCPUAFFINITY_FORCE (1U << 2)

struct xen_domctl_vcpuaffinity {
    uint32_t vcpu;
    uint32_t flags; // XEN_VCPUAFFINITY_*
    struct xenctl_bitmap cpumap_hard, cpumap_soft;
};
ABI_SIZE(struct xen_domctl_vcpuaffinity, 40);

struct xen_domctl_max_vcpus {
    uint32_t max;
};
ABI_SIZE(struct xen_domctl_max_vcpus, 4);

#define XEN_SCHEDULER_CREDIT 5
#define XEN_SCHEDULER_CREDIT2 6
#define XEN_SCHEDULER_ARINC653 7
#define XEN_SCHEDULER_RTDS 8
#define XEN_SCHEDULER_NULL 9

struct xen_domctl_sched_credit {
    uint16_t weight, cap;
};
ABI_SIZE(struct xen_domctl_sched_credit, 4);

struct xen_domctl_sched_credit2 {
    uint16_t weight, cap;
};
ABI_SIZE(struct xen_domctl_sched_credit2, 4);

#define XEN_DOMCTL_SCHEDRT_extra (1U << 0)

struct xen_domctl_sched_rtds {
    uint32_t period, budget; // us
    uint32_t flags;          // XEN_DOMCTL_SCHEDRT_*
};
ABI_SIZE(struct xen_domctl_sched_rtds, 12);

struct xen_domctl_schedparam_vcpu {
    union {
        struct xen_domctl_sched_credit credit;
        struct xen_domctl_sched_credit2 credit2;
        struct xen_domctl_sched_rtds rtds;
    } u;
    uint32_t vcpuid;
};
ABI_SIZE(struct xen_domctl_schedparam_vcpu, 16);

#define XEN_DOMCTL_SCHEDOP_putinfo 0
#define XEN_DOMCTL_SCHEDOP_getinfo 1
#define XEN_DOMCTL_SCHEDOP_putvcpuinfo 2
#define XEN_DOMCTL_SCHEDOP_getvcpuinfo 3

struct xen_domctl_scheduler_op {
    uint32_t sched_id; // XEN_SCHEDULER_*
    uint32_t cmd;      // XEN_DOMCTL_SCHEDOP_*
    union {
        struct xen_domctl_sched_credit credit;
        struct xen_domctl_sched_credit2 credit2;
        struct xen_domctl_sched_rtds rtds;
        struct {
            uint64_t vcpus; /* -> struct xen_domctl_schedparam_vcpu[nr_vcpus] */
            uint32_t nr_vcpus;
            uint32_t padding;
        } v;
    } u;
};
ABI_SIZE(struct xen_domctl_scheduler_op, 24);

struct xen_domctl_setdomainhandle {
    uint8_t handle[16];
};
ABI_SIZE(struct xen_domctl_setdomainhandle, 16);

struct xen_domctl_setdebugging {
    uint8_t enable;
};
ABI_SIZE(struct xen_domctl_setdebugging, 1);

struct xen_domctl_hypercall_init {
    uint64_t gmfn; // frame to fill with hypercall stubs
};
ABI_SIZE(struct xen_domctl_hypercall_init, 8);

struct xen_domctl_settimeoffset {
    int64_t time_offset_seconds;
};
ABI_SIZE(struct xen_domctl_settimeoffset, 8);

struct xen_domctl_tsc_info {
    uint32_t tsc_mode;
    uint32_t gtsc_khz;
    uint32_t incarnation;
    uint32_t pad;
    uint64_t elapsed_nsec;
};
ABI_SIZE(struct xen_domctl_tsc_info, 24);

struct xen_domctl_address_size {
    uint32_t size; // 64 or 32
};
ABI_SIZE(struct xen_domctl_address_size, 4);

struct xen_domctl_set_target {
    domid_t target;
};
ABI_SIZE(struct xen_domctl_set_target, 2);

struct xen_domctl_subscribe {
    uint32_t port;
};
ABI_SIZE(struct xen_domctl_subscribe, 4);

struct xen_domctl_set_virq_handler {
    uint32_t virq; // from now on this domain gets it
};
ABI_SIZE(struct xen_domctl_set_virq_handler, 4);

struct xen_domctl_set_broken_page_p2m {
    uint64_t pfn;
};
ABI_SIZE(struct xen_domctl_set_broken_page_p2m, 8);

struct xen_domctl_set_access_required {
    uint8_t access_required;
};
ABI_SIZE(struct xen_domctl_set_access_required, 1);

struct xen_domctl_vnuma {
    uint32_t nr_vnodes, nr_vmemranges, nr_vcpus;
    uint32_t pad;
    uint64_t vdistance;      /* -> uint32_t[nr_vnodes * nr_vnodes] */
    uint64_t vcpu_to_vnode;  /* -> uint32_t[nr_vcpus] */
    uint64_t vnode_to_pnode; /* -> uint32_t[nr_vnodes] */
    uint64_t vmemrange;      /* -> struct xen_vmemrange[nr_vmemranges] */
};
ABI_SIZE(struct xen_domctl_vnuma, 48);

struct xen_domctl_paging_mempool {
    uint64_t size;
};
ABI_SIZE(struct xen_domctl_paging_mempool, 8);
