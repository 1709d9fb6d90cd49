// What is compared: domctl and sysctl. Included by layout_collect.hpp, once per set of headers.
// STRUCT(name, fields...) and CONSTANTS(names...); no include guard, as nothing else includes it.
// clang-format off

// domctl_ops.h
CONSTANTS(XEN_DOMCTL_CDF_hvm, XEN_DOMCTL_CDF_hap, XEN_DOMCTL_CDF_s3_integrity, XEN_DOMCTL_CDF_oos_off,
    XEN_DOMCTL_CDF_xs_domain, XEN_DOMCTL_CDF_iommu, XEN_DOMCTL_CDF_nested_virt, XEN_DOMCTL_CDF_vpmu,
    XEN_DOMCTL_CDF_MAX, XEN_DOMCTL_IOMMU_no_sharept, XEN_DOMCTL_IOMMU_MAX, XEN_DOMCTL_GRANT_version(0x12),
    XEN_DOMCTL_GRANT_version_mask, XEN_X86_MSR_RELAXED, XEN_X86_MISC_FLAGS_MAX, XEN_DOMINF_dying,
    XEN_DOMINF_hvm_guest, XEN_DOMINF_shutdown, XEN_DOMINF_paused, XEN_DOMINF_blocked, XEN_DOMINF_running,
    XEN_DOMINF_debugged, XEN_DOMINF_xs_domain, XEN_DOMINF_hap, XEN_DOMINF_shutdownmask,
    XEN_DOMINF_shutdownshift, XEN_INVALID_MAX_VCPU_ID, XEN_DOMCTL_PFINFO_LTAB_SHIFT,
    XEN_DOMCTL_PFINFO_NOTAB, XEN_DOMCTL_PFINFO_L1TAB, XEN_DOMCTL_PFINFO_L2TAB, XEN_DOMCTL_PFINFO_L3TAB,
    XEN_DOMCTL_PFINFO_L4TAB, XEN_DOMCTL_PFINFO_LTABTYPE_MASK, XEN_DOMCTL_PFINFO_LPINTAB,
    XEN_DOMCTL_PFINFO_XTAB, XEN_DOMCTL_PFINFO_XALLOC, XEN_DOMCTL_PFINFO_BROKEN, XEN_DOMCTL_PFINFO_LTAB_MASK,
    XEN_DOMCTL_SHADOW_OP_OFF, XEN_DOMCTL_SHADOW_OP_ENABLE_TEST, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY,
    XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_OP_PEEK, XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION,
    XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT,
    XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY, XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE,
    XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, XEN_VCPUAFFINITY_HARD,
    XEN_VCPUAFFINITY_SOFT, XEN_VCPUAFFINITY_FORCE, XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_CREDIT2,
    XEN_SCHEDULER_ARINC653, XEN_SCHEDULER_RTDS, XEN_SCHEDULER_NULL, XEN_DOMCTL_SCHEDRT_extra,
    XEN_DOMCTL_SCHEDOP_putinfo, XEN_DOMCTL_SCHEDOP_getinfo, XEN_DOMCTL_SCHEDOP_putvcpuinfo,
    XEN_DOMCTL_SCHEDOP_getvcpuinfo)
STRUCT(xen_arch_domainconfig, emulation_flags, misc_flags)
STRUCT(xen_domctl_createdomain, ssidref, handle, flags, iommu_opts, max_vcpus, max_evtchn_port,
    max_grant_frames, max_maptrack_frames, grant_opts, vmtrace_size, cpupool_id, arch)
STRUCT(xen_domctl_getdomaininfo, domain, pad1, flags, tot_pages, max_pages, outstanding_pages, shr_pages,
    paged_pages, shared_info_frame, cpu_time, nr_online_vcpus, max_vcpu_id, ssidref, handle, cpupool,
    gpaddr_bits, pad2, arch_config)
