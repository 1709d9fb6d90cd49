// The TLB clock and flushes on other CPUs. A switch of vCPUs drops everything that a CPU holds (there are no global pages), and so does
// every load of CR3 where there are no PCIDs; a request is needed only where the last one is older than the stamp.
#include "../cpu/per_cpu.hpp"
#include "../cpu/smp.hpp"
#include "../irq/vectors.hpp"
#include "tlb_tags.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/mm/frame_table.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon {

extern "C" {
constinit std::atomic<u64> flush_clock{1}; ///< the entry code reads it, too
}

namespace x86 {

void flush_this_cpu()
{
    // The clock is read before the flush and published after it: whoever waits for it may rely on both.
    u64 clock = flush_clock.load(std::memory_order_acquire);
    tlb_tags::forget_all();
    this_cpu().flushed_at.store(clock, std::memory_order_release);
}

} // namespace x86

namespace arch {

u64 tlb_stamp() { return flush_clock.fetch_add(1, std::memory_order_acq_rel); }
u64 tlb_clock() { return flush_clock.load(std::memory_order_acquire); }

void flush_tlb_older_than(u64 stamp, const CpuSet& cpus)
{
    x86::PerCpu& self = x86::this_cpu();
    if (cpus.test(self.id.raw()) && self.flushed_at.load(std::memory_order_relaxed) <= stamp)
        x86::flush_this_cpu();
    CpuSet waiting;
    cpus.for_each([&](unsigned i) {
        if (i == self.id.raw())
            return;
        x86::PerCpu& other = x86::percpu(CpuId{i});
        if (other.flushed_at.load(std::memory_order_acquire) > stamp)
            return;
        other.requests.store(1);
        lapic::send_ipi(other.apic_id, x86::request_vector);
        waiting.set(i);
    });
    waiting.for_each([&](unsigned i) {
        while (x86::percpu(CpuId{i}).flushed_at.load(std::memory_order_acquire) <= stamp)
            spin_wait();
    });
}

void clear_frame(Mfn mfn)
{
    FrameView<u8> view(mfn);
    void* at = view.get();
    u64 words = page_size / 8;
    asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0) : "memory");
}

void set_m2p(Mfn mfn, u64 pfn)
{
    if (is_ram(mfn))
        reinterpret_cast<u64*>(x86::m2p_rw_base)[mfn.raw()] = pfn;
}

} // namespace arch
} // namespace tenon
