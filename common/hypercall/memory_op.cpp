// memory_op: which operation, and the ones that change no memory: counts, memory maps (the machine's for the control domain, a domain's
// own), where the machine-to-phys table lies, the frames of a grant table for a builder. The others: memory/.
#include "memory/operations.hpp"
#include <abi/arch_x86.h>
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>

namespace tenon::hypercall {
namespace {

using memory::Operation;

Result<DomainRef> domain_of(Operation& op) { return target_of(op.call, TRY(op.as<xen_memory_domain>().read()).domid); }

u64 highest_pfn(Domain& domain) { return domain.shared ? domain.shared_page()->arch.max_pfn : 0; }

constexpr u32 max_map_entries = 128;

/// All entries or none; a null buffer asks for their number.
CallResult give_map(Operation& op, std::span<const xen_e820_entry> map)
{
    auto request = TRY(op.as<xen_memory_map>().read());
    u32 count = u32(map.size());
    if (request.buffer) {
        if (request.nr_entries < count)
            return Error::inval;
        TRY(GuestPtr<xen_e820_entry>(request.buffer).write_array(map.data(), count));
    }
    return done(op.as<xen_memory_map>().at(&xen_memory_map::nr_entries).write(count));
}

CallResult machine_memory_map(Operation& op)
{
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    return give_map(op, arch::machine_memory_map());
}

CallResult memory_map(Operation& op)
{
    // A copy: the builder may replace the map while the guest's memory is written.
    xen_e820_entry copy[max_map_entries];
    u32 count = 0;
    {
        Guard guard(op.call.domain.lock);
        for (const xen_e820_entry& entry : arch::memory_map(op.call.domain))
            copy[count++] = entry;
    }
    if (!count)
        return Error::nosys;
    return give_map(op, {copy, count});
}

CallResult set_memory_map(Operation& op)
{
    auto request = TRY(op.as<xen_foreign_memory_map>().read());
    DomainRef domain = TRY(target_of(op.call, request.domid));
    if (request.map.nr_entries > max_map_entries)
        return Error::inval;
    xen_e820_entry entries[max_map_entries];
    TRY(GuestPtr<xen_e820_entry>(request.map.buffer).read_array(entries, request.map.nr_entries));
    Guard guard(domain->lock);
    return done(arch::set_memory_map(*domain, {entries, request.map.nr_entries}));
}

CallResult machphys_mapping(Operation& op)
{
    return done(op.as<xen_machphys_mapping>().write({MACH2PHYS_VIRT_START, MACH2PHYS_VIRT_END, frame_table::end - 1}));
}

CallResult machphys_mfn_list(Operation& op)
{
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    auto request = TRY(op.as<xen_machphys_mfn_list>().read());
    constexpr u64 piece_bytes = u64{1} << 21;
    u64 pieces = (frame_table::end * sizeof(u64) + piece_bytes - 1) / piece_bytes;
    u32 count = u32(min(pieces, u64{request.max_extents}));
    Mfn last{0};
    for (u32 i = 0; i < count; i++) {
        // A hole shows the piece before it, so that every element can be mapped.
        if (Mfn mfn = arch::m2p_frame(i); mfn != invalid_mfn)
            last = mfn;
        TRY((GuestPtr<u64>(request.extent_start) + i).write(last.raw()));
    }
    return done(op.as<xen_machphys_mfn_list>().at(&xen_machphys_mfn_list::nr_extents).write(count));
}

/// The frames of a domain's grant table, for its builder to map.
CallResult acquire_resource(Operation& op)
{
    auto request = TRY(op.as<xen_mem_acquire_resource>().read());
    if (request.pad)
        return Error::inval;
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    DomainRef domain = TRY(target_of(op.call, request.domid));
    if (request.type != XENMEM_resource_grant_table || request.id != XENMEM_resource_grant_table_id_shared)
        return refuse(op.call, op.command, Error::notsup);
    if (!request.frame_list) {
        if (request.nr_frames)
            return Error::inval;
        return done(op.as<xen_mem_acquire_resource>().at(&xen_mem_acquire_resource::nr_frames).write(domain->grants.max_frames));
    }
    if (request.frame > domain->grants.max_frames || request.nr_frames > domain->grants.max_frames - request.frame)
        return Error::inval;
    for (u64 i = 0; i < request.nr_frames; i++) {
        Mfn mfn = TRY(grants::shared_frame(*domain, u32(request.frame + i)));
        TRY((GuestPtr<u64>(request.frame_list) + i).write(mfn.raw()));
    }
    return s64{0};
}

/// No memory of the machine is set aside for devices that a domain could be given.
CallResult reserved_device_memory(Operation& op)
{
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    return done(op.as<xen_reserved_device_memory_map>().at(&xen_reserved_device_memory_map::nr_entries).write(0));
}

} // namespace

CallResult memory_op(Call& call, u32 command, u64 argument)
{
    Operation op{call, command & ((1u << memory::command_bits) - 1), argument};
    switch (op.command) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap: return memory::change_reservation(op);
    case XENMEM_exchange: return memory::exchange(op);
    case XENMEM_maximum_ram_page: return s64(frame_table::end - 1);
    case XENMEM_current_reservation: return s64(TRY(domain_of(op))->total_pages);
    case XENMEM_maximum_reservation: return s64(TRY(domain_of(op))->max_pages);
    case XENMEM_maximum_gpfn: return s64(highest_pfn(*TRY(domain_of(op))));
    case XENMEM_memory_map: return memory_map(op);
    case XENMEM_machine_memory_map: return machine_memory_map(op);
    case XENMEM_set_memory_map: return set_memory_map(op);
    case XENMEM_machphys_mapping: return machphys_mapping(op);
    case XENMEM_machphys_mfn_list: return machphys_mfn_list(op);
    case XENMEM_acquire_resource: return acquire_resource(op);
    case XENMEM_claim_pages: return memory::claim(op);
    case XENMEM_reserved_device_memory_map: return reserved_device_memory(op);
    // Nothing is ever shared copy-on-write.
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages: return s64{0};
    case XENMEM_get_vnumainfo: return Error::notsup;
    // A PV guest keeps its own physmap.
    case XENMEM_add_to_physmap:
    case XENMEM_remove_from_physmap:
    case XENMEM_add_to_physmap_batch:
    case XENMEM_set_pod_target:
    case XENMEM_get_pod_target: return refuse(call, op.command, Error::inval);
    default: return refuse(call, op.command, Error::nosys);
    }
}

} // namespace tenon::hypercall
