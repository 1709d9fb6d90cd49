// HYPERVISOR_mmu_update, update_va_mapping and update_va_mapping_otherdomain. [public header xen.h; docs/abi]
#include "../mm/tlb_tags.hpp"
#include "update.hpp"
#include <abi/mmu.h>
#include <tenon/arch/memory.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

/// An update of any other kind: of the machine-to-physical table, of a table of any level, of a page that is no table.
RARE_CALL Status update_anything(Vcpu& vcpu, Domain& domain, DomainId frames_id, u64 request, Pte value)
{
    const u64 kind = request & 3;
    const MachineAddr at{request & ~u64{3}};
    const Mfn mfn = frame_of(at);
    if (kind == MMU_MACHPHYS_UPDATE) {
        const FrameRef frame = TRY(hold(mfn, frames_id));
        arch::set_m2p(mfn, value.raw);
        return success;
    }
    if (at.raw() & 7)
        return Error::inval;
    const FrameRef frame = TRY(hold(mfn, domain.id));
    const unsigned index = unsigned(offset_in_page(at) / 8);
    const TypeWord word = frame->type_word();
    if (word.count() == 0 || !is_page_table(word.type()))
        return write_page<u64>(*frame, [&](u64* page) { std::atomic_ref(page[index]).store(value.raw, std::memory_order_release); });
    if (word.partial())
        return Error::inval;
    const AdBits ad = kind == MMU_PT_UPDATE_PRESERVE_AD ? AdBits::preserve : AdBits::replace;
    if (word.type() == FrameType::l1) // MMU_PT_UPDATE_NO_TRANSLATE, with which Linux maps frames of others
        return write_l1_entry(domain, &FrameView<Pte>(*frame)[index], value, frames_id, ad);
    return write_upper_entry(vcpu, domain, *frame, index, value, level_of(word.type()), ad);
}

/// One request of mmu_update. An entry of a level-1 table of the domain's is the usual one. The mm_lock is held.
[[gnu::always_inline]] inline Status one_update(Vcpu& vcpu, Domain& domain, DomainId frames_id, const mmu_update& request)
{
    const u64 at = request.ptr;
    constexpr u64 unusual = 7 & ~u64{MMU_PT_UPDATE_PRESERVE_AD}; // another kind, or not an entry's address
    if (const Mfn mfn{at >> page_shift}; !(at & unusual) && frame_table::covers(mfn)) [[likely]]
        if (Frame& frame = frame_at(mfn); frame.owner == domain.id.raw() && frame.type_word().is_valid_table(1)) [[likely]] {
            const AdBits ad = at & 7 ? AdBits::preserve : AdBits::replace;
            const u64 offset = at & page_mask & ~u64{7};
            if (&domain == &vcpu.domain) [[likely]]
                return write_l1_entry(domain, reinterpret_cast<Pte*>(own_frame(mfn) + offset), Pte{request.val}, frames_id, ad);
            FrameView<Pte> table(mfn);
            return write_l1_entry(domain, &table[offset / sizeof(Pte)], Pte{request.val}, frames_id, ad);
        }
    return update_anything(vcpu, domain, frames_id, at, Pte{request.val});
}

/// The usual change of a level-1 entry without a single call. Who changes an entry so, and leaves all that is unusual by a call that is its
/// last act, has no register to save.
struct QuickChange {
    bool done = false;     ///< else something is unusual, and the entry is as it was
    Frame* drop = nullptr; ///< a reference that is to be dropped when the lock is given back
};

/// Maps a page of the domain's own where there was none, or takes a mapping away. The mm_lock is held.
[[gnu::always_inline]] inline QuickChange change_quickly(Domain& domain, Pte* at, Pte value)
{
    const Pte old = *at;
    if (!value.is_present()) {
        const FrameRecords records;
        store_l1_entry(at, value, AdBits::replace, nullptr);
        const u64 position = records.position(old);
        if (!old.is_present() || !records.covers(position) || records.at(position).owner == dom_io.raw())
            return {true};
        if (old.is_writable())
            put_writable(records.at(position));
        return {true, &records.at(position)};
    }
    const FrameRecords records;
    const u64 position = records.position(value);
    if (old.is_present() || value.raw & domain.arch.reserved_pte_bits || !records.covers(position)) [[unlikely]]
        return {};
    Frame& frame = records.at(position);
    if (!frame.try_get()) [[unlikely]]
        return {};
    if (frame.owner != domain.id.raw() || (value.is_writable() && !try_get_writable(frame))) [[unlikely]]
        return {false, &frame};
    store_l1_entry(at, {(value.raw | Pte::user) & ~Pte::global}, AdBits::replace, nullptr);
    return {true};
}

