// What is compared: what a PV kernel needs to run. Included by layout_collect.hpp, once per set of headers.
// STRUCT(name, fields...) and CONSTANTS(names...); no include guard, as nothing else includes it.
// clang-format off

// types.h
CONSTANTS(DOMID_FIRST_RESERVED, DOMID_SELF, DOMID_INVALID)
STRUCT(xenctl_bitmap, bitmap, nr_bits)

// hypercall.h
CONSTANTS(__HYPERVISOR_set_trap_table, __HYPERVISOR_mmu_update, __HYPERVISOR_set_gdt,
    __HYPERVISOR_stack_switch, __HYPERVISOR_set_callbacks, __HYPERVISOR_fpu_taskswitch,
    __HYPERVISOR_sched_op_compat, __HYPERVISOR_platform_op, __HYPERVISOR_set_debugreg,
    __HYPERVISOR_get_debugreg, __HYPERVISOR_update_descriptor, __HYPERVISOR_memory_op,
    __HYPERVISOR_multicall, __HYPERVISOR_update_va_mapping, __HYPERVISOR_set_timer_op,
    __HYPERVISOR_event_channel_op_compat, __HYPERVISOR_xen_version, __HYPERVISOR_console_io,
    __HYPERVISOR_physdev_op_compat, __HYPERVISOR_grant_table_op, __HYPERVISOR_vm_assist,
    __HYPERVISOR_update_va_mapping_otherdomain, __HYPERVISOR_iret, __HYPERVISOR_vcpu_op,
    __HYPERVISOR_set_segment_base, __HYPERVISOR_mmuext_op, __HYPERVISOR_xsm_op, __HYPERVISOR_nmi_op,
    __HYPERVISOR_sched_op, __HYPERVISOR_callback_op, __HYPERVISOR_xenoprof_op,
    __HYPERVISOR_event_channel_op, __HYPERVISOR_physdev_op, __HYPERVISOR_hvm_op, __HYPERVISOR_sysctl,
    __HYPERVISOR_domctl, __HYPERVISOR_kexec_op, __HYPERVISOR_tmem_op, __HYPERVISOR_argo_op,
    __HYPERVISOR_xenpmu_op, __HYPERVISOR_dm_op, __HYPERVISOR_hypfs_op, __HYPERVISOR_mca)

// start_info.h
CONSTANTS(MAX_GUEST_CMDLINE, SIF_PRIVILEGED, SIF_INITDOMAIN, SIF_MOD_START_PFN, XEN_VGATYPE_TEXT_MODE_3,
    XEN_VGATYPE_VESA_LFB, XEN_VGATYPE_EFI_LFB, XEN_ELFNOTE_ENTRY, XEN_ELFNOTE_HYPERCALL_PAGE,
    XEN_ELFNOTE_VIRT_BASE, XEN_ELFNOTE_PADDR_OFFSET, XEN_ELFNOTE_XEN_VERSION,
 XEN_ELFNOTE_LOADER, XEN_ELFNOTE_FEATURES,
    XEN_ELFNOTE_INIT_P2M, XEN_ELFNOTE_MOD_START_PFN,
    XEN_ELFNOTE_SUPPORTED_FEATURES)
STRUCT(start_info, magic, nr_pages, shared_info, flags, store_mfn, store_evtchn, console, console.domU,
    console.domU.mfn, console.domU.evtchn, console.dom0, console.dom0.info_off, console.dom0.info_size,
    pt_base, nr_pt_frames, mfn_list, mod_start, mod_len, cmd_line, first_p2m_pfn, nr_p2m_frames)
STRUCT(dom0_vga_console_info, video_type, u, u.text_mode_3, u.text_mode_3.font_height,
    u.text_mode_3.cursor_x, u.text_mode_3.cursor_y, u.text_mode_3.rows, u.text_mode_3.columns, u.vesa_lfb,
    u.vesa_lfb.width, u.vesa_lfb.height, u.vesa_lfb.bytes_per_line, u.vesa_lfb.bits_per_pixel,
    u.vesa_lfb.lfb_base, u.vesa_lfb.lfb_size, u.vesa_lfb.red_pos, u.vesa_lfb.red_size, u.vesa_lfb.green_pos,
    u.vesa_lfb.green_size, u.vesa_lfb.blue_pos, u.vesa_lfb.blue_size, u.vesa_lfb.rsvd_pos,
    u.vesa_lfb.rsvd_size, u.vesa_lfb.gbl_caps, u.vesa_lfb.mode_attrs, u.vesa_lfb.pad,
    u.vesa_lfb.ext_lfb_base)

// shared_info.h
CONSTANTS(XEN_LEGACY_MAX_VCPUS, VIRQ_TIMER, VIRQ_DEBUG, VIRQ_CONSOLE, VIRQ_DOM_EXC, VIRQ_XENOPROF,
    VIRQ_XENPMU, NR_VIRQS, RUNSTATE_running, RUNSTATE_runnable, RUNSTATE_blocked, RUNSTATE_offline,
    XEN_RUNSTATE_UPDATE)