STRUCT(xen_domctl_getpageframeinfo3, num, array)
STRUCT(xen_domctl_shadow_op_stats, fault_count, dirty_count)
STRUCT(xen_domctl_shadow_op, op, mode, mb, dirty_bitmap, pages, stats)
STRUCT(xen_domctl_max_mem, max_memkb)
STRUCT(xen_domctl_vcpucontext, vcpu, ctxt)
STRUCT(xen_domctl_getvcpuinfo, vcpu, online, blocked, running, cpu_time, cpu)
STRUCT(xen_domctl_nodeaffinity, nodemap)
STRUCT(xen_domctl_vcpuaffinity, vcpu, flags, cpumap_hard, cpumap_soft)
STRUCT(xen_domctl_max_vcpus, max)
STRUCT(xen_domctl_sched_credit, weight, cap)
STRUCT(xen_domctl_sched_credit2, weight, cap)
STRUCT(xen_domctl_sched_rtds, period, budget, flags)
STRUCT(xen_domctl_schedparam_vcpu, u, u.credit, u.credit2, u.rtds, vcpuid)
STRUCT(xen_domctl_scheduler_op, sched_id, cmd, u, u.credit, u.credit2, u.rtds, u.v, u.v.vcpus, u.v.nr_vcpus,
    u.v.padding)
STRUCT(xen_domctl_setdomainhandle, handle)
STRUCT(xen_domctl_setdebugging, enable)
STRUCT(xen_domctl_hypercall_init, gmfn)
STRUCT(xen_domctl_settimeoffset, time_offset_seconds)
STRUCT(xen_domctl_tsc_info, tsc_mode, gtsc_khz, incarnation, pad, elapsed_nsec)
STRUCT(xen_domctl_address_size, size)
STRUCT(xen_domctl_set_target, target)
STRUCT(xen_domctl_subscribe, port)
STRUCT(xen_domctl_set_virq_handler, virq)
STRUCT(xen_domctl_set_broken_page_p2m, pfn)
STRUCT(xen_domctl_set_access_required, access_required)
STRUCT(xen_domctl_vnuma, nr_vnodes, nr_vmemranges, nr_vcpus, pad, vdistance, vcpu_to_vnode, vnode_to_pnode,
    vmemrange)
STRUCT(xen_domctl_paging_mempool, size)

// domctl_hw.h
CONSTANTS(XEN_DOMCTL_SENDTRIGGER_NMI, XEN_DOMCTL_SENDTRIGGER_RESET, XEN_DOMCTL_SENDTRIGGER_INIT,
    XEN_DOMCTL_SENDTRIGGER_POWER, XEN_DOMCTL_SENDTRIGGER_SLEEP, XEN_DOMCTL_DEV_PCI, XEN_DOMCTL_DEV_DT,
    XEN_DOMCTL_DEV_RDM_RELAXED, DPCI_ADD_MAPPING, DPCI_REMOVE_MAPPING, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF,
    XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON)
STRUCT(xen_domctl_irq_permission, pirq, allow_access, pad)
STRUCT(xen_domctl_iomem_permission, first_mfn, nr_mfns, allow_access)
STRUCT(xen_domctl_ioport_permission, first_port, nr_ports, allow_access)
STRUCT(xen_domctl_sendtrigger, trigger, vcpu)
STRUCT(xen_domctl_assign_device, dev, flags, u, u.pci, u.pci.machine_sbdf, u.dt, u.dt.size, u.dt.path)
STRUCT(xen_domctl_get_device_group, machine_sbdf, max_sdevs, num_sdevs, sdev_array)
STRUCT(xen_domctl_memory_mapping, first_gfn, first_mfn, nr_mfns, add_mapping, padding)
STRUCT(xen_domctl_ioport_mapping, first_gport, first_mport, nr_ports, add_mapping)
STRUCT(xen_domctl_ext_vcpucontext, vcpu, size, syscall32_callback_eip, sysenter_callback_eip,
    syscall32_callback_cs, sysenter_callback_cs, syscall32_disables_events, sysenter_disables_events, vmce,
    vmce.caps, vmce.mci_ctl2_bank0, vmce.mci_ctl2_bank1, vmce.mcg_ext_ctl)
STRUCT(xen_domctl_debug_op, op, vcpu)
STRUCT(xen_domctl_cpu_policy, nr_leaves, nr_msrs, leaves, msrs, err_leaf, err_subleaf, err_msr)
STRUCT(xen_domctl_vcpuextstate, vcpu, xfeature_mask, size, buffer)
STRUCT(xen_domctl_vcpu_msr, index, reserved, value)
STRUCT(xen_domctl_vcpu_msrs, vcpu, msr_count, msrs)
STRUCT(xen_domctl_gdbsx_memio, pgd3val, gva, uva, len, gwr, remain)
STRUCT(xen_domctl_gdbsx_pauseunp_vcpu, vcpu)
STRUCT(xen_domctl_gdbsx_domstatus, paused, vcpu_id, vcpu_ev)

