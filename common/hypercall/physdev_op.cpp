// physdev_op: interrupts, I/O rights and PCI devices. [public header physdev.h]
#include "argument.hpp"
#include <abi/physdev.h>
#include <tenon/arch/guest.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/device/ioapic.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/irq/pirq.hpp>

namespace tenon::hypercall {
namespace {

Status query_status(Call& call, physdev_irq_status_query& query)
{
    query.flags = TRY(pirqs::needs_eoi(call.domain, Pirq{query.irq})) ? XENIRQSTAT_needs_eoi : 0;
    return success;
}

Status end_of_interrupt(Call& call, const physdev_eoi& op) { return pirqs::eoi(call.domain, Pirq{op.irq}); }

Status read_ioapic(Call&, physdev_apic& access)
{
    access.value = TRY(ioapic::read_register(access.apic_physbase, access.reg));
    return success;
}

Status allocate_vector(Call&, physdev_irq& request)
{
    request.vector = TRY(irq::line_for_gsi(request.irq)).raw();
    return success;
}

Status setup_gsi(Call&, const physdev_setup_gsi& setup)
{
    if (setup.triggering > 1 || setup.polarity > 1)
        return Error::inval;
    return irq::configure_gsi(u32(setup.gsi), setup.triggering, setup.polarity);
}

Result<Pirq> map_line(Domain& target, const physdev_map_pirq& map)
{
    const bool has_segment = map.type == MAP_PIRQ_TYPE_MSI_SEG || map.type == MAP_PIRQ_TYPE_MULTI_MSI;
    if (map.type == MAP_PIRQ_TYPE_GSI)
        return pirqs::map_gsi(target, u32(map.index), map.pirq);
    if (map.type != MAP_PIRQ_TYPE_MSI && !has_segment)
        return Error::inval;
    if (map.index >= 0 || u32(map.devfn) > 0xff || (!has_segment && u32(map.bus) > 0xff))
        return Error::inval;
    const pci::Function function{u16(u32(map.bus) >> 16), u8(map.bus), u8(map.devfn)};
    if (map.type == MAP_PIRQ_TYPE_MULTI_MSI)
        return map.table_base ? Error::inval : pirqs::map_msi(target, {function, u32(map.entry_nr)}, map.pirq);
    return pirqs::map_msi(target, {function, 1, u32(map.entry_nr), map.table_base}, map.pirq);
}

Status map_pirq(Call& call, physdev_map_pirq& map)
{
    map.pirq = s32(TRY(map_line(*TRY(target_of(call, map.domid)), map)).raw());
    return success;
}

Status unmap_pirq(Call& call, const physdev_unmap_pirq& unmap)
{
    return pirqs::unmap(*TRY(target_of(call, unmap.domid)), Pirq{u32(unmap.pirq)});
}

Status free_pirq(Call& call, physdev_get_free_pirq& request)
{
    request.pirq = TRY(pirqs::reserve(call.domain)).raw();
    return success;
}

/// Tenon knows the ranges from the same table as dom0 does: only agreement is checked.
Status mmcfg_reserved(Call&, const physdev_pci_mmcfg_reserved& range)
{
    const acpi::Machine& machine = acpi::machine();
    for (u32 i = 0; i < machine.mcfg_count; i++)
        if (machine.mcfg[i].base == range.address && machine.mcfg[i].segment == range.segment)
            return success;
    return Error::nodev;
}

/// Devices are found when their interrupts are mapped, so there is no list of them to keep.
template <class T> Status note_device(Call&, const T&) { return success; }

Status restore(Call&, const physdev_pci_device& device) { return irq::restore_msi({device.seg, device.bus, device.devfn}); }

Status set_iopl(Call& call, const physdev_set_iopl& request) { return arch::set_iopl(call.vcpu, request.iopl); }

Status set_iobitmap(Call& call, const physdev_set_iobitmap& request)
{
    return arch::set_io_bitmap(call.vcpu, request.bitmap, request.nr_ports);
}

enum class From : u8 {
    any,      ///< a kernel sets its own rights
    hardware, ///< domains that drive hardware
    mapper,   ///< and the control domain, which maps interrupts for others; what it maps for itself needs hardware of its own
};
struct Operation {
    u32 command;
    From from;
    Status (*run)(Call&, u64 argument);
};
template <auto handler> Status run(Call& call, u64 argument) { return with_argument(handler, call, argument); }

constexpr Operation operations[] = {
    {PHYSDEVOP_irq_status_query, From::hardware, run<query_status>},
    {PHYSDEVOP_set_iopl, From::any, run<set_iopl>},
    {PHYSDEVOP_set_iobitmap, From::any, run<set_iobitmap>},
    {PHYSDEVOP_apic_read, From::hardware, run<read_ioapic>},
    {PHYSDEVOP_alloc_irq_vector, From::hardware, run<allocate_vector>},
    {PHYSDEVOP_eoi, From::hardware, run<end_of_interrupt>},
    {PHYSDEVOP_map_pirq, From::mapper, run<map_pirq>},
    {PHYSDEVOP_unmap_pirq, From::mapper, run<unmap_pirq>},
    {PHYSDEVOP_restore_msi_ext, From::hardware, run<restore>},
    {PHYSDEVOP_setup_gsi, From::hardware, run<setup_gsi>},
    {PHYSDEVOP_get_free_pirq, From::hardware, run<free_pirq>},
    {PHYSDEVOP_pci_mmcfg_reserved, From::hardware, run<mmcfg_reserved>},
    {PHYSDEVOP_pci_device_add, From::hardware, run<note_device<physdev_pci_device_add>>},
    {PHYSDEVOP_pci_device_remove, From::hardware, run<note_device<physdev_pci_device>>},
    {PHYSDEVOP_prepare_msix, From::hardware, run<note_device<physdev_pci_device>>},
    {PHYSDEVOP_release_msix, From::hardware, run<note_device<physdev_pci_device>>},
};

static_assert(rows_differ(operations));

} // namespace

CallResult physdev_op(Call& call, u32 command, u64 argument)
{
    const Operation* operation = find_row(operations, command);
    // The EOI bitmaps are not there: guests then ask for each interrupt's status. Nor are the calls that name a device without its
    // segment, which kernels try when the newer ones are missing.
    if (!operation)
        return refuse(call, command, Error::nosys);
    const bool allowed =
        operation->from == From::any || call.domain.arch.has_hardware || (operation->from == From::mapper && call.domain.is_privileged);
    return allowed ? done(operation->run(call, argument)) : refuse(call, command, Error::perm);
}

} // namespace tenon::hypercall
