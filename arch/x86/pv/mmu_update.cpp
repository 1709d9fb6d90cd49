// HYPERVISOR_mmu_update, update_va_mapping and update_va_mapping_otherdomain. [public header xen.h; docs/abi]
#include "update.hpp"
#include "flush.hpp"
#include <abi/mmu.h>
#include <tenon/arch/memory.hpp>
#include <tenon/hypercall/arch_calls.hpp>

namespace tenon::x86::pv {

/// Set in the count of a call that was interrupted: `done` already holds what was completed.
constexpr u32 continued = bit(31);

namespace {

Status update_frame(Call& call, Subjects& who, MachineAddr at, Pte value, AdBits ad)
{
    Domain& domain = *who.tables;
    Mfn mfn = frame_of(at);
    unsigned index = unsigned(offset_in_page(at) / 8);
    if (at.raw() & 7 || !frame_table::covers(mfn))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    if (frame.owner_id() == domain.id && frame.type_word().is_valid_table(1)) [[likely]] {
        FrameView<Pte> table(mfn);
        return write_l1_entry(domain, &table[index], value, who.frames_id, ad);
    }
    if (!is_ram(mfn) || !frame.get(domain.id))
        return Error::inval;
    Status s = success;
    TypeWord word = frame.type_word();
    if (word.count() != 0 && is_page_table(word.type())) {
        s = word.partial() ? Status(Error::inval)
                           : write_entry(call.vcpu, domain, frame, index, value, level_of(word.type()), who.frames_id, ad);
    } else if (s = get_writable(frame); s) {
        FrameView<u64> view(mfn);
        std::atomic_ref(view[index]).store(value.raw, std::memory_order_release);
        put_writable(frame, false);
    }
    frame.put();
    return s;
}

Status update_m2p(Subjects& who, Mfn mfn, u64 pfn)
{
    if (!is_ram(mfn) || !frame_at(mfn).get(who.frames_id))
        return Error::inval;
    arch::set_m2p(mfn, pfn);
    frame_at(mfn).put();
    return success;
}

Status one_update(Call& call, Subjects& who, const mmu_update& request)
{
    switch (request.ptr & 3) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        return update_frame(call, who, MachineAddr{request.ptr & ~u64{3}}, Pte{request.val}, AdBits::replace);
    case MMU_PT_UPDATE_PRESERVE_AD:
        return update_frame(call, who, MachineAddr{request.ptr & ~u64{3}}, Pte{request.val}, AdBits::preserve);
    default:
        return update_m2p(who, frame_of(MachineAddr{request.ptr}), request.val);
    }
}

[[gnu::always_inline]] inline CallResult update_va(Call& call, GuestVa va, Pte value, u64 flags, DomainId frames_id)
{
    Domain& domain = call.domain;
    if (!arch::guest_range_ok(va, 1))
        return Error::inval;
    {
        Guard guard(domain.arch.mm_lock);
        TRY(finish_deferred(call.vcpu, domain));
        EntryPlace place = TRY(find_l1(call.vcpu.arch.kernel_table, va));
        FrameView<Pte> table(place.table);
        TRY(write_l1_entry(domain, &table[place.index], value, frames_id, AdBits::replace));
    }
    switch (flags & UVMF_FLUSHTYPE_MASK) {
    case UVMF_TLB_FLUSH:
        TRY(flush_flagged(call.vcpu, flags, FlushWhat::all, va));
        break;
    case UVMF_INVLPG:
        TRY(flush_flagged(call.vcpu, flags, FlushWhat::page, va));
        break;
    }
    return s64{0};
}

} // namespace
} // namespace tenon::x86::pv

namespace tenon::hypercall {

using namespace x86::pv;

CallResult mmu_update(Call& call, u64 requests, u32 count, u64 done_at, u32 domid)
{
    u32 done = 0;
    GuestPtr<u32> done_ptr(done_at);
    if (count & continued) {
        count &= ~continued;
        if (!done_ptr.is_null())
            done = TRY(done_ptr.read());
    }
    Subjects who = TRY(resolve_subjects(call, domid));
    GuestPtr<struct mmu_update> list(requests);
    Domain& domain = *who.tables;
    Status result = success;
    u32 i = 0;
    while (i < count) {
        struct mmu_update batch[32];
        u32 n = min(count - i, u32(32));
        result = (list + i).read_array(batch, n);
        if (!result)
            break;
        Guard guard(domain.arch.mm_lock);
        result = finish_deferred(call.vcpu, domain);
        for (u32 k = 0; result.ok() && k < n; k++) {
            result = one_update(call, who, batch[k]);
            if (!result)
                break;
            i++; // done; what it still has to release does not undo that
            result = finish_deferred(call.vcpu, domain);
        }
        if (!result)
            break;
        if (i < count && arch::should_yield()) {
            result = Error::restart;
            break;
        }
    }
    done += i;
    if (!done_ptr.is_null())
        TRY(done_ptr.write(done));
    if (!result && result.error() == Error::restart) {
        call.args[0] = (list + i).va().raw();
        return call.restart_with(1, (count - i) | continued);
    }
    if (!result)
        return result.error();
    return s64{0};
}

CallResult update_va_mapping(Call& call, u64 va, u64 pte, u64 flags)
{
    return update_va(call, GuestVa{va}, x86::Pte{pte}, flags, call.domain.id);
}

CallResult update_va_mapping_otherdomain(Call& call, u64 va, u64 pte, u64 flags, u32 domid)
{
    Subjects who = TRY(resolve_subjects(call, domid & 0xffff));
    return update_va(call, GuestVa{va}, x86::Pte{pte}, flags, who.frames_id);
}

} // namespace tenon::hypercall