// domctl.h
CONSTANTS(XEN_DOMCTL_INTERFACE_VERSION, XEN_DOMCTL_createdomain, XEN_DOMCTL_destroydomain,
    XEN_DOMCTL_pausedomain, XEN_DOMCTL_unpausedomain, XEN_DOMCTL_getdomaininfo, XEN_DOMCTL_setvcpuaffinity,
    XEN_DOMCTL_shadow_op, XEN_DOMCTL_max_mem, XEN_DOMCTL_setvcpucontext, XEN_DOMCTL_getvcpucontext,
    XEN_DOMCTL_getvcpuinfo, XEN_DOMCTL_max_vcpus, XEN_DOMCTL_scheduler_op, XEN_DOMCTL_setdomainhandle,
    XEN_DOMCTL_setdebugging, XEN_DOMCTL_irq_permission, XEN_DOMCTL_iomem_permission,
    XEN_DOMCTL_ioport_permission, XEN_DOMCTL_hypercall_init, XEN_DOMCTL_settimeoffset,
    XEN_DOMCTL_getvcpuaffinity, XEN_DOMCTL_real_mode_area, XEN_DOMCTL_resumedomain, XEN_DOMCTL_sendtrigger,
    XEN_DOMCTL_subscribe, XEN_DOMCTL_gethvmcontext, XEN_DOMCTL_sethvmcontext, XEN_DOMCTL_set_address_size,
    XEN_DOMCTL_get_address_size, XEN_DOMCTL_assign_device, XEN_DOMCTL_bind_pt_irq,
    XEN_DOMCTL_memory_mapping, XEN_DOMCTL_ioport_mapping, XEN_DOMCTL_set_ext_vcpucontext,
    XEN_DOMCTL_get_ext_vcpucontext, XEN_DOMCTL_set_opt_feature, XEN_DOMCTL_test_assign_device,
    XEN_DOMCTL_set_target, XEN_DOMCTL_deassign_device, XEN_DOMCTL_unbind_pt_irq,
    XEN_DOMCTL_get_device_group, XEN_DOMCTL_debug_op, XEN_DOMCTL_gethvmcontext_partial,
    XEN_DOMCTL_vm_event_op, XEN_DOMCTL_mem_sharing_op, XEN_DOMCTL_gettscinfo, XEN_DOMCTL_settscinfo,
    XEN_DOMCTL_getpageframeinfo3, XEN_DOMCTL_setvcpuextstate, XEN_DOMCTL_getvcpuextstate,
    XEN_DOMCTL_set_access_required, XEN_DOMCTL_audit_p2m, XEN_DOMCTL_set_virq_handler,
    XEN_DOMCTL_set_broken_page_p2m, XEN_DOMCTL_setnodeaffinity, XEN_DOMCTL_getnodeaffinity,
    XEN_DOMCTL_cacheflush, XEN_DOMCTL_get_vcpu_msrs, XEN_DOMCTL_set_vcpu_msrs, XEN_DOMCTL_setvnumainfo,
    XEN_DOMCTL_psr_cmt_op, XEN_DOMCTL_monitor_op, XEN_DOMCTL_psr_alloc, XEN_DOMCTL_soft_reset,
    XEN_DOMCTL_vuart_op, XEN_DOMCTL_get_cpu_policy, XEN_DOMCTL_set_cpu_policy, XEN_DOMCTL_vmtrace_op,
    XEN_DOMCTL_get_paging_mempool_size, XEN_DOMCTL_set_paging_mempool_size, XEN_DOMCTL_gdbsx_guestmemio,
    XEN_DOMCTL_gdbsx_pausevcpu, XEN_DOMCTL_gdbsx_unpausevcpu, XEN_DOMCTL_gdbsx_domstatus)
