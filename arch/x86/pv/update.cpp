// One page-table entry changes: references of the new value first, the store, then the old value's references.
#include "update.hpp"
#include "../cpu/per_cpu.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

constexpr u64 ad_bits = Pte::accessed | Pte::dirty;

/// Stores, keeping what the hardware does to A and D meanwhile when asked; returns what was there.
Pte exchange(Pte* at, Pte value, AdBits ad)
{
    std::atomic_ref slot(at->raw);
    if (ad == AdBits::replace)
        return {slot.exchange(value.raw, std::memory_order_acq_rel)};
    u64 old = slot.load(std::memory_order_relaxed);
    while (!slot.compare_exchange_weak(old, value.raw | (old & ad_bits), std::memory_order_acq_rel)) {
    }
    return {old};
}

/// The same frame with the same or fewer rights needs no new reference.
bool only_flags_change(Pte old, Pte value)
{
    return old.is_present() && value.is_present() && old.mfn() == value.mfn() && (old.is_writable() || !value.is_writable());
}

} // namespace

Status write_entry(Vcpu& caller, Domain& domain, Frame& table, unsigned index, Pte value, unsigned level, DomainId from, AdBits ad)
{
    FrameView<Pte> view(mfn_of(table));
    Pte* at = &view[index];
    Pte old = *at;
    if (level == 4 && index >= first_slot && index <= last_slot)
        return Error::inval;
    if (level == 1 && only_flags_change(old, value) && !(value.raw & Pte::frame_bits & ~((u64{1} << domain.arch.physical_width) - 1))) {
        value.raw = (value.raw | Pte::user) & ~Pte::global;
        old = exchange(at, value, ad);
        if (old.is_writable() && !value.is_writable() && is_ram(old.mfn()))
            put_writable(frame_at(old.mfn()));
        return success;
    }
    TRY(take_entry(domain, value, level, from));
    old = exchange(at, value, ad);
    if (Status s = drop_entry(domain, old, level); !s) {
        // Only a table can take longer; its reference is ours now and goes before anything else this vCPU does.
        caller.deferred_table = old.mfn();
    }
    return success;
}

Result<EntryPlace> find_l1(Mfn l4, GuestVa va)
{
    Mfn table = l4;
    for (unsigned level = 4; level > 1; level--) {
        FrameView<Pte> view(table);
        Pte entry = view[index_at(va.raw(), level)];
        if (!entry.is_present() || entry.raw & Pte::large)
            return Error::inval;
        table = entry.mfn();
    }
    return EntryPlace{table, index_at(va.raw(), 1)};
}

void load_tables(Vcpu& vcpu)
{
    PerCpu& cpu = this_cpu();
    u64 clock = arch::tlb_clock();
    write_cr3(vcpu.arch.in_kernel ? vcpu.arch.kernel_cr3 : vcpu.arch.user_cr3);
    cpu.flushed_at.store(clock, std::memory_order_release);
}

CpuSet cpus_of(Domain& domain)
{
    CpuSet set;
    for (u32 i = 0; i < domain.max_vcpus; i++)
        if (Vcpu* v = domain.vcpus[i]; v && v->is_on_cpu.load(std::memory_order_acquire))
            set.set(v->cpu.raw());
    return set;
}

Result<Subjects> resolve_subjects(Call& call, u32 domid)
{
    Subjects s;
    u16 frames = u16(domid), tables = u16(domid >> 16);
    if (frames != dom_self.raw() && frames != call.domain.id.raw() && !call.domain.is_privileged)
        return Error::perm;
    if (tables && tables - 1 != call.domain.id.raw() && !call.domain.is_privileged)
        return Error::perm;
    s.tables = domains::find_for(call.vcpu, tables ? DomainId{u16(tables - 1)} : dom_self);
    if (!s.tables)
        return Error::srch;
    if (frames == dom_io.raw()) {
        s.frames_id = dom_io;
        return s;
    }
    s.frames = domains::find_for(call.vcpu, DomainId{frames});
    if (!s.frames)
        return Error::srch;
    s.frames_id = s.frames->id;
    return s;
}

} // namespace tenon::x86::pv