/// Whose frames the caller means to map: its own, or for the control domain anyone's.
Result<DomainId> frames_owner(const Call& call, u16 domid)
{
    if (domid == dom_self.raw()) [[likely]]
        return call.domain.id;
    if (domid == dom_io.raw() && call.domain.is_privileged)
        return dom_io;
    return TRY(target_of(call, domid))->id;
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
        const u32 n = min(count - i, u32(32));
        TRY((list + i).read_array(batch, n));
        {
            Guard guard(domain.arch.mm_lock);
            TRY(finish_deferred(call.vcpu, domain));
            for (const struct mmu_update *request = batch, *end = batch + n; request != end; request++) {
                TRY(one_update(call.vcpu, domain, frames_id, *request));
                i++; // done; what it still has to release does not undo that
                TRY(finish_deferred(call.vcpu, domain));
            }
        }
        if (i < count && arch::should_yield())
            return Error::restart;
    }
    return success;
}

/// The one update is done, but what it released is not: the guest comes back for that.
RARE_CALL u64 come_back(Vcpu& vcpu, u64 list, u64 done_at)
{
    return repeat_call({vcpu, vcpu.domain, __HYPERVISOR_mmu_update, {list, continued, done_at, dom_self.raw()}});
}

} // namespace

CallResult mmu_update(Call& call, u64 requests, u32 count, u64 done_at, u32 domid)
{
    return run_list(call, GuestPtr<struct mmu_update>(requests), count, done_at, [&](auto list, u32 n, u32& done) -> Status {
        if (domid == dom_self.raw()) [[likely]]
            return run_updates(call, call.domain, call.domain.id, list, n, done);
        const DomainId frames = TRY(frames_owner(call, u16(domid)));
        const u16 tables = u16(domid >> 16); // 0: the caller's
        const DomainRef target = TRY(target_of(call, tables ? tables - 1 : dom_self.raw()));
        return run_updates(call, *target, frames, list, n, done);
    });
}

namespace {

/// A single update of the caller's own tables needs no list.
[[gnu::noinline]] u64 mmu_update_slowly(u64 list, u64 count, u64 done_at, Vcpu& vcpu, u64 arg4, u64 domid)
{
    if (u32(count) != 1 || u32(domid) != dom_self.raw() || vcpu.deferred_table != invalid_mfn) [[unlikely]]
        return enter_call<mmu_update, __HYPERVISOR_mmu_update>(list, count, done_at, vcpu, arg4, domid);
    Domain& domain = vcpu.domain;
    Status result = Error::fault;
    if (struct mmu_update request; GuestPtr<struct mmu_update>(list).read_to(request)) [[likely]] {
        Guard guard(domain.arch.mm_lock);
        result = one_update(vcpu, domain, domain.id, request);
    }
    if (done_at && !GuestPtr<u32>(done_at).write(result.ok()))
        return u64(-s64(Error::fault));
    if (vcpu.deferred_table != invalid_mfn) [[unlikely]]
        return come_back(vcpu, list, done_at);
    return u64(-s64(result.error()));
}

/// The last reference of a frame went, for a change that is done or for one that begins anew.
template <EnterCall slowly> RARE_CALL u64 end_frame(u64 arg0, u64 arg1, u64 arg2, Vcpu& vcpu, u64 frame, u64 done)
{
    reinterpret_cast<Frame*>(frame)->end();
    return done ? 0 : slowly(arg0, arg1, arg2, vcpu, 0, dom_self.raw());
}

/// After a quick change, without the lock.
template <EnterCall slowly> [[gnu::always_inline]] inline u64 finish_quickly(QuickChange change, u64 arg0, u64 arg1, u64 arg2, Vcpu& vcpu)
{
    if (change.drop && change.drop->drop()) [[unlikely]]
        return end_frame<slowly>(arg0, arg1, arg2, vcpu, u64(change.drop), change.done);
    return change.done ? 0 : slowly(arg0, arg1, arg2, vcpu, 0, dom_self.raw());
}

} // namespace

