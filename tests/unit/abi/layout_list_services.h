// What is compared: events, grants, devices, rings. Included by layout_collect.hpp, once per set of headers.
// STRUCT(name, fields...) and CONSTANTS(names...); no include guard, as nothing else includes it.
// clang-format off

// event_channel.h
CONSTANTS(EVTCHNOP_bind_interdomain, EVTCHNOP_bind_virq, EVTCHNOP_bind_pirq, EVTCHNOP_close, EVTCHNOP_send,
    EVTCHNOP_status, EVTCHNOP_alloc_unbound, EVTCHNOP_bind_ipi, EVTCHNOP_bind_vcpu, EVTCHNOP_unmask,
    EVTCHNOP_reset, EVTCHNOP_init_control, EVTCHNOP_expand_array, EVTCHNOP_set_priority,
    BIND_PIRQ__WILL_SHARE, EVTCHNSTAT_closed, EVTCHNSTAT_unbound, EVTCHNSTAT_interdomain, EVTCHNSTAT_pirq,
    EVTCHNSTAT_virq, EVTCHNSTAT_ipi, EVTCHN_2L_NR_CHANNELS, EVTCHN_FIFO_PRIORITY_MAX,
    EVTCHN_FIFO_PRIORITY_DEFAULT, EVTCHN_FIFO_PRIORITY_MIN, EVTCHN_FIFO_MAX_QUEUES, EVTCHN_FIFO_PENDING,
    EVTCHN_FIFO_MASKED, EVTCHN_FIFO_LINKED, EVTCHN_FIFO_BUSY, EVTCHN_FIFO_LINK_BITS, EVTCHN_FIFO_LINK_MASK,
    EVTCHN_FIFO_NR_CHANNELS)
STRUCT(evtchn_alloc_unbound, dom, remote_dom, port)
STRUCT(evtchn_bind_interdomain, remote_dom, remote_port, local_port)
STRUCT(evtchn_bind_virq, virq, vcpu, port)
STRUCT(evtchn_bind_pirq, pirq, flags, port)
STRUCT(evtchn_bind_ipi, vcpu, port)
STRUCT(evtchn_close, port)
STRUCT(evtchn_send, port)
STRUCT(evtchn_status, dom, port, status, vcpu, u, u.unbound, u.unbound.dom, u.interdomain,
    u.interdomain.dom, u.interdomain.port, u.pirq, u.virq)
STRUCT(evtchn_bind_vcpu, port, vcpu)
STRUCT(evtchn_unmask, port)
STRUCT(evtchn_reset, dom)
STRUCT(evtchn_init_control, control_gfn, offset, vcpu, link_bits, _pad)
STRUCT(evtchn_expand_array, array_gfn)
STRUCT(evtchn_set_priority, port, priority)
STRUCT(evtchn_op, cmd, u, u.alloc_unbound, u.bind_interdomain, u.bind_virq, u.bind_pirq, u.bind_ipi,
    u.close, u.send, u.status, u.bind_vcpu, u.unmask)
STRUCT(evtchn_fifo_control_block, ready, _rsvd, head)

// grant_table.h
CONSTANTS(GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_setup_table, GNTTABOP_dump_table,
    GNTTABOP_transfer, GNTTABOP_copy, GNTTABOP_query_size, GNTTABOP_unmap_and_replace, GNTTABOP_set_version,
    GNTTABOP_get_status_frames, GNTTABOP_get_version, GNTTABOP_swap_grant_ref, GNTTABOP_cache_flush,
    GNTTAB_NR_RESERVED_ENTRIES, GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE, GTF_invalid,
    GTF_permit_access, GTF_accept_transfer, GTF_transitive, GTF_type_mask, GTF_readonly, GTF_reading,
    GTF_writing, GTF_PWT, GTF_PCD, GTF_PAT, GTF_sub_page, GTF_transfer_committed, GTF_transfer_completed,
    GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly, GNTMAP_application_map, GNTMAP_contains_pte,
    _GNTMAP_guest_avail0, GNTMAP_guest_avail_mask, GNTST_okay, GNTST_general_error, GNTST_bad_domain,
    GNTST_bad_gntref, GNTST_bad_handle, GNTST_bad_virt_addr, GNTST_bad_dev_addr, GNTST_no_device_space,
    GNTST_permission_denied, GNTST_bad_page, GNTST_bad_copy_arg, GNTST_address_too_big, GNTST_eagain,
    GNTST_no_space, GNTCOPY_source_gref, GNTCOPY_dest_gref, GNTTAB_CACHE_CLEAN, GNTTAB_CACHE_INVAL,
    GNTTAB_CACHE_SOURCE_GREF)
