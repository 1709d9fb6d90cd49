// increase_reservation, decrease_reservation, populate_physmap: frames enter and leave a domain, a list of extents at a time.
// The result is the number of extents done; what could not be done ends the list early.
#include "operations.hpp"
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>

namespace tenon::hypercall::memory {
namespace {

constexpr u64 frames_between_yields = 128;

struct Reservation {
    Domain& domain;
    GuestPtr<u64> list;
    unsigned order, address_bits;
    bool has_places;
    u64 frames() const { return bit(order); }
};

bool decrease(const Reservation& r, u64 index)
{
    auto first = (r.list + index).read();
    if (!first.ok() || *first > frame_table::end || frame_table::end - *first < r.frames())
        return false;
    for (u64 i = 0; i < r.frames(); i++)
        if (!give_frame(r.domain, Mfn{*first} + i))
            return false;
    return true;
}

/// populate_physmap says where the domain has its new frames. For increase_reservation they have no place, and need not be told.
bool increase(const Reservation& r, u64 index)
{
    auto pfn = r.has_places ? (r.list + index).read() : Result<u64>(0);
    auto first = pfn.ok() ? domains::add_pages(r.domain, r.order, r.address_bits) : pfn.error();
    if (!first.ok())
        return false;
    for (u64 i = 0; r.has_places && i < r.frames(); i++)
        name_frame(r.domain, *first + i, *pfn + i);
    if ((!r.has_places && r.list.is_null()) || (r.list + index).write(first->raw()).ok())
        return true;
    give_extent(r.domain, *first, r.order);
    return false;
}

} // namespace

void give_extent(Domain& domain, Mfn first, unsigned order)
{
    for (u64 i = 0; i < bit(order); i++)
        give_frame(domain, first + i);
}

void name_frame(Domain& domain, Mfn mfn, u64 pfn)
{
    if (Frame* frame = get_frame(mfn, domain.id)) {
        arch::set_m2p(mfn, pfn);
        frame->put();
    }
}

bool give_frame(Domain& domain, Mfn mfn)
{
    // Our own reference keeps the frame from having another owner before its m2p entry is gone.
    Frame* frame = get_frame(mfn, domain.id);
    if (!frame)
        return false;
    bool given = domains::give_back(domain, mfn);
    if (given)
        arch::set_m2p(mfn, ~u64{0});
    frame->put();
    return given;
}

/// Whatever is wrong shows as a count that is too small: this is what callers check.
CallResult change_reservation(Call& call, u32 command, u64 argument)
{
    const u64 done = command >> command_bits; // extents that an earlier turn finished
    command &= command_mask;
    auto read = GuestPtr<xen_memory_reservation>(argument).read();
    auto target = read.ok() ? target_of(call, read->domid) : Error::fault;
    if (!target.ok())
        return s64(done);
    const auto& request = *read;
    Domain& domain = **target;
    bool gives = command == XENMEM_decrease_reservation;
    if (request.nr_extents > max_extents || done > request.nr_extents || request.extent_order > max_extent_order ||
        request.mem_flags & XENMEMF_populate_on_demand || (!gives && domain.is_dying()))
        return s64(done);
    Reservation r{domain, GuestPtr<u64>(request.extent_start), request.extent_order, address_bits(request.mem_flags),
                  command == XENMEM_populate_physmap};
    u64 work = 0;
    for (u64 i = done; i < request.nr_extents; i++, work += r.frames()) {
        if (work >= frames_between_yields) {
            if (arch::should_yield())
                return call.restart_with(0, command | i << command_bits);
            work = 0;
        }
        if (!(gives ? decrease : increase)(r, i))
            return s64(i);
    }
    return s64(request.nr_extents);
}

/// A claim is answered from what is free at this moment; nothing is set aside, the allocation itself may still fail.
Status claim(Call& call, const xen_memory_reservation& request)
{
    TRY(PolicyCheck::control_domain(call.vcpu));
    if (request.extent_start || request.extent_order || request.mem_flags)
        return Error::inval;
    DomainRef domain = TRY(target_of(call, request.domid));
    u64 missing = request.nr_extents > domain->total_pages ? request.nr_extents - domain->total_pages : 0;
    return only_if(!request.nr_extents || (request.nr_extents <= domain->max_pages && missing <= frame_allocator::stats().free),
                   Error::nomem);
}

} // namespace tenon::hypercall::memory
