// physdev_op: interrupts, I/O rights and PCI devices. Each sub-operation is one function; all but the two about a vCPU's own I/O rights are
// for domains that drive hardware. [public header physdev.h]
#include <abi/physdev.h>
#include <tenon/arch/guest.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/device/ioapic.hpp>
#include <tenon/hypercall/call.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/irq/pirq.hpp>

namespace tenon::hypercall {
namespace {

template <class T> GuestPtr<T> at(u64 argument) { return GuestPtr<T>(argument); }

Status query_status(Call& call, u64 argument)
{
    auto query = TRY(at<physdev_irq_status_query>(argument).read());
    query.flags = TRY(pirqs::needs_eoi(call.domain, Pirq{query.irq})) ? XENIRQSTAT_needs_eoi : 0;
    return at<physdev_irq_status_query>(argument).write(query);
}

Status end_of_interrupt(Call& call, u64 argument)
{
    return pirqs::eoi(call.domain, Pirq{TRY(at<physdev_eoi>(argument).read()).irq});
}

Status read_ioapic(Call&, u64 argument)
{
    auto access = TRY(at<physdev_apic>(argument).read());
    access.value = TRY(ioapic::read_register(access.apic_physbase, access.reg));
    return at<physdev_apic>(argument).write(access);
}

Status allocate_vector(Call&, u64 argument)
{
    auto request = TRY(at<physdev_irq>(argument).read());
    request.vector = TRY(irq::line_for_gsi(request.irq)).raw();
    return at<physdev_irq>(argument).write(request);
}

Status setup_gsi(Call&, u64 argument)
{
    const auto setup = TRY(at<physdev_setup_gsi>(argument).read());
    if (setup.gsi < 0 || setup.triggering > 1 || setup.polarity > 1)
        return Error::inval;
    return irq::configure_gsi(u32(setup.gsi), setup.triggering, setup.polarity);
}

Result<Pirq> map_one(Domain& target, const physdev_map_pirq& map)
{
    if (map.type == MAP_PIRQ_TYPE_GSI)
        return map.index < 0 ? Result<Pirq>(Error::inval) : pirqs::map_gsi(target, u32(map.index), map.pirq);
    const bool has_segment = map.type != MAP_PIRQ_TYPE_MSI;
    if (map.index >= 0 || map.devfn < 0 || map.devfn > 0xff || (!has_segment && u32(map.bus) > 0xff))
        return Error::inval;
    pirqs::MsiRequest request;
    request.function = {u16(u32(map.bus) >> 16), u8(map.bus), u8(map.devfn)};
    if (map.type == MAP_PIRQ_TYPE_MULTI_MSI) {
        if (map.entry_nr < 1 || map.entry_nr > 32 || map.table_base)
            return Error::inval;
        request.count = unsigned(map.entry_nr);
    } else if (map.table_base) {
        if (map.entry_nr < 0 || map.entry_nr > 0x7ff)
            return Error::inval;
        request.entry = u16(map.entry_nr);
        request.table_base = map.table_base;
    }
    return pirqs::map_msi(target, request, map.pirq);
}

Status map_pirq(Call& call, u64 argument)
{
    auto map = TRY(at<physdev_map_pirq>(argument).read());
    DomainRef target = TRY(target_of(call, map.domid));
    switch (map.type) {
    case MAP_PIRQ_TYPE_GSI:
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
    case MAP_PIRQ_TYPE_MULTI_MSI: break;
    default: return Error::inval;
    }
    map.pirq = s32(TRY(map_one(*target, map)).raw());
    return at<physdev_map_pirq>(argument).write(map);
}

Status unmap_pirq(Call& call, u64 argument)
{
    const auto unmap = TRY(at<physdev_unmap_pirq>(argument).read());
    DomainRef target = TRY(target_of(call, unmap.domid));
    return unmap.pirq < 0 ? Status(Error::inval) : pirqs::unmap(*target, Pirq{u32(unmap.pirq)});
}

Status free_pirq(Call& call, u64 argument)
{
    auto request = TRY(at<physdev_get_free_pirq>(argument).read());
    request.pirq = TRY(pirqs::reserve(call.domain)).raw();
    return at<physdev_get_free_pirq>(argument).write(request);
}

/// Tenon knows the ranges from the same table as dom0 does: only agreement is checked.
Status mmcfg_reserved(Call&, u64 argument)
{
    const auto range = TRY(at<physdev_pci_mmcfg_reserved>(argument).read());
    const acpi::Machine& machine = acpi::machine();
    for (u32 i = 0; i < machine.mcfg_count; i++)
        if (machine.mcfg[i].base == range.address && machine.mcfg[i].segment == range.segment)
            return success;
    return Error::nodev;
}

/// Devices are found when their interrupts are mapped, so there is no list of them to keep.
template <class T> Status note_device(Call&, u64 argument)
{
    TRY(at<T>(argument).read());
    return success;
}

Status restore_old(Call& call, u64 argument)
{
    const auto device = TRY(at<physdev_restore_msi>(argument).read());
    return pirqs::restore_msi(call.domain, {0, device.bus, device.devfn});
}

Status restore(Call& call, u64 argument)
{
    const auto device = TRY(at<physdev_pci_device>(argument).read());
    return pirqs::restore_msi(call.domain, {device.seg, device.bus, device.devfn});
}

/// Of any domain: a kernel sets its own rights.
Status set_iopl(Call& call, u64 argument) { return arch::set_iopl(call.vcpu, TRY(at<physdev_set_iopl>(argument).read()).iopl); }

Status set_iobitmap(Call& call, u64 argument)
{
    const auto request = TRY(at<physdev_set_iobitmap>(argument).read());
    return arch::set_io_bitmap(call.vcpu, request.bitmap, request.nr_ports);
}

struct Operation {
    u32 command;
    Status (*run)(Call&, u64);
};
constexpr Operation operations[] = {
    {PHYSDEVOP_irq_status_query, query_status},
    {PHYSDEVOP_apic_read, read_ioapic},
    {PHYSDEVOP_alloc_irq_vector, allocate_vector},
    {PHYSDEVOP_free_irq_vector, note_device<physdev_irq>},
    {PHYSDEVOP_eoi, end_of_interrupt},
    {PHYSDEVOP_map_pirq, map_pirq},
    {PHYSDEVOP_unmap_pirq, unmap_pirq},
    {PHYSDEVOP_manage_pci_add, note_device<physdev_manage_pci>},
    {PHYSDEVOP_manage_pci_remove, note_device<physdev_manage_pci>},
    {PHYSDEVOP_manage_pci_add_ext, note_device<physdev_manage_pci_ext>},
    {PHYSDEVOP_restore_msi, restore_old},
    {PHYSDEVOP_restore_msi_ext, restore},
    {PHYSDEVOP_setup_gsi, setup_gsi},
    {PHYSDEVOP_get_free_pirq, free_pirq},
    {PHYSDEVOP_pci_mmcfg_reserved, mmcfg_reserved},
    {PHYSDEVOP_pci_device_add, note_device<physdev_pci_device_add>},
    {PHYSDEVOP_pci_device_remove, note_device<physdev_pci_device>},
    {PHYSDEVOP_prepare_msix, note_device<physdev_pci_device>},
    {PHYSDEVOP_release_msix, note_device<physdev_pci_device>},
};

Status run_operation(Call& call, u32 command, u64 argument)
{
    if (command == PHYSDEVOP_set_iopl)
        return set_iopl(call, argument);
    if (command == PHYSDEVOP_set_iobitmap)
        return set_iobitmap(call, argument);
    for (const Operation& operation : operations) {
        if (operation.command != command)
            continue;
        // The control domain maps interrupts for others; what it maps for itself needs hardware of its own.
        const bool for_others = call.domain.is_privileged && (command == PHYSDEVOP_map_pirq || command == PHYSDEVOP_unmap_pirq);
        return call.domain.arch.has_hardware || for_others ? operation.run(call, argument) : Status(Error::perm);
    }
    return Error::nosys; // the EOI bitmaps among them: guests then ask for each interrupt's status
}

} // namespace

CallResult physdev_op(Call& call, u32 command, u64 argument)
{
    const Status result = run_operation(call, command, argument);
    if (result.ok())
        return 0;
    if (result.error() == Error::nosys || result.error() == Error::perm)
        note_refused(call, command, result.error());
    return result.error();
}

} // namespace tenon::hypercall