STRUCT(grant_entry_v1, flags, domid, frame)
STRUCT(grant_entry_header, flags, domid)
STRUCT(grant_entry_v2, hdr, full_page, full_page.hdr, full_page.pad0, full_page.frame, sub_page,
    sub_page.hdr, sub_page.page_off, sub_page.length, sub_page.frame, transitive, transitive.hdr,
    transitive.trans_domid, transitive.pad0, transitive.gref, __spacer)
STRUCT(gnttab_map_grant_ref, host_addr, flags, ref, dom, status, handle, dev_bus_addr)
STRUCT(gnttab_unmap_grant_ref, host_addr, dev_bus_addr, handle, status)
STRUCT(gnttab_setup_table, dom, nr_frames, status, frame_list)
STRUCT(gnttab_dump_table, dom, status)
STRUCT(gnttab_transfer, mfn, domid, ref, status)
STRUCT(gnttab_copy, source, dest, len, flags, status)
STRUCT(gnttab_query_size, dom, nr_frames, max_nr_frames, status)
STRUCT(gnttab_unmap_and_replace, host_addr, new_addr, handle, status)
STRUCT(gnttab_set_version, version)
STRUCT(gnttab_get_status_frames, nr_frames, dom, status, frame_list)
STRUCT(gnttab_get_version, dom, pad, version)
STRUCT(gnttab_swap_grant_ref, ref_a, ref_b, status)
STRUCT(gnttab_cache_flush, a, a.dev_bus_addr, a.ref, offset, length, op)

// physdev.h
CONSTANTS(PHYSDEVOP_IRQ_UNMASK_NOTIFY, PHYSDEVOP_irq_status_query, PHYSDEVOP_set_iopl,
    PHYSDEVOP_set_iobitmap, PHYSDEVOP_apic_read, PHYSDEVOP_apic_write, PHYSDEVOP_alloc_irq_vector,
    PHYSDEVOP_free_irq_vector, PHYSDEVOP_eoi, PHYSDEVOP_map_pirq, PHYSDEVOP_unmap_pirq,
    PHYSDEVOP_manage_pci_add, PHYSDEVOP_manage_pci_remove, PHYSDEVOP_pirq_eoi_gmfn_v1,
    PHYSDEVOP_restore_msi, PHYSDEVOP_manage_pci_add_ext, PHYSDEVOP_setup_gsi, PHYSDEVOP_get_free_pirq,
    PHYSDEVOP_pci_mmcfg_reserved, PHYSDEVOP_pci_device_add, PHYSDEVOP_pci_device_remove,
    PHYSDEVOP_restore_msi_ext, PHYSDEVOP_pirq_eoi_gmfn_v2, PHYSDEVOP_dbgp_op, PHYSDEVOP_prepare_msix,
    PHYSDEVOP_release_msix, XENIRQSTAT_needs_eoi, XENIRQSTAT_shared, MAP_PIRQ_TYPE_MSI, MAP_PIRQ_TYPE_GSI,
    MAP_PIRQ_TYPE_UNKNOWN, MAP_PIRQ_TYPE_MSI_SEG, MAP_PIRQ_TYPE_MULTI_MSI, XEN_PCI_MMCFG_RESERVED,
    XEN_PCI_DEV_EXTFN, XEN_PCI_DEV_VIRTFN, XEN_PCI_DEV_PXM, PHYSDEVOP_DBGP_RESET_PREPARE,
    PHYSDEVOP_DBGP_RESET_DONE, PHYSDEVOP_DBGP_BUS_UNKNOWN, PHYSDEVOP_DBGP_BUS_PCI)
