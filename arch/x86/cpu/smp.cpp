// CPUs: start of the others, requests, idle vCPUs, stop.
#include "smp.hpp"
#include "../boot/boot_memory.hpp"
#include "../irq/vectors.hpp"
#include "../mm/paging.hpp"
#include "../pv/vcpu.hpp"
#include "../time/clock.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

constinit CpuSet online{};

namespace {

constinit bool stopping = false;
constinit Domain* idle_domain = nullptr;
constinit vcpu_info nobody_looks_here{};
extern "C" char trampoline_start[], trampoline_end[];
/// Whoever comes through the trampoline takes these (start32.S).
struct OtherCpu {
    u64 cr3;
    PerCpu* cpu;
};
extern "C" {
constinit OtherCpu other_cpu{};
}

void delay_us(u64 us)
{
    for (u64 start = arch::now_ns(); arch::now_ns() - start < us * 1000;)
        pause();
}

/// First C++ of another CPU, on its idle vCPU's stack with the root tables.
extern "C" void start_other_cpu(PerCpu* cpu)
{
    init_cpu(*cpu);
    lapic::init_this_cpu();
    clock::check_this_cpu();
    online.atomic_set(cpu->id.raw());
    idle_loop();
}

bool create_idle_vcpu(PerCpu& cpu)
{
    Vcpu* vcpu = make<Vcpu>(*idle_domain, VcpuId{cpu.id.raw()});
    if (!vcpu || !arch::create_vcpu(*vcpu))
        return false;
    idle_domain->vcpus[cpu.id.raw()] = vcpu;
    vcpu->info = &nobody_looks_here;
    vcpu->cpu = cpu.id;
    cpu.stack_top = cpu.tss.rsp[0] = frame_end(vcpu_stack_top(cpu.id.raw()));
    reinterpret_cast<StackInfo*>(cpu.stack_top)->cpu = &cpu;
    Regs regs{};
    regs.rip = u64(&idle_loop);
    regs.cs = hv_cs;
    regs.ss = hv_ds;
    regs.rflags = 2;
    regs.rsp = cpu.stack_top - 8;
    pv::write_saved_regs(*vcpu, regs);
    cpu.idle = cpu.current = vcpu;
    scheduler::set_idle(cpu.id, *vcpu);
    return true;
}

bool start_one(PerCpu& cpu, Mfn trampoline)
{
    other_cpu = {root_table.raw() << page_shift, &cpu};
    lapic::send_init(cpu.apic_id);
    delay_us(10'000);
    for (unsigned attempt = 0; attempt < 2 && !cpu.online; attempt++) {
        lapic::send_startup(cpu.apic_id, u8(trampoline.raw()));
        for (unsigned wait = 0; wait < (attempt ? 2000u : 200u) && !cpu.online; wait++)
            delay_us(1000);
    }
    for (unsigned wait = 0; cpu.online && !online.test(cpu.id.raw()) && wait < 5000; wait++)
        delay_us(100);
    if (online.test(cpu.id.raw()))
        return true;
    lapic::send_init(cpu.apic_id); // should it wake up later, it must not run on what the next one is given
    cpu.online = false;
    log_error("CPU with APIC id %u does not start", cpu.apic_id.raw());
    return false;
}

/// `smt=off` leaves out all but the first thread of a core. [SDM 2A CPUID leaf 0Bh: the width of the thread's part of an APIC id]
bool is_wanted(const acpi::Cpu& cpu)
{
    const bool tells = cpuid(0).eax >= 0xb && (cpuid(0xb).ecx >> 8 & 0xff) == 1;
    const u32 thread_bits = tells ? (1u << (cpuid(0xb).eax & 31)) - 1 : 0;
    return cpu.enabled && cpu.apic != lapic::id() && (options::smt || !(cpu.apic.raw() & thread_bits));
}

} // namespace

void create_idle_domain()
{
    idle_domain = make<Domain>(dom_idle);
    if (!idle_domain || !(idle_domain->vcpus = make_array<Vcpu*>(max_cpus)) || !arch::create_domain(*idle_domain))
        panic("not enough memory for the idle vCPUs");
    idle_domain->max_vcpus = max_cpus;
    FrameView<Pte> root(root_table);
    root[domain_slot] = Pte::of(idle_domain->arch.kernel_l3, table_flags);
    if (!create_idle_vcpu(percpu(CpuId{0})))
        panic("not enough memory for the idle vCPUs");
}

void start_other_cpus(u32 limit)
{
    const acpi::Machine& machine = acpi::machine();
    const Mfn trampoline = boot_memory::trampoline_frame();
    u32 next = 1;
    if (trampoline == invalid_mfn || limit < 2)
        return clock::cpus_are_up();
    __builtin_memcpy(FrameView<u8>(trampoline).get(), trampoline_start, u64(trampoline_end - trampoline_start));
    bool prepared = false; // a place that a CPU did not take is for the next one
    for (u32 i = 0; i < machine.cpu_count && next < limit; i++) {
        if (!is_wanted(machine.cpus[i]))
            continue;
        const CpuId id{next};
        if (!prepared && (!create_percpu(id) || !create_idle_vcpu(percpu(id)))) {
            log_error("not enough memory for CPU %u and more", next);
            break;
        }
        percpu(id).apic_id = machine.cpus[i].apic;
        prepared = !start_one(percpu(id), trampoline);
        next += !prepared;
    }
    clock::cpus_are_up();
    log_info("%u CPUs are up", next);
}

void flush_as_asked()
{
    this_cpu().requests.exchange(0, std::memory_order_acq_rel);
    flush_this_cpu();
}

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
    if (!x86::answer_requests())
        asm volatile("sti; hlt; cli" ::: "memory"); // STI holds interrupts back for one instruction: none is lost
    return true;
}
