// What is compared: domctl and sysctl. Included by layout_collect.hpp, once per set of headers.
// STRUCT(name, fields...) and CONSTANTS(names...); no include guard, as nothing else includes it.
// clang-format off

// domctl.h, payloads
CONSTANTS(XEN_DOMCTL_CDF_hvm, XEN_DOMCTL_CDF_xs_domain, XEN_DOMCTL_CDF_iommu, XEN_DOMCTL_CDF_vpmu,
    XEN_DOMCTL_GRANT_version(0x12), XEN_X86_MISC_FLAGS_MAX, XEN_DOMINF_dying, XEN_DOMINF_shutdown,
    XEN_DOMINF_paused, XEN_DOMINF_blocked, XEN_DOMINF_running, XEN_DOMINF_xs_domain,
    XEN_DOMINF_shutdownmask, XEN_DOMINF_shutdownshift, XEN_INVALID_MAX_VCPU_ID,
    XEN_DOMCTL_PFINFO_LTAB_SHIFT, XEN_DOMCTL_PFINFO_NOTAB, XEN_DOMCTL_PFINFO_L4TAB,
    XEN_DOMCTL_PFINFO_LPINTAB, XEN_DOMCTL_PFINFO_XTAB, XEN_DOMCTL_SHADOW_OP_OFF,
    XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, XEN_VCPUAFFINITY_HARD, XEN_VCPUAFFINITY_SOFT,
    XEN_VCPUAFFINITY_FORCE, XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putinfo,
    XEN_DOMCTL_SCHEDOP_getinfo)
STRUCT(xen_arch_domainconfig, emulation_flags, misc_flags)
STRUCT(xen_domctl_createdomain, ssidref, handle, flags, iommu_opts, max_vcpus, max_evtchn_port,
    max_grant_frames, max_maptrack_frames, grant_opts, vmtrace_size, cpupool_id, arch)
STRUCT(xen_domctl_getdomaininfo, domain, pad1, flags, tot_pages, max_pages, outstanding_pages, shr_pages,
    paged_pages, shared_info_frame, cpu_time, nr_online_vcpus, max_vcpu_id, ssidref, handle, cpupool,
    gpaddr_bits, pad2, arch_config)
STRUCT(xen_domctl_getvcpuinfo, vcpu, online, blocked, running, cpu_time, cpu)

// domctl.h, payloads
CONSTANTS(XEN_DOMCTL_SENDTRIGGER_NMI, XEN_DOMCTL_SENDTRIGGER_POWER)
STRUCT(xen_domctl_cpu_policy, nr_leaves, nr_msrs, leaves, msrs, err_leaf, err_subleaf, err_msr)

// domctl.h
CONSTANTS(XEN_DOMCTL_INTERFACE_VERSION, XEN_DOMCTL_createdomain, XEN_DOMCTL_destroydomain,
    XEN_DOMCTL_pausedomain, XEN_DOMCTL_unpausedomain, XEN_DOMCTL_getdomaininfo, XEN_DOMCTL_setvcpuaffinity,
    XEN_DOMCTL_shadow_op, XEN_DOMCTL_max_mem, XEN_DOMCTL_setvcpucontext, XEN_DOMCTL_getvcpucontext,
    XEN_DOMCTL_getvcpuinfo, XEN_DOMCTL_max_vcpus, XEN_DOMCTL_scheduler_op, XEN_DOMCTL_setdomainhandle,
    XEN_DOMCTL_setdebugging, XEN_DOMCTL_irq_permission, XEN_DOMCTL_iomem_permission,
    XEN_DOMCTL_ioport_permission, XEN_DOMCTL_hypercall_init, XEN_DOMCTL_settimeoffset,
    XEN_DOMCTL_getvcpuaffinity, XEN_DOMCTL_resumedomain, XEN_DOMCTL_sendtrigger, XEN_DOMCTL_gethvmcontext,
    XEN_DOMCTL_set_address_size, XEN_DOMCTL_get_address_size, XEN_DOMCTL_gettscinfo, XEN_DOMCTL_settscinfo,
    XEN_DOMCTL_getpageframeinfo3, XEN_DOMCTL_set_virq_handler, XEN_DOMCTL_setnodeaffinity,
    XEN_DOMCTL_getnodeaffinity, XEN_DOMCTL_get_cpu_policy, XEN_DOMCTL_set_cpu_policy,
    XEN_DOMCTL_gdbsx_guestmemio)
STRUCT(xen_domctl, cmd, interface_version, domain, _pad, u, u.createdomain, u.getdomaininfo,
    u.getpageframeinfo3, u.nodeaffinity, u.vcpuaffinity, u.max_mem, u.vcpucontext, u.getvcpuinfo,
    u.max_vcpus, u.scheduler_op, u.setdomainhandle, u.setdebugging, u.irq_permission, u.iomem_permission,
    u.ioport_permission, u.hypercall_init, u.settimeoffset, u.tsc_info, u.address_size, u.sendtrigger,
    u.cpu_policy, u.set_virq_handler, u.pad)