STRUCT(xen_domctl, cmd, interface_version, domain, _pad, u, u.createdomain, u.getdomaininfo,
    u.getpageframeinfo3, u.nodeaffinity, u.vcpuaffinity, u.shadow_op, u.max_mem, u.vcpucontext,
    u.getvcpuinfo, u.max_vcpus, u.scheduler_op, u.setdomainhandle, u.setdebugging, u.irq_permission,
    u.iomem_permission, u.ioport_permission, u.hypercall_init, u.settimeoffset, u.tsc_info, u.address_size,
    u.sendtrigger, u.assign_device, u.get_device_group, u.memory_mapping, u.ioport_mapping,
    u.ext_vcpucontext, u.set_target, u.subscribe, u.debug_op, u.cpu_policy, u.vcpuextstate, u.vcpu_msrs,
    u.access_required, u.set_virq_handler, u.gdbsx_guest_memio, u.set_broken_page_p2m,
    u.gdbsx_pauseunp_vcpu, u.gdbsx_domstatus, u.vnuma, u.paging_mempool, u.pad)

// sysctl.h
CONSTANTS(XEN_SYSCTL_INTERFACE_VERSION, XEN_SYSCTL_readconsole, XEN_SYSCTL_tbuf_op, XEN_SYSCTL_physinfo,
    XEN_SYSCTL_sched_id, XEN_SYSCTL_perfc_op, XEN_SYSCTL_getdomaininfolist, XEN_SYSCTL_debug_keys,
    XEN_SYSCTL_getcpuinfo, XEN_SYSCTL_availheap, XEN_SYSCTL_get_pmstat, XEN_SYSCTL_cpu_hotplug,
    XEN_SYSCTL_pm_op, XEN_SYSCTL_page_offline_op, XEN_SYSCTL_lockprof_op, XEN_SYSCTL_cputopoinfo,
    XEN_SYSCTL_numainfo, XEN_SYSCTL_cpupool_op, XEN_SYSCTL_scheduler_op, XEN_SYSCTL_coverage_op,
    XEN_SYSCTL_psr_cmt_op, XEN_SYSCTL_pcitopoinfo, XEN_SYSCTL_psr_alloc, XEN_SYSCTL_get_cpu_levelling_caps,
    XEN_SYSCTL_get_cpu_featureset, XEN_SYSCTL_livepatch_op, XEN_SYSCTL_get_cpu_policy,
    XEN_SYSCTL_TBUFOP_get_info, XEN_SYSCTL_TBUFOP_set_cpu_mask, XEN_SYSCTL_TBUFOP_set_evt_mask,
    XEN_SYSCTL_TBUFOP_set_size, XEN_SYSCTL_TBUFOP_enable, XEN_SYSCTL_TBUFOP_disable, XEN_SYSCTL_PHYSCAP_hvm,
    XEN_SYSCTL_PHYSCAP_pv, XEN_SYSCTL_PHYSCAP_directio, XEN_SYSCTL_PHYSCAP_hap, XEN_SYSCTL_PHYSCAP_shadow,
    XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share, XEN_SYSCTL_PHYSCAP_vmtrace, XEN_SYSCTL_PHYSCAP_vpmu,
    XEN_SYSCTL_PHYSCAP_gnttab_v1, XEN_SYSCTL_PHYSCAP_gnttab_v2, XEN_SYSCTL_PHYSCAP_MAX,
    XEN_SYSCTL_PERFCOP_reset, XEN_SYSCTL_PERFCOP_query, XEN_SYSCTL_CPU_HOTPLUG_ONLINE,
    XEN_SYSCTL_CPU_HOTPLUG_OFFLINE, XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE, XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE,
    XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID, XEN_INVALID_NODE_ID, XEN_INVALID_DEV, XEN_INVALID_MEM_SZ,
    XEN_INVALID_NODE_DIST, XEN_SYSCTL_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_OP_DESTROY,
    XEN_SYSCTL_CPUPOOL_OP_INFO, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, XEN_SYSCTL_CPUPOOL_OP_RMCPU,
    XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, XEN_SYSCTL_CPUPOOL_PAR_ANY,
    XEN_SYSCTL_SCHED_RATELIMIT_MAX, XEN_SYSCTL_SCHED_RATELIMIT_MIN, XEN_SYSCTL_CSCHED_TSLICE_MAX,
    XEN_SYSCTL_CSCHED_TSLICE_MIN, XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US, XEN_SYSCTL_SCHEDOP_putinfo,
    XEN_SYSCTL_SCHEDOP_getinfo, XEN_SYSCTL_CPU_LEVELCAP_faulting, XEN_SYSCTL_CPU_LEVELCAP_ecx,
    XEN_SYSCTL_CPU_LEVELCAP_edx, XEN_SYSCTL_CPU_LEVELCAP_extd_ecx, XEN_SYSCTL_CPU_LEVELCAP_extd_edx,
    XEN_SYSCTL_CPU_LEVELCAP_xsave_eax, XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx,
    XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax, XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx, XEN_SYSCTL_cpu_featureset_raw,
    XEN_SYSCTL_cpu_featureset_host, XEN_SYSCTL_cpu_featureset_pv, XEN_SYSCTL_cpu_featureset_hvm,
    XEN_SYSCTL_cpu_featureset_pv_max, XEN_SYSCTL_cpu_featureset_hvm_max, XEN_SYSCTL_cpu_policy_raw,
    XEN_SYSCTL_cpu_policy_host, XEN_SYSCTL_cpu_policy_pv_max, XEN_SYSCTL_cpu_policy_hvm_max,
    XEN_SYSCTL_cpu_policy_pv_default, XEN_SYSCTL_cpu_policy_hvm_default)
