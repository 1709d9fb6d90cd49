// memory_op: which operation, and the ones that only ask. The others: memory/.
#include "memory/operations.hpp"

namespace tenon::hypercall {
namespace {

enum class Count : u8 { current, maximum, highest_pfn };

CallResult count_of(memory::Operation& op, Count what)
{
    auto query = TRY(op.as<xen_memory_domain>().read());
    DomainRef domain = TRY(target_of(op.call, query.domid));
    switch (what) {
    case Count::current: return s64(domain->total_pages);
    case Count::maximum: return s64(domain->max_pages);
    case Count::highest_pfn: return s64(domain->shared ? domain->shared_page()->arch.max_pfn : 0);
    }
    return Error::inval;
}

/// No memory of the machine is set aside for devices that a domain could be given.
CallResult reserved_device_memory(memory::Operation& op)
{
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    TRY(op.as<xen_reserved_device_memory_map>().at(&xen_reserved_device_memory_map::nr_entries).write(0));
    return s64{0};
}

CallResult refuse(memory::Operation& op, Error error)
{
    note_refused(op.call, op.command, error);
    return error;
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
    case XENMEM_current_reservation: return count_of(op, Count::current);
    case XENMEM_maximum_reservation: return count_of(op, Count::maximum);
    case XENMEM_maximum_gpfn: return count_of(op, Count::highest_pfn);
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
    case XENMEM_get_pod_target: return refuse(op, Error::inval);
    default: return refuse(op, Error::nosys);
    }
}

} // namespace tenon::hypercall
