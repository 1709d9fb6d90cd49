// Grants as page-table entries of the current vCPU's domain.
#include "flush.hpp"
#include "update.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/grant/table.hpp>

namespace tenon::arch {

using namespace x86;
using namespace x86::pv;

namespace {

constexpr unsigned available_shift = 16; // GNTMAP_guest_avail bits -> entry bits 9-11

/// Few ask so.
RARE_CALL Pte* entry_at(const Domain& domain, u64 host_addr) { return own_l1_entry(domain, MachineAddr{host_addr}); }

/// The level-1 entry that host_addr names: by a virtual address, or by its own.
[[gnu::always_inline]] inline Pte* entry_of(Vcpu& vcpu, u64 host_addr, u32 flags)
{
    if (flags & GNTMAP_contains_pte)
        return entry_at(vcpu.domain, host_addr);
    if (!arch::few_words_ok<1>(host_addr))
        return nullptr;
    auto place = find_l1(vcpu.arch.kernel_table, GuestVa{host_addr});
    return place.ok() ? &place->entry() : nullptr;
}

constexpr u64 right_to_write(u32 flags) { return flags & GNTMAP_readonly ? 0 : Pte::writable; }

} // namespace

s16 map_grant(Vcpu& vcpu, u64 host_addr, u32 flags, Mfn mfn)
{
    Domain& domain = vcpu.domain;
    Guard guard(domain.arch.mm_lock);
    if (!finish_deferred(vcpu, domain))
        return GNTST_eagain;
    Pte* const at = entry_of(vcpu, host_addr, flags);
    if (!at)
        return GNTST_bad_virt_addr;
    const Pte old = *at;
    const u64 available = u64(flags >> available_shift & 7) << 9;
    const u64 bits = Pte::present | Pte::accessed | Pte::dirty | Pte::user | Pte::no_execute | right_to_write(flags) | available;
    store_l1_entry(at, Pte::of(mfn, bits), AdBits::replace, nullptr);
    drop_l1_entry(old);
    return GNTST_okay;
}

s16 unmap_grant(Vcpu& vcpu, u64 host_addr, u32 flags, Mfn mfn)
{
    Domain& domain = vcpu.domain;
    Guard guard(domain.arch.mm_lock);
    if (!finish_deferred(vcpu, domain))
        return GNTST_eagain;
    Pte* const at = entry_of(vcpu, host_addr, flags);
    constexpr u64 compared = Pte::frame_bits | Pte::present | Pte::writable;
    if (!at || (at->raw & compared) != Pte::of(mfn, Pte::present | right_to_write(flags)).raw)
        return GNTST_general_error;
    store_l1_entry(at, {}, AdBits::replace, nullptr);
    return GNTST_okay;
}

void flush_after_unmap(Vcpu& vcpu)
{
    if (vcpu.domain.max_vcpus == 1)
        load_tables(vcpu);
    else
        arch::flush_tlb_older_than(arch::tlb_stamp(), cpus_of(vcpu.domain));
}

} // namespace tenon::arch
