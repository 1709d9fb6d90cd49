// Other CPUs: start, requests, idle, stop.
#include "smp.hpp"
#include "../boot/boot_memory.hpp"
#include "../boot/idle_domain.hpp"
#include "../irq/vectors.hpp"
#include "../mm/paging.hpp"
#include "../time/clock.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/log.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

constinit CpuSet online{};

namespace {

constinit bool stopping = false;
extern "C" char trampoline_start[], trampoline_end[], trampoline_cr3[], trampoline_stack[], trampoline_entry[], trampoline_argument[];

void delay_us(u64 us)
{
    for (u64 start = arch::now_ns(); arch::now_ns() - start < us * 1000;)
        pause();
}

/// First C++ of another CPU, on its idle vCPU's stack with the root tables.
extern "C" void start_other_cpu(PerCpu* cpu)
{
    u64 top = vcpu_stack_top(cpu->idle->id.raw());
    reinterpret_cast<StackInfo*>(frame_end(top))->cpu = cpu;
    init_cpu(*cpu);
    lapic::init_this_cpu();
    clock::check_this_cpu();
    online.atomic_set(cpu->id.raw());
    idle_loop();
}

void set_word(Mfn trampoline, const char* word, u64 value)
{
    FrameView<u8> page(trampoline);
    __builtin_memcpy(page.get() + (word - trampoline_start), &value, 8);
}

bool start_one(CpuId id, ApicId apic, Mfn trampoline)
{
    if (!create_percpu(id, apic) || !create_idle_vcpu(id))
        return false;
    PerCpu& cpu = percpu(id);
    u64 top = frame_end(vcpu_stack_top(cpu.idle->id.raw()));
    cpu.stack_top = cpu.tss.rsp[0] = top;
    set_word(trampoline, trampoline_stack, top - 8);
    set_word(trampoline, trampoline_argument, u64(&cpu));
    lapic::send_init(apic);
    delay_us(10'000);
    for (unsigned attempt = 0; attempt < 2 && !cpu.online; attempt++) {
        lapic::send_startup(apic, u8(trampoline.raw()));
        for (unsigned wait = 0; wait < (attempt ? 2000u : 200u) && !cpu.online; wait++)
            delay_us(1000);
    }
    for (unsigned wait = 0; cpu.online && !online.test(id.raw()) && wait < 5000; wait++)
        delay_us(100);
    return online.test(id.raw());
}

} // namespace

void start_other_cpus()
{
    const acpi::Machine& machine = acpi::machine();
    u32 limit = options::max_cpus ? min(options::max_cpus, u32(max_cpus)) : u32(max_cpus), next = 1;
    Mfn trampoline = boot_memory::trampoline_frame();
    if (trampoline == invalid_mfn || limit < 2)
        return clock::cpus_are_up();
    // The code runs with paging on before it leaves its page: the page is mapped where it lies.
    if (!map_range(root_table, trampoline.raw() << page_shift, trampoline, page_size, Pte::present | Pte::writable | Pte::accessed | Pte::dirty))
        return clock::cpus_are_up();
    u64 saved_page[page_size / 8];
    {
        FrameView<u64> page(trampoline);
        __builtin_memcpy(saved_page, page.get(), page_size);
        __builtin_memcpy(page.get(), trampoline_start, u64(trampoline_end - trampoline_start));
    }
    set_word(trampoline, trampoline_cr3, root_table.raw() << page_shift);
    set_word(trampoline, trampoline_entry, u64(&start_other_cpu));
    for (u32 i = 0; i < machine.cpu_count && next < limit; i++) {
        const acpi::Cpu& cpu = machine.cpus[i];
        if (!cpu.enabled || cpu.apic == lapic::id())
            continue;
        if (start_one(CpuId{next}, cpu.apic, trampoline))
            next++;
        else
            log_error("CPU with APIC id %u does not start", cpu.apic.raw());
    }
    FrameView<u64> page(trampoline);
    __builtin_memcpy(page.get(), saved_page, page_size);
    FrameView<Pte> root(root_table);
    root[0] = {};
    flush_this_cpu();
    clock::cpus_are_up();
    log_info("%u CPUs are up", next);
}

void answer_requests()
{
    u32 what = this_cpu().requests.exchange(0, std::memory_order_acq_rel);
    if (what & request_flush)
        flush_this_cpu();
}

void send_request_interrupt(PerCpu& cpu) { lapic::send_ipi(cpu.apic_id, request_vector); }

void idle_loop()
{
    for (;;) {
        if (scheduler::should_schedule(this_cpu().id))
            scheduler::schedule();
        else
            arch::wait_for_interrupt();
    }
}

bool is_stopping() { return stopping; }

void stop_other_cpus()
{
    stopping = true;
    if (online.count() > 1)
        lapic::send_nmi_to_others();
}

} // namespace tenon::x86

bool tenon::arch::wait_for_interrupt()
{
    if (x86::this_cpu().requests.load(std::memory_order_acquire))
        x86::answer_requests();
    else
        asm volatile("sti; hlt; cli" ::: "memory"); // STI holds interrupts back for one instruction: none is lost
    return true;
}
