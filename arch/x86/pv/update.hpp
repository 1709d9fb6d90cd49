// What changes a guest's tables: single entries, pins and base pointers, lists of updates; and the flushes that follow.
#pragma once
#include "types.hpp"
#include <tenon/hypercall/call.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86::pv {

enum class AdBits : u8 { replace, preserve };

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

/// A level-1 entry, where nothing takes long: done when it returns. `from` owns the frame that it will map; `was`: what the entry held.
/// The mm_lock is held.
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

/// The level-1 entry for an address of the current vCPU's guest, in its validated tables; nullptr when there is no table for it. The
/// mm_lock is held.
inline Pte* find_l1(Mfn l4, GuestVa va)
{
    Mfn table = l4;
#pragma GCC unroll 3
    for (unsigned level = 4; level > 1; level--) { // no large pages: validation refuses them
        const Pte entry = own_frame<Pte>(table)[index_at(va.raw(), level)];
        if (!entry.is_present())
            return nullptr;
        table = entry.mfn();
    }
    Pte* const at = own_frame<Pte>(table) + index_at(va.raw(), 1);
    if (!at)
        __builtin_unreachable(); // spares the caller a comparison
    return at;
}

/// The level-1 entry at a machine address; nullptr when no validated table of the current vCPU's domain is there. The mm_lock is held.
inline Pte* own_l1_entry(const Domain& domain, MachineAddr at)
{
    const Mfn mfn = frame_of(at);
    if (at.raw() & 7 || !frame_table::covers(mfn) || frame_at(mfn).owner_id() != domain.id || !frame_at(mfn).type_word().is_valid_table(1))
        return nullptr;
    return reinterpret_cast<Pte*>(own_base + at.raw());
}

/// Writes an entry of a table above level 1 (update.cpp). Error::restart: it is not written, call again; a release that could not end is
/// deferred. The mm_lock is held.
Status write_upper_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, AdBits ad);

// TLB flushes that guests ask for (flush.cpp).

/// Loads a vCPU's tables, those of its kernel mode, and remembers it; everything older leaves this CPU's TLB.
void load_tables(Vcpu& vcpu);
/// CPUs that hold the state of one of the domain's vCPUs.
CpuSet cpus_of(Domain& domain);

enum class FlushWhat : u8 { all, page };

/// Flushes on this CPU only.
void flush_local(FlushWhat what, GuestVa va);
/// Flushes wherever one of the vCPUs of the mask is loaded (null mask: all of the domain's).
Status flush_vcpus(Vcpu& caller, GuestPtr<u64> mask, FlushWhat what, GuestVa va);

// Pins and base pointers, for mmuext_op, contexts, domain building and destruction (pin.cpp, base.cpp). The mm_lock of the tables' domain is
// held.

Status pin(Domain& domain, Mfn mfn, unsigned level);
Status unpin(Domain& domain, Mfn mfn);
/// The pin of a frame whose domain dies, or what it holds as a table that nobody finished. Error::restart: call again.
Status drop_pin(Domain& domain, Frame& frame);
/// Replaces a vCPU's kernel or user table (invalid_mfn: none); a release that cannot end now is deferred.
Status set_base(Vcpu& vcpu, Mfn& slot, Mfn mfn);

/// Set in the count of a call that was interrupted: `done_at` already holds what was completed.
inline constexpr u32 continued = bit(31);
/// mmu_update and mmuext_op. `run` gets the list and how long it is, and counts what it has done; the call says how much that was, now and
/// before, and goes on with the rest if it was interrupted.
template <class T, class Run> CallResult run_list(Call& call, GuestPtr<T> list, u32 count, u64 done_at, Run&& run)
{
    if (call.vcpu.deferred_table != invalid_mfn) [[unlikely]] { // under its own domain's lock, and also when nothing else is to be done
        Guard guard(call.domain.arch.mm_lock);
        TRY(finish_deferred_table(call.vcpu, call.domain));
    }
    const GuestPtr<u32> done_ptr(done_at);
    u32 done = 0, before = 0;
    if (count & continued) [[unlikely]] {
        count &= ~continued;
        if (!done_ptr.is_null())
            before = TRY(done_ptr.read());
    }
    const Status result = run(list, count, done);
    if (!done_ptr.is_null())
        TRY(done_ptr.write(before + done));
    if (result) [[likely]]
        return s64{0};
    if (result.error() != Error::restart)
        return result.error();
    call.args[0] = (list + done).va().raw();
    return call.restart_with(1, (count - done) | continued);
}

} // namespace tenon::x86::pv