STRUCT(vcpu_time_info, version, pad0, tsc_timestamp, system_time, tsc_to_system_mul, tsc_shift, flags, pad1)
STRUCT(vcpu_info, evtchn_upcall_pending, evtchn_upcall_mask, evtchn_pending_sel, arch, time, arch.cr2,
    arch.pad)
STRUCT(shared_info, vcpu_info, evtchn_pending, evtchn_mask, wc_version, wc_sec, wc_nsec, wc_sec_hi, arch,
    arch.max_pfn)
STRUCT(vcpu_runstate_info, state, state_entry_time, time)

// arch_x86.h
CONSTANTS(FLAT_KERNEL_CS64, FLAT_KERNEL_SS64, FIRST_RESERVED_GDT_ENTRY,
    MACH2PHYS_VIRT_START, MACH2PHYS_VIRT_END, SEGBASE_FS, SEGBASE_GS_USER,
    SEGBASE_GS_KERNEL, SEGBASE_GS_USER_SEL, VGCF_i387_valid, VGCF_in_kernel, VGCF_failsafe_disables_events,
    VGCF_syscall_disables_events, VGCF_online, VGCF_in_syscall, xen_pfn_to_cr3(5),
    xen_cr3_to_pfn(0x5000))
STRUCT(cpu_user_regs, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, error_code,
    entry_vector, rip, cs, _pad0, saved_upcall_mask, _pad1, rflags, rsp, ss, _pad2, es, _pad3, ds, _pad4,
    fs, _pad5, gs, _pad6)
STRUCT(trap_info, vector, flags, cs, address)
STRUCT(vcpu_guest_context, fpu_ctxt, fpu_ctxt.x, flags, user_regs, trap_ctxt, ldt_base, ldt_ents,
    gdt_frames, gdt_ents, kernel_ss, kernel_sp, ctrlreg, debugreg, event_callback_eip,
    failsafe_callback_eip, syscall_callback_eip, vm_assist, fs_base, gs_base_kernel, gs_base_user)
STRUCT(iret_context, rax, r11, rcx, flags, rip, cs, rflags, rsp, ss)

// mmu.h
CONSTANTS(MMU_MACHPHYS_UPDATE, MMU_PT_UPDATE_PRESERVE_AD, MMU_PT_UPDATE_NO_TRANSLATE,
    MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE,
    MMUEXT_NEW_BASEPTR, MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_INVLPG_LOCAL, MMUEXT_TLB_FLUSH_MULTI,
    MMUEXT_INVLPG_MULTI, MMUEXT_TLB_FLUSH_ALL, MMUEXT_INVLPG_ALL, MMUEXT_FLUSH_CACHE, MMUEXT_SET_LDT,
    MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE, MMUEXT_COPY_PAGE, MMUEXT_FLUSH_CACHE_GLOBAL,
    MMUEXT_MARK_SUPER, MMUEXT_UNMARK_SUPER, UVMF_NONE, UVMF_TLB_FLUSH, UVMF_INVLPG, UVMF_FLUSHTYPE_MASK,
    UVMF_LOCAL, UVMF_ALL, VMASST_CMD_enable, VMASST_CMD_disable, VMASST_TYPE_4gb_segments,
    VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3, VMASST_TYPE_runstate_update_flag,
    VMASST_TYPE_m2p_strict)
STRUCT(mmu_update, ptr, val)
STRUCT(mmuext_op, cmd, arg1, arg1.mfn, arg1.linear_addr, arg2, arg2.nr_ents, arg2.vcpumask, arg2.src_mfn)

// memory.h
CONSTANTS(XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_maximum_ram_page,
    XENMEM_current_reservation, XENMEM_maximum_reservation, XENMEM_machphys_mfn_list,
    XENMEM_populate_physmap, XENMEM_add_to_physmap, XENMEM_memory_map, XENMEM_machine_memory_map,
    XENMEM_exchange, XENMEM_machphys_mapping, XENMEM_set_memory_map, XENMEM_maximum_gpfn,
    XENMEM_remove_from_physmap, XENMEM_set_pod_target, XENMEM_get_pod_target,
    XENMEM_get_sharing_freed_pages, XENMEM_get_sharing_shared_pages, XENMEM_add_to_physmap_batch,
    XENMEM_claim_pages, XENMEM_get_vnumainfo, XENMEM_reserved_device_memory_map, XENMEM_acquire_resource,
    XENMEMF_populate_on_demand, XENMEMF_get_address_bits(0x1ff), XENMEM_resource_ioreq_server,
    XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared)