STRUCT(physdev_eoi, irq)
STRUCT(physdev_pirq_eoi_gmfn, gmfn)
STRUCT(physdev_irq_status_query, irq, flags)
STRUCT(physdev_set_iopl, iopl)
STRUCT(physdev_set_iobitmap, bitmap, nr_ports)
STRUCT(physdev_apic, apic_physbase, reg, value)
STRUCT(physdev_irq, irq, vector)
STRUCT(physdev_map_pirq, domid, type, index, pirq, bus, devfn, entry_nr, table_base)
STRUCT(physdev_unmap_pirq, domid, pirq)
STRUCT(physdev_manage_pci, bus, devfn)
STRUCT(physdev_restore_msi, bus, devfn)
STRUCT(physdev_manage_pci_ext, bus, devfn, is_extfn, is_virtfn, physfn, physfn.bus, physfn.devfn)
STRUCT(physdev_op, cmd, u, u.irq_status_query, u.set_iopl, u.set_iobitmap, u.apic_op, u.irq_op)
STRUCT(physdev_setup_gsi, gsi, triggering, polarity)
STRUCT(physdev_get_free_pirq, type, pirq)
STRUCT(physdev_pci_mmcfg_reserved, address, segment, start_bus, end_bus, flags)
STRUCT(physdev_pci_device_add, seg, bus, devfn, flags, physfn, physfn.bus, physfn.devfn)
STRUCT(physdev_pci_device, seg, bus, devfn)
STRUCT(physdev_dbgp_op, op, bus, u, u.pci)

// platform_pm.h
CONSTANTS(XEN_PROCESSOR_PM_CX, XEN_PROCESSOR_PM_PX, XEN_PROCESSOR_PM_TX, XEN_PM_CX, XEN_PM_PX, XEN_PM_TX,
    XEN_PM_PDC, XEN_PX_PCT, XEN_PX_PSS, XEN_PX_PPC, XEN_PX_PSD, XEN_CPUPERF_SHARED_TYPE_HW,
    XEN_CPUPERF_SHARED_TYPE_ALL, XEN_CPUPERF_SHARED_TYPE_ANY)
STRUCT(xen_power_register, space_id, bit_width, bit_offset, access_size, address)
STRUCT(xen_processor_csd, domain, coord_type, num)
STRUCT(xen_processor_cx, reg, type, latency, power, dpcnt, dp)
STRUCT(xen_processor_power, count, flags, states)
STRUCT(xen_pct_register, descriptor, length, space_id, bit_width, bit_offset, reserved, address)
STRUCT(xen_processor_px, core_frequency, power, transition_latency, bus_master_latency, control, status)
STRUCT(xen_psd_package, num_entries, revision, domain, coord_type, num_processors)
STRUCT(xen_processor_performance, flags, platform_limit, control_register, status_register, state_count,
    states, domain_info, shared_type)
STRUCT(xenpf_set_processor_pminfo, id, type, u, u.power, u.perf, u.pdc)