/// What most calls are: one entry of a level-1 table of the caller's own.
__attribute__((no_stack_protector)) u64 enter_mmu_update(u64 list, u64 count, u64 done_at, Vcpu& vcpu, u64 arg4, u64 domid)
{
    Domain& domain = vcpu.domain;
    struct mmu_update request;
    if (u32(count) != 1 || u32(domid) != dom_self.raw() || done_at || vcpu.deferred_table != invalid_mfn ||
        !GuestPtr<struct mmu_update>(list).read_members<&::mmu_update::ptr, &::mmu_update::val>(request) || request.ptr & 7 ||
        !frame_table::covers(Mfn{request.ptr >> page_shift}) || !domain.arch.mm_lock.try_lock()) [[unlikely]]
        return mmu_update_slowly(list, count, done_at, vcpu, arg4, domid);
    QuickChange change;
    const Mfn table{request.ptr >> page_shift};
    if (frame_at(table).owner == domain.id.raw() && frame_at(table).type_word().is_valid_table(1)) [[likely]]
        change = change_quickly(domain, reinterpret_cast<x86::Pte*>(x86::own_base + request.ptr), {request.val});
    domain.arch.mm_lock.unlock();
    return finish_quickly<mmu_update_slowly>(change, list, count, done_at, vcpu);
}

__attribute__((no_stack_protector)) u64 enter_update_va_mapping(u64 va, u64 pte, u64 flags, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    constexpr EnterCall slowly = enter_call<update_va_mapping, __HYPERVISOR_update_va_mapping>;
    Domain& domain = vcpu.domain;
    const bool invalidates = flags == (UVMF_INVLPG | UVMF_LOCAL);
    if (vcpu.deferred_table != invalid_mfn || !arch::few_words_ok<1>(va) || (!invalidates && flags != UVMF_NONE) ||
        !domain.arch.mm_lock.try_lock()) [[unlikely]]
        return slowly(va, pte, flags, vcpu, arg4, arg3);
    QuickChange change;
    if (x86::Pte* at = find_l1(vcpu.arch.kernel_table, GuestVa{va})) [[likely]]
        change = change_quickly(domain, at, {pte});
    domain.arch.mm_lock.unlock();
    if (change.done && invalidates)
        x86::tlb_tags::forget_page(va);
    return finish_quickly<slowly>(change, va, pte, flags, vcpu);
}

CallResult update_va_mapping(Call& call, u64 va, u64 pte, u64 flags)
{
    return update_va_mapping_otherdomain(call, va, pte, flags, dom_self.raw());
}

CallResult update_va_mapping_otherdomain(Call& call, u64 va, u64 pte, u64 flags, u32 domid)
{
    Vcpu& vcpu = call.vcpu;
    const DomainId frames = TRY(frames_owner(call, u16(domid)));
    if (!arch::few_words_ok<1>(va))
        return Error::inval;
    {
        Guard guard(call.domain.arch.mm_lock);
        TRY(finish_deferred(vcpu, call.domain));
        x86::Pte* const at = find_l1(vcpu.arch.kernel_table, GuestVa{va});
        if (!at)
            return Error::inval;
        TRY(write_l1_entry(call.domain, at, {pte}, frames, AdBits::replace));
    }
    const u64 type = flags & UVMF_FLUSHTYPE_MASK, where = flags & ~UVMF_FLUSHTYPE_MASK;
    const FlushWhat what = type == UVMF_INVLPG ? FlushWhat::page : FlushWhat::all;
    if (type != UVMF_INVLPG && type != UVMF_TLB_FLUSH)
        return s64{0};
    if (where == UVMF_LOCAL)
        flush_local(what, GuestVa{va});
    else
        TRY(flush_vcpus(vcpu, GuestPtr<u64>(where == UVMF_ALL ? 0 : where), what, GuestVa{va}));
    return s64{0};
}

} // namespace tenon::hypercall
