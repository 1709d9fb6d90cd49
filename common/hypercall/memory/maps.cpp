// Memory maps (the machine's for the control domain, a domain's own) and where the machine-to-phys table lies.
#include "operations.hpp"
#include <abi/arch_x86.h>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/boot/memory_map.hpp>

namespace tenon::hypercall::memory {
namespace {

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

} // namespace

CallResult machine_memory_map(Operation& op)
{
    TRY(PolicyCheck::control_domain(op.call.vcpu));
    return give_map(op, tenon::memory_map::regions());
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

} // namespace tenon::hypercall::memory
