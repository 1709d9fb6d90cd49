// Frame types: taking, validating, releasing. Validation and release can stop after any entry; what is left to do is then in the frame:
//   count 0, partial: entries [0, progress) hold references, a general reference keeps the frame; anyone may resume or release.
//   count 1, partial: being released by the holder of the last reference, who comes back.
#include "types.hpp"
#include "../mm/paging.hpp"
#include <algorithm>
#include <span>
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>

namespace tenon::x86::pv {

namespace {

constinit Mfn forbidden[64]{}; ///< frames of devices that nobody gets
constinit unsigned forbidden_count = 0;

/// Tables are mostly empty: a group of entries is skipped at once. Between two looks at the clock, which also let interrupts in, lie
/// four groups that are not empty.
constexpr unsigned group = 16, groups_per_step = 4;

inline Pte* group_of(Pte* at) { return reinterpret_cast<Pte*>(u64(at) & ~(group * sizeof(Pte) - 1)); }

[[gnu::always_inline]] inline bool none_present(const Pte* e)
{
    u64 any = e[0].raw;
    if (any & Pte::present)
        return false;
#pragma GCC unroll 16
    for (unsigned i = 1; i < group; i++)
        any |= e[i].raw;
    return !(any & Pte::present);
}

RARE_CALL bool out_of_time() { return arch::should_yield(); }

/// Releases entries [0, progress), last first. On restart progress says what is still held.
template <bool is_leaf> [[gnu::noinline]] Status release_loop(Domain& domain, Frame& frame, unsigned level)
{
    FrameView<Pte> table(mfn_of(frame));
    const FrameRecords records;
    unsigned worked = 0;
    for (Pte* at = table.get() + frame.progress; at != table.get();) {
        Pte* const begin = group_of(at - 1);
        if (none_present(begin)) {
            at = begin;
            continue;
        }
#pragma GCC unroll 4
        while (at != begin) {
            const Pte entry = *--at;
            if (!entry.is_present())
                continue;
            if constexpr (is_leaf)
                drop_l1_frame(entry, records);
            else if (const unsigned i = unsigned(at - table.get()); !is_hypervisor_slot(level, i)) {
                frame.progress = u16(i + 1);
                TRY(drop_table(domain, entry.mfn()));
            }
        }
        if (++worked % groups_per_step == 0 && at != table.get() && out_of_time()) {
            frame.progress = u16(at - table.get());
            return Error::restart;
        }
    }
    frame.progress = 0;
    return success;
}

/// Empties the TLBs of a frame's last type, when the word already names another: from then on no one can take the old type, so that the
/// stamp is its last. (Before that a mapping that another domain has by a grant could come and go, which needs none of our locks.)
void retype_flush(const Frame& frame)
{
    arch::flush_tlb_older_than(std::atomic_ref(const_cast<u64&>(frame.stamp)).load(std::memory_order_acquire), arch::online_cpus());
}

Status release_entries(Domain& domain, Frame& frame, unsigned level)
{
    return level == 1 ? release_loop<true>(domain, frame, 1) : release_loop<false>(domain, frame, level);
}

} // namespace

void forbid_device(Mfn mfn)
{
    ASSERT(forbidden_count < std::size(forbidden));
    forbidden[forbidden_count++] = mfn;
}

/// Of a frame whose type has just changed, whoever comes before the flush of the first one has ended flushes, too, as nobody may wait for
/// another CPU here.
Result<TypeWord> take_type(Frame& frame, FrameType type, u32 count)
{
    for (u64 old = frame.type.load(std::memory_order_relaxed);;) {
        const TypeWord word{old};
        const bool is_first = word.type() != type;
        if (is_first ? word.count() != 0 || word.partial() : word.count() >= Frame::refs_limit)
            return Error::inval;
        u64 flags = old & (TypeWord::kept_bits | TypeWord::flushing_bit);
        if (is_first && word.type() != FrameType::none)
            flags |= TypeWord::flushing_bit;
        if (!frame.type.compare_exchange_weak(old, TypeWord::of(type, word.count() + count, flags).raw, std::memory_order_acq_rel))
            continue;
        if (flags & TypeWord::flushing_bit) {
            retype_flush(frame);
            if (is_first)
                frame.type.fetch_and(~TypeWord::flushing_bit, std::memory_order_release);
        }
        return word;
    }
}

Status get_writable_slowly(Frame& frame, u32 count)
{
    TRY(take_type(frame, FrameType::writable, count));
    return success;
}

Status take_device_entry(const Domain& domain, Pte entry)
{
    if (!domain.arch.has_hardware || is_ram(entry.mfn()))
        return Error::inval;
    const std::span known(forbidden, forbidden_count);
    return std::ranges::find(known, entry.mfn()) == known.end() ? Status(success) : Error::perm;
}

Status take_upper_entry(Domain& domain, Pte& at, unsigned level)
{
    const Pte entry = at;
    if (!entry.is_present())
        return success;
    if (entry.raw & (domain.arch.reserved_pte_bits | Pte::large))
        return Error::inval;
    FrameRef frame = TRY(hold(entry.mfn(), domain.id));
    TRY(get_table(domain, *frame, level - 1));
    frame.keep();
    at = {(entry.raw | Pte::user) & ~Pte::global};
    return success;
}

namespace {

/// An entry that has to be checked, and whose bits may have to be corrected.
RARE_CALL Status take_l1_entry(Domain& domain, Pte& at)
{
    const Pte entry{(at.raw | Pte::user) & ~Pte::global};
    if (entry.raw & domain.arch.reserved_pte_bits)
        return Error::inval;
    TRY(take_l1_frame(domain, entry, domain.id));
    at = entry;
    return success;
}

template <bool is_leaf> [[gnu::noinline]] Status validate_loop(Domain& domain, Frame& frame, unsigned level)
{
    FrameView<Pte> table(mfn_of(frame));
    constexpr u64 plain = Pte::present | Pte::user; // a level-1 entry that needs its references and no correction
    const u64 checked = plain | Pte::global | domain.arch.reserved_pte_bits;
    const DomainId id = domain.id;
    const FrameRecords records;
    unsigned worked = 0;
    for (Pte *at = table.get() + frame.progress, *const stop = table.get() + entries_per_table; at != stop;) {
        Pte* const end = group_of(at) + group;
        if (none_present(end - group)) {
            at = end;
            continue;
        }
#pragma GCC unroll 4
        for (; at != end; at++) {
            const Pte entry = *at;
            Status s = success;
            if (is_leaf && (entry.raw & checked) == plain)
                s = take_l1_frame(domain, entry, id, records);
            else if (entry.is_present() && (is_leaf || !is_hypervisor_slot(level, unsigned(at - table.get()))))
                s = is_leaf ? take_l1_entry(domain, *at) : take_upper_entry(domain, *at, level);
            if (!s) [[unlikely]] {
                frame.progress = u16(at - table.get());
                return s;
            }
        }
        if (++worked % groups_per_step == 0 && at != stop && out_of_time()) {
            frame.progress = u16(at - table.get());
            return Error::restart;
        }
    }
    frame.progress = entries_per_table;
    return success;
}

Status validate(Domain& domain, Frame& frame, unsigned level)
{
    if (level == 1)
        return validate_loop<true>(domain, frame, 1);
    TRY(validate_loop<false>(domain, frame, level));
    if (level == 4)
        install_slots(mfn_of(frame), domain.arch, GuestMode::kernel);
    return success;
}

/// Leaves a table with count 0 whose entries [0, progress) hold references; a general reference keeps it.
void leave_partial(Frame& frame, unsigned level)
{
    frame.refs.fetch_add(1, std::memory_order_relaxed);
    frame.type.store(TypeWord::of(table_type(level), 0, (frame.type.load() & TypeWord::kept_bits) | TypeWord::partial_bit).raw,
                     std::memory_order_release);
}

} // namespace

Status release_partial(Domain& domain, Frame& frame)
{
    TypeWord word = frame.type_word();
    if (!word.partial() || word.count() != 0)
        return success;
    TRY(release_entries(domain, frame, level_of(word.type())));
    frame.leave_stamp(arch::tlb_stamp());
    frame.type.fetch_and(~TypeWord::partial_bit, std::memory_order_release);
    frame.put();
    return success;
}

Status get_table(Domain& domain, Frame& frame, unsigned level)
{
    FrameType want = table_type(level);
    u64 old = frame.type.load(std::memory_order_acquire);
    for (;;) {
        TypeWord word{old};
        if (word.count() != 0) {
            if (word.type() != want || !word.validated() || word.partial() || word.count() >= Frame::refs_limit)
                return Error::inval;
            if (frame.type.compare_exchange_weak(old, old + 1, std::memory_order_acq_rel))
                return success;
            continue;
        }
        bool resume = word.partial() && word.type() == want;
        if (word.partial() && !resume) {
            TRY(release_partial(domain, frame));
            old = frame.type.load(std::memory_order_acquire);
            continue;
        }
        u64 next = TypeWord::of(want, 1, old & TypeWord::kept_bits).raw;
        if (!frame.type.compare_exchange_weak(old, next, std::memory_order_acq_rel))
            continue;
        if (word.type() != FrameType::none && word.type() != want)
            retype_flush(frame);
        if (resume)
            frame.refs.fetch_sub(1, std::memory_order_relaxed); // the caller holds one
        else
            frame.progress = 0;
        break;
    }
    Status s = validate(domain, frame, level);
    if (s) {
        frame.type.fetch_or(TypeWord::validated_bit, std::memory_order_release);
        domain.arch.page_tables++;
        return success;
    }
    if (s.error() == Error::restart || !release_entries(domain, frame, level)) {
        leave_partial(frame, level);
        return s;
    }
    frame.leave_stamp(arch::tlb_stamp());
    frame.type.fetch_sub(1, std::memory_order_release);
    return s;
}

Status put_table(Domain& domain, Frame& frame)
{
    TypeWord word = frame.type_word();
    if (word.count() > 1) {
        frame.type.fetch_sub(1, std::memory_order_acq_rel);
        return success;
    }
    if (!word.partial()) {
        frame.progress = entries_per_table;
        frame.type.fetch_or(TypeWord::partial_bit, std::memory_order_relaxed);
    }
    TRY(release_entries(domain, frame, level_of(word.type())));
    domain.arch.page_tables--;
    frame.leave_stamp(arch::tlb_stamp());
    frame.type.store(TypeWord::of(word.type(), 0, word.raw & TypeWord::kept_bits).raw, std::memory_order_release);
    return success;
}

Status drop_table(Domain& domain, Mfn mfn)
{
    TRY(put_table(domain, frame_at(mfn)));
    frame_at(mfn).put();
    return success;
}

Status finish_deferred_table(Vcpu& vcpu, Domain& tables)
{
    Status s = success;
    do
        s = drop_table(tables, vcpu.deferred_table);
    while (!s && &vcpu.domain != &tables);
    if (s)
        vcpu.deferred_table = invalid_mfn;
    return s;
}

} // namespace tenon::x86::pv

namespace tenon::arch {

bool get_writable(Frame& frame, u32 count) { return x86::pv::get_writable(frame, count).ok(); }
void put_writable(Frame& frame, bool mapped, u32 count) { x86::pv::put_writable(frame, mapped, count); }

} // namespace tenon::arch
