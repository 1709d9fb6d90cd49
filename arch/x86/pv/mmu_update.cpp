// HYPERVISOR_mmu_update, update_va_mapping and update_va_mapping_otherdomain. [public header xen.h; docs/abi]
#include "flush.hpp"
#include "update.hpp"
#include <abi/mmu.h>
#include <tenon/arch/memory.hpp>
#include <tenon/hypercall/arch_calls.hpp>

namespace tenon::x86::pv {

namespace {

[[gnu::always_inline]] inline Status update_frame(Call& call, Domain& domain, DomainId frames_id, MachineAddr at, Pte value, AdBits ad)
{
    Mfn mfn = frame_of(at);
    unsigned index = unsigned(offset_in_page(at) / 8);
    if (at.raw() & 7 || !frame_table::covers(mfn))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    if (frame.owner_id() == domain.id && frame.type_word().is_valid_table(1)) [[likely]] {
        FrameView<Pte> table(mfn);
        return write_l1_entry(domain, &table[index], value, frames_id, ad);
    }
    if (!is_ram(mfn) || !frame.get(domain.id))
        return Error::inval;
    Status s = success;
    TypeWord word = frame.type_word();
    if (word.count() != 0 && is_page_table(word.type())) {
        s = word.partial() ? Status(Error::inval)
                           : write_entry(call.vcpu, domain, frame, index, value, level_of(word.type()), frames_id, ad);
    } else if (s = get_writable(frame); s) {
        FrameView<u64> view(mfn);
        std::atomic_ref(view[index]).store(value.raw, std::memory_order_release);
        put_writable(frame, false);
    }
    frame.put();
    return s;
}

Status update_m2p(DomainId frames_id, Mfn mfn, u64 pfn)
{
    if (!is_ram(mfn) || !frame_at(mfn).get(frames_id))
        return Error::inval;
    arch::set_m2p(mfn, pfn);
    frame_at(mfn).put();
    return success;
}

[[gnu::always_inline]] inline Status one_update(Call& call, Domain& domain, DomainId frames_id, const mmu_update& request)
{
    const u64 kind = request.ptr & 3;
    if (kind == MMU_MACHPHYS_UPDATE)
        return update_m2p(frames_id, frame_of(MachineAddr{request.ptr}), request.val);
    return update_frame(call, domain, frames_id, MachineAddr{request.ptr & ~u64{3}}, Pte{request.val},
                        kind == MMU_PT_UPDATE_PRESERVE_AD ? AdBits::preserve : AdBits::replace);
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
        TRY(write_l1_entry(domain, &place.entry(), value, frames_id, AdBits::replace));
    }
    switch (flags & UVMF_FLUSHTYPE_MASK) {
    case UVMF_TLB_FLUSH: TRY(flush_flagged(call.vcpu, flags, FlushWhat::all, va)); break;
    case UVMF_INVLPG: TRY(flush_flagged(call.vcpu, flags, FlushWhat::page, va)); break;
    }
    return s64{0};
}

} // namespace
} // namespace tenon::x86::pv

namespace tenon::hypercall {

using namespace x86::pv;

namespace {

/// Up to `count` updates, in batches; `i` counts what is done.
[[gnu::noinline]] Status run_updates(Call& call, Domain& domain, DomainId frames_id, GuestPtr<struct mmu_update> list, u32 count, u32& i)
{
    struct mmu_update batch[32];
    while (i < count) {
        const u32 first = i, n = min(count - i, u32(32));
        TRY((list + i).read_array(batch, n));
        {
            Guard guard(domain.arch.mm_lock);
            TRY(finish_deferred(call.vcpu, domain));
            while (i < first + n) {
                TRY(one_update(call, domain, frames_id, batch[i - first]));
                i++; // done; what it still has to release does not undo that
                TRY(finish_deferred(call.vcpu, domain));
            }
        }
        if (i < count && arch::should_yield())
            return Error::restart;
    }
    return success;
}

} // namespace

CallResult mmu_update(Call& call, u64 requests, u32 count, u64 done_at, u32 domid)
{
    u32 done = 0, before = 0;
    GuestPtr<u32> done_ptr(done_at);
    if (count & continued) [[unlikely]] {
        count &= ~continued;
        if (!done_ptr.is_null())
            before = TRY(done_ptr.read());
    }
    GuestPtr<struct mmu_update> list(requests);
    Status result = success;
    if (domid == dom_self.raw()) [[likely]]
        result = run_updates(call, call.domain, call.domain.id, list, count, done);
    else {
        Subjects who = TRY(resolve_others(call, domid));
        result = run_updates(call, *who.tables, who.frames_id, list, count, done);
    }
    return finish_list(call, result, list, count, done, before, done_ptr);
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