// platform.h
CONSTANTS(XENPF_INTERFACE_VERSION, XENPF_settime32, XENPF_add_memtype, XENPF_del_memtype,
    XENPF_read_memtype, XENPF_microcode_update, XENPF_platform_quirk, XENPF_get_cpu_version,
    XENPF_efi_runtime_call, XENPF_firmware_info, XENPF_enter_acpi_sleep, XENPF_change_freq,
    XENPF_getidletime, XENPF_set_processor_pminfo, XENPF_get_cpuinfo, XENPF_cpu_online, XENPF_cpu_offline,
    XENPF_cpu_hotadd, XENPF_mem_hotadd, XENPF_core_parking, XENPF_resource_op, XENPF_settime64,
    XENPF_get_symbol, QUIRK_NOIRQBALANCING, QUIRK_IOAPIC_BAD_REGSEL, QUIRK_IOAPIC_GOOD_REGSEL,
    XEN_EFI_get_time, XEN_EFI_set_time, XEN_EFI_get_wakeup_time, XEN_EFI_set_wakeup_time,
    XEN_EFI_get_next_high_monotonic_count, XEN_EFI_get_variable, XEN_EFI_set_variable,
    XEN_EFI_get_next_variable_name, XEN_EFI_query_variable_info, XEN_EFI_query_capsule_capabilities,
    XEN_EFI_update_capsule, XEN_FW_DISK_INFO, XEN_FW_DISK_MBR_SIGNATURE, XEN_FW_VBEDDC_INFO,
    XEN_FW_EFI_INFO, XEN_FW_KBD_SHIFT_FLAGS, XEN_FW_EFI_VERSION, XEN_FW_EFI_CONFIG_TABLE, XEN_FW_EFI_VENDOR,
    XEN_FW_EFI_MEM_INFO, XEN_FW_EFI_RT_VERSION, XEN_FW_EFI_PCI_ROM, XEN_FW_EFI_APPLE_PROPERTIES,
    XENPF_ACPI_SLEEP_EXTENDED, XEN_PCPU_FLAGS_ONLINE, XEN_PCPU_FLAGS_INVALID, XEN_CORE_PARKING_SET,
    XEN_CORE_PARKING_GET)
STRUCT(xenpf_settime32, secs, nsecs, system_time)
STRUCT(xenpf_settime64, secs, nsecs, mbz, system_time)
STRUCT(xenpf_add_memtype, mfn, nr_mfns, type, handle, reg)
STRUCT(xenpf_del_memtype, handle, reg)
STRUCT(xenpf_read_memtype, reg, mfn, nr_mfns, type)
STRUCT(xenpf_microcode_update, data, length)
STRUCT(xenpf_platform_quirk, quirk_id)
STRUCT(xenpf_efi_time, year, month, day, hour, min, sec, ns, tz, daylight)
STRUCT(xenpf_efi_guid, data1, data2, data3, data4)
STRUCT(xenpf_efi_runtime_call, function, misc, status, u, u.get_time, u.get_time.time,
    u.get_time.resolution, u.get_time.accuracy, u.set_time, u.get_wakeup_time, u.set_wakeup_time,
    u.get_variable, u.get_variable.name, u.get_variable.size, u.get_variable.data,
    u.get_variable.vendor_guid, u.set_variable, u.set_variable.name, u.set_variable.size,
    u.set_variable.data, u.set_variable.vendor_guid, u.get_next_variable_name,
    u.get_next_variable_name.size, u.get_next_variable_name.name, u.get_next_variable_name.vendor_guid,
    u.query_variable_info, u.query_variable_info.attr, u.query_variable_info.max_store_size,
    u.query_variable_info.remain_store_size, u.query_variable_info.max_size)
STRUCT(xenpf_firmware_info, type, index, u, u.disk_info, u.disk_info.device, u.disk_info.version,
    u.disk_info.interface_support, u.disk_info.legacy_max_cylinder, u.disk_info.legacy_max_head,
    u.disk_info.legacy_sectors_per_track, u.disk_info.edd_params, u.disk_mbr_signature,
    u.disk_mbr_signature.device, u.disk_mbr_signature.mbr_signature, u.vbeddc_info,
    u.vbeddc_info.capabilities, u.vbeddc_info.edid_transfer_time, u.vbeddc_info.edid, u.efi_info,
    u.efi_info.version, u.efi_info.cfg, u.efi_info.cfg.addr, u.efi_info.cfg.nent, u.efi_info.vendor,
    u.efi_info.vendor.revision, u.efi_info.vendor.bufsz, u.efi_info.vendor.name, u.efi_info.mem,
    u.efi_info.mem.addr, u.efi_info.mem.size, u.efi_info.mem.attr, u.efi_info.mem.type, u.kbd_shift_flags)
