// memory_op: which operation, and the ones that change no memory: counts, memory maps (the machine's for the control domain, a domain's
// own), where the machine-to-phys table lies, the frames of a grant table for a builder. The others: memory/.
#include "memory/operations.hpp"
#include <abi/arch_x86.h>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/boot/memory_map.hpp>

namespace tenon::hypercall {
namespace {

Result<DomainRef> domain_of(Call& call, u64 argument) { return target_of(call, TRY(read<xen_memory_domain>(argument)).domid); }

u64 highest_pfn(Domain& domain) { return domain.shared ? domain.shared_page()->arch.max_pfn : 0; }

constexpr u32 max_map_entries = 128;

/// All entries or none; a null buffer asks for their number.
Status give_map(xen_memory_map& request, std::span<const xen_e820_entry> map)
{
    if (request.buffer && request.nr_entries < map.size())
        return Error::inval;
    request.nr_entries = u32(map.size());
    return request.buffer ? GuestPtr<xen_e820_entry>(request.buffer).write_array(map.data(), map.size()) : success;
}

Status machine_memory_map(Call& call, xen_memory_map& request)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    return give_map(request, tenon::memory_map::regions());
}

Status memory_map(Call& call, xen_memory_map& request)
{
    // A copy: the builder may replace the map while the guest's memory is written.
    xen_e820_entry copy[max_map_entries];
    u32 count = 0;
    {
        Guard guard(call.domain.lock);
        for (const xen_e820_entry& entry : arch::memory_map(call.domain))
            copy[count++] = entry;
    }
    return count ? give_map(request, {copy, count}) : Error::nosys;
}

Status set_memory_map(Call& call, const xen_foreign_memory_map& request)
{
    DomainRef domain = TRY(target_of(call, request.domid));
    if (request.map.nr_entries > max_map_entries)
        return Error::inval;
    xen_e820_entry entries[max_map_entries];
    TRY(GuestPtr<xen_e820_entry>(request.map.buffer).read_array(entries, request.map.nr_entries));
    Guard guard(domain->lock);
    return arch::set_memory_map(*domain, {entries, request.map.nr_entries});
}

Status machphys_mfn_list(Call& call, xen_machphys_mfn_list& request)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    constexpr u64 piece_bytes = u64{1} << 21;
    u64 pieces = (frame_table::end * sizeof(u64) + piece_bytes - 1) / piece_bytes;
    request.nr_extents = u32(min(pieces, u64{request.max_extents}));
    Mfn last{0};
    for (u32 i = 0; i < request.nr_extents; i++) {
        // A hole shows the piece before it, so that every element can be mapped.
        if (Mfn mfn = arch::m2p_frame(i); mfn != invalid_mfn)
            last = mfn;
        TRY((GuestPtr<u64>(request.extent_start) + i).write(last.raw()));
    }
    return success;
}

/// The frames of a domain's grant table, for its builder to map.
Status acquire_resource(Call& call, xen_mem_acquire_resource& request)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    if (request.pad || (!request.frame_list && request.nr_frames))
        return Error::inval;
    DomainRef domain = TRY(target_of(call, request.domid));
    if (request.type != XENMEM_resource_grant_table || request.id != XENMEM_resource_grant_table_id_shared)
        return refuse(call, XENMEM_acquire_resource, Error::notsup);
    const u32 most = domain->grants.max_frames;
    if (request.frame > most || request.nr_frames > most - request.frame)
        return Error::inval;
    for (u32 i = 0; i < request.nr_frames; i++) {
        Mfn mfn = TRY(grants::shared_frame(*domain, u32(request.frame) + i));
        TRY((GuestPtr<u64>(request.frame_list) + i).write(mfn.raw()));
    }
    if (!request.frame_list)
        request.nr_frames = most;
    return success;
}

/// No memory of the machine is set aside for devices that a domain could be given.
Status reserved_device_memory(Call& call, xen_reserved_device_memory_map& request)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    request.nr_entries = 0;
    return success;
}

} // namespace

CallResult memory_op(Call& call, u32 command, u64 argument)
{
    const u32 operation = command & memory::command_mask;
    switch (operation) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap: return memory::change_reservation(call, command, argument);
    case XENMEM_exchange: return memory::exchange(call, argument);
    case XENMEM_maximum_ram_page: return s64(frame_table::end - 1);
    case XENMEM_current_reservation: return s64(TRY(domain_of(call, argument))->total_pages);
    case XENMEM_maximum_reservation: return s64(TRY(domain_of(call, argument))->max_pages);
    case XENMEM_maximum_gpfn: return s64(highest_pfn(*TRY(domain_of(call, argument))));
    case XENMEM_memory_map: return done(with_argument(memory_map, call, argument));
    case XENMEM_machine_memory_map: return done(with_argument(machine_memory_map, call, argument));
    case XENMEM_set_memory_map: return done(with_argument(set_memory_map, call, argument));
    case XENMEM_machphys_mapping:
        return done(GuestPtr<xen_machphys_mapping>(argument).write({MACH2PHYS_VIRT_START, MACH2PHYS_VIRT_END, frame_table::end - 1}));
    case XENMEM_machphys_mfn_list: return done(with_argument(machphys_mfn_list, call, argument));
    case XENMEM_acquire_resource: return done(with_argument(acquire_resource, call, argument));
    case XENMEM_claim_pages: return done(with_argument(memory::claim, call, argument));
    case XENMEM_reserved_device_memory_map: return done(with_argument(reserved_device_memory, call, argument));
    // Nothing is ever shared copy-on-write.
    case XENMEM_get_sharing_freed_pages:
    case XENMEM_get_sharing_shared_pages: return s64{0};
    case XENMEM_get_vnumainfo: return Error::notsup;
    // A PV guest keeps its own physmap.
    case XENMEM_add_to_physmap:
    case XENMEM_remove_from_physmap:
    case XENMEM_add_to_physmap_batch:
    case XENMEM_set_pod_target:
    case XENMEM_get_pod_target: return refuse(call, operation, Error::inval);
    default: return refuse(call, operation, Error::nosys);
    }
}

} // namespace tenon::hypercall
