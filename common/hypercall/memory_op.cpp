// memory_op: which operation, and the ones that only ask. The others: memory/.
#include "memory/operations.hpp"

namespace tenon::hypercall {
namespace {

CallResult count_of(memory::Operation& op)
{
    DomainRef domain = TRY(target_of(op.call, TRY(op.as<xen_memory_domain>().read()).domid));
    u64 highest_pfn = domain->shared ? domain->shared_page()->arch.max_pfn : 0;
    return s64(op.command == XENMEM_current_reservation   ? domain->total_pages
               : op.command == XENMEM_maximum_reservation ? domain->max_pages
                                                          : highest_pfn);
}

/// No memory of the machine is set aside for devices that a domain could be given.
CallResult reserved_device_memory(memory::Operation& op)
{
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    return done(op.as<xen_reserved_device_memory_map>().at(&xen_reserved_device_memory_map::nr_entries).write(0));
}

} // namespace

CallResult memory_op(Call& call, u32 command, u64 argument)
{
    memory::Operation op{call, command & ((1u << memory::command_bits) - 1), command >> memory::command_bits, argument};
    switch (op.command) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap: return memory::change_reservation(op);
    case XENMEM_exchange: return memory::exchange(op);
    case XENMEM_maximum_ram_page: return s64(frame_table::end - 1);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn: return count_of(op);
    case XENMEM_memory_map: return memory::memory_map(op);
    case XENMEM_machine_memory_map: return memory::machine_memory_map(op);
    case XENMEM_set_memory_map: return memory::set_memory_map(op);
    case XENMEM_machphys_mapping: return memory::machphys_mapping(op);
    case XENMEM_machphys_mfn_list: return memory::machphys_mfn_list(op);
    case XENMEM_acquire_resource: return memory::acquire_resource(op);
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
