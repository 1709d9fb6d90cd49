// TLB flushes that guests ask for. Other CPUs flush everything: they are few, and a mask of pages costs more than it saves.
#include "../cpu/per_cpu.hpp"
#include "../mm/tlb_tags.hpp"
#include "update.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

void load_tables(Vcpu& vcpu)
{
    PerCpu& cpu = this_cpu();
    u64 clock = arch::tlb_clock();
    tlb_tags::load_and_forget(tlb_tags::cr3_of(vcpu.arch.kernel_table, tlb_tags::Tag::kernel));
    cpu.flushed_at.store(clock, std::memory_order_release);
}

CpuSet cpus_of(Domain& domain)
{
    CpuSet set;
    for (u32 i = 0; i < domain.max_vcpus; i++)
        if (Vcpu* v = domain.vcpus[i]; v && v->is_on_cpu.load(std::memory_order_acquire))
            set.set(v->home().raw());
    return set;
}

void flush_local(FlushWhat what, GuestVa va)
{
    if (what == FlushWhat::page)
        tlb_tags::forget_page(va.raw());
    else
        load_tables(arch::current_vcpu());
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

} // namespace tenon::x86::pv
