// Changing one page-table entry: the one place where guests' tables are written.
#pragma once
#include "types.hpp"
#include <tenon/hypercall/call.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86::pv {

enum class AdBits : u8 { replace, preserve };

/// Writes `value` into entry `index` of a table that has a type reference at `level`. `from` owns the frame a level-1 entry maps.
/// The mm_lock is held. Error::restart: the write is not done (value) — call again; a release that could not end is deferred.
Status write_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, DomainId from, AdBits ad);

/// Stores, keeping what the hardware does to A and D meanwhile when asked; returns what was there.
inline Pte exchange_entry(Pte* at, Pte value, AdBits ad)
{
    std::atomic_ref slot(at->raw);
    if (ad == AdBits::replace)
        return {slot.exchange(value.raw, std::memory_order_acq_rel)};
    u64 old = slot.load(std::memory_order_relaxed);
    while (!slot.compare_exchange_weak(old, value.raw | (old & (Pte::accessed | Pte::dirty)), std::memory_order_acq_rel)) {
    }
    return {old};
}

/// Under the mm_lock only the hardware changes a level-1 entry, and only A and D: a plain store is enough where nobody asks for these.
[[gnu::always_inline]] inline void store_l1_entry(Pte* at, Pte value, AdBits ad, Pte* was)
{
    if (was)
        *was = exchange_entry(at, value, ad);
    else if (ad == AdBits::preserve)
        exchange_entry(at, value, ad);
    else
        __atomic_store_n(&at->raw, value.raw, __ATOMIC_RELEASE); // std::atomic_ref would look whether it is aligned
}

/// An entry that goes on mapping its frame keeps that reference; a type reference comes with the right to write, or goes with it.
[[gnu::always_inline]] inline Status change_rights(Pte* at, Pte old, Pte value, AdBits ad, Pte* was)
{
    const bool counts = (old.raw ^ value.raw) & Pte::writable && is_ram(old.mfn());
    Frame& frame = frame_at(old.mfn());
    if (counts && value.is_writable())
        TRY(get_writable(frame));
    store_l1_entry(at, value, ad, was);
    if (counts && !value.is_writable())
        put_writable(frame);
    return success;
}

/// write_entry at level 1, where nothing takes long: done when it returns. `was`: what the entry held.
[[gnu::always_inline]] inline Status write_l1_entry(Domain& domain, Pte* at, Pte value, DomainId from, AdBits ad, Pte* was = nullptr)
{
    const Pte old = *at;
    if (value.is_present()) {
        if (value.raw & domain.arch.reserved_pte_bits) [[unlikely]]
            return Error::inval;
        value.raw = (value.raw | Pte::user) & ~Pte::global;
        if (old.is_present() && !((old.raw ^ value.raw) & Pte::frame_bits))
            // More rights only to a frame of who was named, as for a new entry.
            if (old.is_writable() || !value.is_writable() || (is_ram(old.mfn()) && frame_at(old.mfn()).owner_id() == from))
                return change_rights(at, old, value, ad, was);
        TRY(take_l1_frame(domain, value, from));
    }
    store_l1_entry(at, value, ad, was);
    drop_l1_entry(old);
    return success;
}

/// The level-1 entry for an address of the current vCPU's guest, in its validated tables. The mm_lock is held.
struct EntryPlace {
    Mfn table = invalid_mfn;
    unsigned index = 0;
    Pte& entry() const { return own_frame<Pte>(table)[index]; }
};
inline Result<EntryPlace> find_l1(Mfn l4, GuestVa va)
{
    Mfn table = l4;
#pragma GCC unroll 3
    for (unsigned level = 4; level > 1; level--) { // no large pages: validation refuses them
        const Pte entry = own_frame<Pte>(table)[index_at(va.raw(), level)];
        if (!entry.is_present())
            return Error::inval;
        table = entry.mfn();
    }
    return EntryPlace{table, index_at(va.raw(), 1)};
}

/// The level-1 entry at a machine address; nullptr when no validated table of the current vCPU's domain is there. The mm_lock is held.
inline Pte* own_l1_entry(const Domain& domain, MachineAddr at)
{
    const Mfn mfn = frame_of(at);
    if (at.raw() & 7 || !frame_table::covers(mfn) || frame_at(mfn).owner_id() != domain.id || !frame_at(mfn).type_word().is_valid_table(1))
        return nullptr;
    return reinterpret_cast<Pte*>(own_base + at.raw());
}

/// mmu_update and mmuext_op, set in the count of a call that was interrupted: `done` already holds what was completed.
inline constexpr u32 continued = bit(31);
/// The end of both: says how many of the list are done, now and before, and goes on with the rest if it was interrupted.
template <class T>
CallResult finish_list(Call& call, Status result, GuestPtr<T> list, u32 count, u32 done, u32 before, GuestPtr<u32> done_ptr)
{
    if (!done_ptr.is_null())
        TRY(done_ptr.write(before + done));
    if (result) [[likely]]
        return s64{0};
    if (result.error() != Error::restart)
        return result.error();
    call.args[0] = (list + done).va().raw();
    return call.restart_with(1, (count - done) | continued);
}

/// Goes on with what an earlier call of this vCPU could not release, under its own domain's mm_lock: before a call that may work on another
/// domain's tables, and also when that call has nothing else to do. Error::restart: call again.
inline Status finish_earlier(Vcpu& vcpu)
{
    if (vcpu.deferred_table == invalid_mfn) [[likely]]
        return success;
    Guard guard(vcpu.domain.arch.mm_lock);
    return finish_deferred_table(vcpu, vcpu.domain);
}

/// Loads a vCPU's tables, those of its kernel mode, and remembers it; everything older leaves this CPU's TLB.
void load_tables(Vcpu& vcpu);
/// CPUs that hold the state of one of the domain's vCPUs.
CpuSet cpus_of(Domain& domain);

/// The public meaning of a domid argument: whose tables, whose frames.
struct Subjects {
    Domain* tables = nullptr;
    DomainId frames_id;
    DomainRef tables_held, frames_held; ///< empty for the caller's own
};
Result<Subjects> resolve_others(Call& call, u32 domid);
inline Result<Subjects> resolve_subjects(Call& call, u32 domid)
{
    if (domid != dom_self.raw()) [[unlikely]]
        return resolve_others(call, domid);
    Subjects s;
    s.tables = &call.domain;
    s.frames_id = call.domain.id;
    return s;
}

} // namespace tenon::x86::pv