STRUCT(xen_memory_reservation, extent_start, nr_extents, extent_order, mem_flags, domid)
STRUCT(xen_memory_exchange, in, out, nr_exchanged)
STRUCT(xen_memory_domain, domid)
STRUCT(xen_machphys_mfn_list, max_extents, extent_start, nr_extents)
STRUCT(xen_machphys_mapping, v_start, v_end, max_mfn)
STRUCT(xen_memory_map, nr_entries, buffer)
STRUCT(xen_foreign_memory_map, domid, map)
STRUCT(xen_reserved_device_memory_map, flags, nr_entries, buffer, dev, dev.pci, dev.pci.seg, dev.pci.bus,
    dev.pci.devfn)
STRUCT(xen_mem_acquire_resource, domid, type, id, nr_frames, pad, frame, frame_list)

// sched.h
CONSTANTS(SCHEDOP_yield, SCHEDOP_block, SCHEDOP_shutdown, SCHEDOP_poll, SCHEDOP_remote_shutdown,
    SCHEDOP_shutdown_code, SCHEDOP_pin_override, SHUTDOWN_poweroff, SHUTDOWN_reboot,
    SHUTDOWN_crash, SHUTDOWN_watchdog, SHUTDOWN_MAX)
STRUCT(sched_shutdown, reason)
STRUCT(sched_poll, ports, nr_ports, timeout)
STRUCT(sched_remote_shutdown, domain_id, reason)

// vcpu.h
CONSTANTS(VCPUOP_initialise, VCPUOP_up, VCPUOP_down, VCPUOP_is_up, VCPUOP_get_runstate_info,
    VCPUOP_register_runstate_memory_area, VCPUOP_set_periodic_timer, VCPUOP_stop_periodic_timer,
    VCPUOP_set_singleshot_timer, VCPUOP_stop_singleshot_timer, VCPUOP_register_vcpu_info, VCPUOP_send_nmi,
    VCPUOP_get_physid, VCPUOP_register_vcpu_time_memory_area, VCPU_SSHOTTMR_future)
STRUCT(vcpu_register_runstate_memory_area, addr)
STRUCT(vcpu_set_periodic_timer, period_ns)
STRUCT(vcpu_set_singleshot_timer, timeout_abs_ns, flags)
STRUCT(vcpu_register_vcpu_info, mfn, offset, rsvd)
STRUCT(vcpu_get_physid, phys_id)
STRUCT(vcpu_register_time_memory_area, addr)

// callback.h
CONSTANTS(CALLBACKOP_register, CALLBACKOP_unregister, CALLBACKTYPE_event, CALLBACKTYPE_failsafe,
    CALLBACKTYPE_syscall, CALLBACKTYPE_sysenter_deprecated, CALLBACKTYPE_nmi, CALLBACKTYPE_sysenter,
    CALLBACKTYPE_syscall32, CALLBACKF_mask_events)
STRUCT(callback_register, type, flags, address)
STRUCT(callback_unregister, type, _unused)

// multicall.h
STRUCT(multicall_entry, op, result, args)

// console.h
CONSTANTS(CONSOLEIO_write, CONSOLEIO_read)

// version.h
CONSTANTS(XENVER_version, XENVER_extraversion, XENVER_compile_info, XENVER_capabilities, XENVER_changeset,
    XENVER_platform_parameters, XENVER_get_features, XENVER_pagesize, XENVER_guest_handle,
    XENVER_commandline, XENVER_build_id, XEN_EXTRAVERSION_LEN, XEN_CAPABILITIES_INFO_LEN,
    XEN_CHANGESET_INFO_LEN, XENFEAT_writable_page_tables, XENFEAT_writable_descriptor_tables,
    XENFEAT_auto_translated_physmap, XENFEAT_supervisor_mode_kernel, XENFEAT_pae_pgdir_above_4gb,
    XENFEAT_mmu_pt_update_preserve_ad, XENFEAT_highmem_assist, XENFEAT_gnttab_map_avail_bits,
    XENFEAT_hvm_callback_vector, XENFEAT_hvm_safe_pvclock, XENFEAT_hvm_pirqs, XENFEAT_dom0,
    XENFEAT_memory_op_vnode_supported, XENFEAT_not_direct_mapped, XENFEAT_direct_mapped, XENFEAT_NR_SUBMAPS)
STRUCT(xen_compile_info, compiler, compile_by, compile_domain, compile_date)
STRUCT(xen_platform_parameters, virt_start)
STRUCT(xen_feature_info, submap_idx, submap)
STRUCT(xen_build_id, len)

// cpuid.h
CONSTANTS(XEN_CPUID_NO_SUBLEAF, XEN_CPUID_FIRST_LEAF, XEN_CPUID_MAX_NUM_LEAVES, XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX,
          XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD)
STRUCT(xen_cpuid_leaf, leaf, subleaf, a, b, c, d)
STRUCT(xen_msr_entry, idx, flags, val)