STRUCT(xen_domctl, u.getpageframeinfo3.num, u.getpageframeinfo3.array, u.nodeaffinity.nodemap,
    u.vcpuaffinity.vcpu, u.vcpuaffinity.flags, u.vcpuaffinity.cpumap_hard, u.vcpuaffinity.cpumap_soft,
    u.shadow_op.op, u.max_mem.max_memkb, u.vcpucontext.vcpu, u.vcpucontext.ctxt, u.max_vcpus.max,
    u.scheduler_op.sched_id, u.scheduler_op.cmd, u.scheduler_op.u, u.scheduler_op.u.credit2,
    u.scheduler_op.u.credit2.weight, u.scheduler_op.u.credit2.cap, u.setdomainhandle.handle,
    u.setdebugging.enable)
STRUCT(xen_domctl, u.irq_permission.pirq, u.irq_permission.allow_access, u.iomem_permission.first_mfn,
    u.iomem_permission.nr_mfns, u.iomem_permission.allow_access, u.ioport_permission.first_port,
    u.ioport_permission.nr_ports, u.ioport_permission.allow_access, u.hypercall_init.gmfn,
    u.settimeoffset.time_offset_seconds, u.tsc_info.tsc_mode, u.tsc_info.gtsc_khz, u.tsc_info.incarnation,
    u.tsc_info.pad, u.tsc_info.elapsed_nsec, u.address_size.size, u.sendtrigger.trigger, u.sendtrigger.vcpu,
    u.set_virq_handler.virq)

// sysctl.h
CONSTANTS(XEN_SYSCTL_INTERFACE_VERSION, XEN_SYSCTL_readconsole, XEN_SYSCTL_tbuf_op, XEN_SYSCTL_physinfo,
    XEN_SYSCTL_sched_id, XEN_SYSCTL_perfc_op, XEN_SYSCTL_getdomaininfolist, XEN_SYSCTL_debug_keys,
    XEN_SYSCTL_availheap, XEN_SYSCTL_cputopoinfo, XEN_SYSCTL_numainfo, XEN_SYSCTL_cpupool_op,
    XEN_SYSCTL_scheduler_op, XEN_SYSCTL_pcitopoinfo, XEN_SYSCTL_get_cpu_levelling_caps, XEN_SYSCTL_get_cpu_featureset,
    XEN_SYSCTL_get_cpu_policy, XEN_SYSCTL_PHYSCAP_pv, XEN_SYSCTL_PHYSCAP_gnttab_v1, XEN_INVALID_CORE_ID,
    XEN_INVALID_SOCKET_ID, XEN_INVALID_NODE_ID, XEN_SYSCTL_CPUPOOL_OP_INFO,
    XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, XEN_SYSCTL_CPUPOOL_PAR_ANY,
    XEN_SYSCTL_SCHEDOP_getinfo,
    XEN_SYSCTL_cpu_featureset_pv, XEN_SYSCTL_cpu_featureset_hvm,
    XEN_SYSCTL_cpu_policy_hvm_max,
    XEN_SYSCTL_cpu_policy_pv_default, XEN_SYSCTL_cpu_policy_hvm_default)
STRUCT(xen_sysctl_physinfo, threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes, max_node_id,
    cpu_khz, capabilities, arch_capabilities, pad, total_pages, free_pages, scrub_pages, outstanding_pages,
    max_mfn, hw_cap)
STRUCT(xen_sysctl_cputopo, core, socket, node)
STRUCT(xen_sysctl_meminfo, memsize, memfree)
STRUCT(xen_sysctl, cmd, interface_version, u, u.readconsole, u.physinfo, u.cputopoinfo, u.numainfo,
    u.sched_id, u.getdomaininfolist, u.debug_keys, u.availheap, u.cpupool_op, u.scheduler_op,
    u.pcitopoinfo, u.cpu_levelling_caps, u.cpu_featureset, u.cpu_policy, u.pad)
STRUCT(xen_sysctl, u.readconsole.clear, u.readconsole.incremental, u.readconsole.pad0, u.readconsole.pad1,
    u.readconsole.index, u.readconsole.buffer, u.readconsole.count, u.cputopoinfo.num_cpus,
    u.cputopoinfo.cputopo, u.numainfo.num_nodes, u.numainfo.meminfo, u.numainfo.distance,
    u.sched_id.sched_id, u.getdomaininfolist.first_domain, u.getdomaininfolist.max_domains,
    u.getdomaininfolist.buffer, u.getdomaininfolist.num_domains, u.debug_keys.keys, u.debug_keys.nr_keys,
    u.availheap.min_bitwidth, u.availheap.max_bitwidth, u.availheap.node, u.availheap.avail_bytes)
STRUCT(xen_sysctl, u.cpupool_op.op, u.cpupool_op.cpupool_id, u.cpupool_op.sched_id, u.cpupool_op.domid,
    u.cpupool_op.cpu, u.cpupool_op.n_dom, u.cpupool_op.cpumap, u.scheduler_op.cpupool_id,
    u.scheduler_op.sched_id, u.scheduler_op.cmd, u.scheduler_op.u, u.scheduler_op.u.sched_credit2,
    u.scheduler_op.u.sched_credit2.ratelimit_us, u.pcitopoinfo.num_devs, u.pcitopoinfo.devs,
    u.pcitopoinfo.nodes, u.cpu_levelling_caps.caps, u.cpu_featureset.index,
    u.cpu_featureset.nr_features, u.cpu_featureset.features, u.cpu_policy.index, u.cpu_policy.nr_leaves,
    u.cpu_policy.nr_msrs, u.cpu_policy._rsvd, u.cpu_policy.leaves, u.cpu_policy.msrs)