STRUCT(xen_sysctl_readconsole, clear, incremental, pad0, pad1, index, buffer, count)
STRUCT(xen_sysctl_tbuf_op, cmd, cpu_mask, evt_mask, buffer_mfn, size)
STRUCT(xen_sysctl_physinfo, threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes, max_node_id,
    cpu_khz, capabilities, arch_capabilities, pad, total_pages, free_pages, scrub_pages, outstanding_pages,
    max_mfn, hw_cap)
STRUCT(xen_sysctl_sched_id, sched_id)
STRUCT(xen_sysctl_perfc_desc, name, nr_vals)
STRUCT(xen_sysctl_perfc_op, cmd, nr_counters, nr_vals, desc, val)
STRUCT(xen_sysctl_getdomaininfolist, first_domain, max_domains, buffer, num_domains)
STRUCT(xen_sysctl_debug_keys, keys, nr_keys)
STRUCT(xen_sysctl_cpuinfo, idletime)
STRUCT(xen_sysctl_getcpuinfo, max_cpus, info, nr_cpus)
STRUCT(xen_sysctl_availheap, min_bitwidth, max_bitwidth, node, avail_bytes)
STRUCT(xen_sysctl_cpu_hotplug, cpu, op)
STRUCT(xen_sysctl_cputopo, core, socket, node)
STRUCT(xen_sysctl_cputopoinfo, num_cpus, cputopo)
STRUCT(xen_sysctl_pcitopoinfo, num_devs, devs, nodes)
STRUCT(xen_sysctl_meminfo, memsize, memfree)
STRUCT(xen_sysctl_numainfo, num_nodes, meminfo, distance)
STRUCT(xen_sysctl_cpupool_op, op, cpupool_id, sched_id, domid, cpu, n_dom, cpumap)
STRUCT(xen_sysctl_credit_schedule, tslice_ms, ratelimit_us, vcpu_migr_delay_us)
STRUCT(xen_sysctl_credit2_schedule, ratelimit_us)
STRUCT(xen_sysctl_scheduler_op, cpupool_id, sched_id, cmd, u, u.sched_credit, u.sched_credit2,
    u.sched_arinc653, u.sched_arinc653.schedule)
STRUCT(xen_sysctl_cpu_levelling_caps, caps)
STRUCT(xen_sysctl_cpu_featureset, index, nr_features, features)
STRUCT(xen_sysctl_cpu_policy, index, nr_leaves, nr_msrs, _rsvd, leaves, msrs)
STRUCT(xen_sysctl, cmd, interface_version, u, u.readconsole, u.tbuf_op, u.physinfo, u.cputopoinfo,
    u.pcitopoinfo, u.numainfo, u.sched_id, u.perfc_op, u.getdomaininfolist, u.debug_keys, u.getcpuinfo,
    u.availheap, u.cpu_hotplug, u.cpupool_op, u.scheduler_op, u.cpu_levelling_caps, u.cpu_featureset,
    u.cpu_policy, u.pad)
