// What is compared: events, grants, devices, rings. Included by layout_collect.hpp, once per set of headers.
// STRUCT(name, fields...) and CONSTANTS(names...); no include guard, as nothing else includes it.
// clang-format off

// event_channel.h
CONSTANTS(EVTCHNOP_bind_interdomain, EVTCHNOP_bind_virq, EVTCHNOP_bind_pirq, EVTCHNOP_close, EVTCHNOP_send,
    EVTCHNOP_status, EVTCHNOP_alloc_unbound, EVTCHNOP_bind_ipi, EVTCHNOP_bind_vcpu, EVTCHNOP_unmask,
    EVTCHNOP_reset, EVTCHNOP_init_control,
    BIND_PIRQ__WILL_SHARE, EVTCHNSTAT_closed, EVTCHNSTAT_unbound, EVTCHNSTAT_interdomain, EVTCHNSTAT_pirq,
    EVTCHNSTAT_virq, EVTCHNSTAT_ipi)
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

// grant_table.h
CONSTANTS(GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_setup_table, GNTTABOP_transfer,
    GNTTABOP_copy, GNTTABOP_query_size, GNTTABOP_set_version, GNTTABOP_get_version, GNTTABOP_swap_grant_ref,
    GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE, GTF_permit_access, GTF_accept_transfer,
    GTF_type_mask, GTF_readonly, GTF_reading, GTF_writing, GNTMAP_device_map, GNTMAP_host_map,
    GNTMAP_readonly, GNTMAP_application_map, GNTMAP_contains_pte, _GNTMAP_guest_avail0, GNTST_okay,
    GNTST_general_error, GNTST_bad_domain, GNTST_bad_gntref, GNTST_bad_handle, GNTST_bad_virt_addr,
    GNTST_permission_denied, GNTST_bad_page, GNTST_bad_copy_arg, GNTST_eagain, GNTST_no_space,
    GNTCOPY_source_gref, GNTCOPY_dest_gref)
STRUCT(grant_entry_v1, flags, domid, frame)
STRUCT(gnttab_map_grant_ref, host_addr, flags, ref, dom, status, handle, dev_bus_addr)
STRUCT(gnttab_unmap_grant_ref, host_addr, dev_bus_addr, handle, status)
STRUCT(gnttab_setup_table, dom, nr_frames, status, frame_list)
STRUCT(gnttab_transfer, mfn, domid, ref, status)
STRUCT(gnttab_copy, source, dest, len, flags, status)
STRUCT(gnttab_query_size, dom, nr_frames, max_nr_frames, status)
STRUCT(gnttab_set_version, version)
STRUCT(gnttab_get_version, dom, pad, version)
STRUCT(gnttab_swap_grant_ref, ref_a, ref_b, status)

// physdev.h
CONSTANTS(PHYSDEVOP_irq_status_query, PHYSDEVOP_set_iopl, PHYSDEVOP_set_iobitmap, PHYSDEVOP_apic_read,
    PHYSDEVOP_alloc_irq_vector, PHYSDEVOP_eoi, PHYSDEVOP_map_pirq, PHYSDEVOP_unmap_pirq,
    PHYSDEVOP_pirq_eoi_gmfn_v1, PHYSDEVOP_setup_gsi, PHYSDEVOP_get_free_pirq, PHYSDEVOP_pci_mmcfg_reserved,
    PHYSDEVOP_pci_device_add, PHYSDEVOP_pci_device_remove, PHYSDEVOP_restore_msi_ext,
    PHYSDEVOP_pirq_eoi_gmfn_v2, PHYSDEVOP_prepare_msix, PHYSDEVOP_release_msix, XENIRQSTAT_needs_eoi,
    MAP_PIRQ_TYPE_MSI, MAP_PIRQ_TYPE_GSI, MAP_PIRQ_TYPE_MSI_SEG, MAP_PIRQ_TYPE_MULTI_MSI)
STRUCT(physdev_eoi, irq)
STRUCT(physdev_pirq_eoi_gmfn, gmfn)
STRUCT(physdev_irq_status_query, irq, flags)
STRUCT(physdev_set_iopl, iopl)
STRUCT(physdev_set_iobitmap, bitmap, nr_ports)
STRUCT(physdev_apic, apic_physbase, reg, value)
STRUCT(physdev_irq, irq, vector)
STRUCT(physdev_map_pirq, domid, type, index, pirq, bus, devfn, entry_nr, table_base)
STRUCT(physdev_unmap_pirq, domid, pirq)
STRUCT(physdev_setup_gsi, gsi, triggering, polarity)
STRUCT(physdev_get_free_pirq, type, pirq)
STRUCT(physdev_pci_mmcfg_reserved, address, segment, start_bus, end_bus, flags)
STRUCT(physdev_pci_device_add, seg, bus, devfn, flags, physfn, physfn.bus, physfn.devfn)
STRUCT(physdev_pci_device, seg, bus, devfn)

// platform.h
CONSTANTS(XENPF_INTERFACE_VERSION, XENPF_settime32, XENPF_read_memtype, XENPF_efi_runtime_call,
    XENPF_firmware_info, XENPF_enter_acpi_sleep, XENPF_get_cpuinfo, XENPF_settime64, XENPF_get_symbol,
    XEN_FW_DISK_INFO, XEN_FW_EFI_INFO, XEN_FW_KBD_SHIFT_FLAGS, XEN_FW_EFI_VERSION, XEN_FW_EFI_CONFIG_TABLE,
    XEN_FW_EFI_VENDOR, XEN_FW_EFI_RT_VERSION, XENPF_ACPI_SLEEP_EXTENDED, XEN_PCPU_FLAGS_ONLINE,
    XEN_PCPU_FLAGS_INVALID)
STRUCT(xenpf_firmware_info, type, index, u, u.efi_info, u.efi_info.version, u.efi_info.cfg,
    u.efi_info.cfg.addr, u.efi_info.cfg.nent, u.efi_info.vendor, u.efi_info.vendor.revision,
    u.efi_info.vendor.bufsz, u.efi_info.vendor.name, u.kbd_shift_flags)
STRUCT(xenpf_enter_acpi_sleep, val_a, val_b, sleep_state, flags)
STRUCT(xenpf_pcpuinfo, xen_cpuid, max_present, flags, apic_id, acpi_id)
STRUCT(xen_platform_op, cmd, interface_version, u, u.settime32, u.settime64, u.firmware_info,
    u.enter_acpi_sleep, u.pcpu_info, u.pad, u.settime32.secs, u.settime32.nsecs, u.settime32.system_time,
    u.settime64.secs, u.settime64.nsecs, u.settime64.mbz, u.settime64.system_time)

// mca.h
CONSTANTS(XEN_MCA_INTERFACE_VERSION, XEN_MC_fetch, XEN_MC_physcpuinfo, XEN_MC_mceinject, XEN_MC_NONURGENT,
    XEN_MC_NODATA)
STRUCT(xen_mc_fetch, flags, _pad0, fetch_id, data)
STRUCT(xen_mc_physcpuinfo, ncpus, _pad0, info)
STRUCT(xen_mc, cmd, interface_version, u, u.mc_fetch, u.mc_physcpuinfo)