STRUCT(xenpf_enter_acpi_sleep, val_a, val_b, sleep_state, flags)
STRUCT(xenpf_change_freq, flags, cpu, freq)
STRUCT(xenpf_getidletime, cpumap_bitmap, cpumap_nr_cpus, idletime, now)
STRUCT(xenpf_pcpuinfo, xen_cpuid, max_present, flags, apic_id, acpi_id)
STRUCT(xenpf_pcpu_version, xen_cpuid, max_present, vendor_id, family, model, stepping)
STRUCT(xenpf_cpu_ol, cpuid)
STRUCT(xenpf_cpu_hotadd, apic_id, acpi_id, pxm)
STRUCT(xenpf_mem_hotadd, spfn, epfn, pxm, flags)
STRUCT(xenpf_core_parking, type, idle_nums)
STRUCT(xenpf_symdata, namelen, symnum, name, address, type)
STRUCT(xen_platform_op, cmd, interface_version, u, u.settime32, u.settime64, u.add_memtype, u.del_memtype,
    u.read_memtype, u.microcode, u.platform_quirk, u.efi_runtime_call, u.firmware_info, u.enter_acpi_sleep,
    u.change_freq, u.getidletime, u.set_pminfo, u.pcpu_info, u.pcpu_version, u.cpu_ol, u.cpu_add, u.mem_add,
    u.core_parking, u.symdata, u.pad)

// mca.h
CONSTANTS(XEN_MCA_INTERFACE_VERSION, XEN_MC_fetch, XEN_MC_notifydomain, XEN_MC_physcpuinfo,
    XEN_MC_msrinject, XEN_MC_mceinject, XEN_MC_inject_v2, XEN_MC_NONURGENT, XEN_MC_URGENT, XEN_MC_ACK,
    XEN_MC_OK, XEN_MC_FETCHFAILED, XEN_MC_NODATA)
STRUCT(xen_mc_fetch, flags, _pad0, fetch_id, data)
STRUCT(xen_mc_physcpuinfo, ncpus, _pad0, info)
STRUCT(xen_mc, cmd, interface_version, u, u.mc_fetch, u.mc_physcpuinfo)

// io/console.h
STRUCT(xencons_interface, in, out, in_cons, in_prod, out_cons, out_prod)

// io/xenstore.h
CONSTANTS(XS_CONTROL, XS_DEBUG, XS_DIRECTORY, XS_READ, XS_GET_PERMS, XS_WATCH, XS_UNWATCH,
    XS_TRANSACTION_START, XS_TRANSACTION_END, XS_INTRODUCE, XS_RELEASE, XS_GET_DOMAIN_PATH, XS_WRITE,
    XS_MKDIR, XS_RM, XS_SET_PERMS, XS_WATCH_EVENT, XS_ERROR, XS_IS_DOMAIN_INTRODUCED, XS_RESUME,
    XS_SET_TARGET, XS_RESET_WATCHES, XS_DIRECTORY_PART, XS_TYPE_COUNT, XS_INVALID, XS_WATCH_PATH,
    XS_WATCH_TOKEN, XENSTORE_PAYLOAD_MAX, XENSTORE_ABS_PATH_MAX, XENSTORE_REL_PATH_MAX,
    MASK_XENSTORE_IDX(1025), XENSTORE_RING_SIZE, XENSTORE_SERVER_FEATURE_RECONNECTION,
    XENSTORE_SERVER_FEATURE_ERROR, XENSTORE_CONNECTED, XENSTORE_RECONNECT, XENSTORE_ERROR_NONE,
    XENSTORE_ERROR_COMM, XENSTORE_ERROR_RINGIDX, XENSTORE_ERROR_PROTO)
STRUCT(xsd_sockmsg, type, req_id, tx_id, len)
STRUCT(xenstore_domain_interface, req, rsp, req_cons, req_prod, rsp_cons, rsp_prod, server_features,
    connection, error)

// io/xenbus.h
CONSTANTS(XenbusStateUnknown, XenbusStateInitialising, XenbusStateInitWait, XenbusStateInitialised,
    XenbusStateConnected, XenbusStateClosing, XenbusStateClosed, XenbusStateReconfiguring,
    XenbusStateReconfigured)
