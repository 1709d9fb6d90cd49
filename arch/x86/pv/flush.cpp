// TLB flushes that guests ask for. Other CPUs flush everything: they are few, and a mask of pages costs more than it saves.
#include "flush.hpp"
#include "../mm/tlb_tags.hpp"
#include "update.hpp"
#include <abi/mmu.h>
#include <tenon/arch/memory.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

void flush_local(FlushWhat what, GuestVa va)
{
    if (what == FlushWhat::page)
        tlb_tags::forget_page(va.raw());
    else
        load_tables(arch::current_vcpu());
}

CpuSet cpus_of(Domain& domain)
{
    CpuSet set;
    for (u32 i = 0; i < domain.max_vcpus; i++)
        if (Vcpu* v = domain.vcpus[i]; v && v->is_on_cpu.load(std::memory_order_acquire))
            set.set(v->home().raw());
    return set;
}

Status flush_vcpus(Vcpu& caller, GuestPtr<u64> mask, FlushWhat what, GuestVa va)
{
    Domain& domain = caller.domain;
    CpuSet cpus;
    if (mask.is_null())
        cpus = cpus_of(domain);
    else
        for (u32 base = 0; base < domain.max_vcpus; base += 64) {
            u64 word = TRY((mask + base / 64).read());
            for (; word; word &= word - 1)
                if (Vcpu* v = domain.vcpu(base + u32(__builtin_ctzll(word))); v && v->is_on_cpu.load(std::memory_order_acquire))
                    cpus.set(v->home().raw());
        }
    CpuId self = arch::this_cpu_id();
    if (cpus.test(self.raw())) {
        flush_local(what, va);
        cpus.clear(self.raw());
    }
    if (cpus.any())
        arch::flush_tlb_older_than(arch::tlb_stamp(), cpus);
    return success;
}

Status flush_flagged(Vcpu& caller, u64 flags, FlushWhat what, GuestVa va)
{
    u64 where = flags & ~UVMF_FLUSHTYPE_MASK;
    if (where == UVMF_LOCAL) {
        flush_local(what, va);
        return success;
    }
    return flush_vcpus(caller, GuestPtr<u64>(where == UVMF_ALL ? 0 : where), what, va);
}

} // namespace tenon::x86::pv
