// Interrupt vectors on their way to who handles them: timer, messages between CPUs, devices; and NMIs.
#include "../cpu/smp.hpp"
#include "../irq/vectors.hpp"
#include "entry.hpp"
#include <config.hpp>
#include <tenon/arch/cpu.hpp>
#include <tenon/device/lapic.hpp>
#include <tenon/log.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon/time/timer.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

[[gnu::noinline]] void handle_interrupt(u8 vector)
{
    switch (vector) {
    case timer_vector:
        lapic::eoi();
        timers::run(arch::this_cpu_id(), arch::now_ns());
        break;
    case kick_vector: // the way into the guest looks at the scheduler and the mailbox
        lapic::eoi();
        timers::rearm(arch::this_cpu_id());
        break;
    case request_vector:
        lapic::eoi();
        answer_requests();
        break;
    case error_vector:
        log_once(LogLevel::warning, "local APIC error %x", lapic::take_errors());
        lapic::eoi();
        break;
    case spurious_vector: break;
    default: handle_device_interrupt(vector);
    }
}

void handle_nmi()
{
    while (is_stopping())
        asm volatile("cli; hlt");
    // A machine's NMI is dom0's to explain. No lock may be taken here: the kick makes the CPU look at the mail soon.
    if (Domain* dom0 = domains::dom0(); dom0 && dom0->vcpu(0)) {
        dom0->vcpu(0)->mail.flags.fetch_or(mail_nmi);
        lapic::send_ipi(this_cpu().apic_id, kick_vector);
    }
}

} // namespace tenon::x86

namespace tenon::arch {

bool should_yield()
{
    x86::PerCpu& cpu = x86::this_cpu();
    x86::interrupt_window();
    x86::answer_requests(cpu);
    if (scheduler::should_schedule(cpu.id))
        return true;
    Vcpu& vcpu = *cpu.current;
    return vcpu.info && !vcpu.info->evtchn_upcall_mask && vcpu.arch.state->event.address &&
           (vcpu.info->evtchn_upcall_pending || vcpu.mail.flags.load(std::memory_order_relaxed));
}

void spin_wait()
{
    x86::answer_requests();
    x86::pause();
}

void kick_cpu(CpuId cpu)
{
    if (cpu != this_cpu_id())
        lapic::send_ipi(x86::percpu(cpu).apic_id, x86::kick_vector);
}

std::atomic<bool>& schedule_wanted(CpuId cpu) { return x86::percpu(cpu).schedule_wanted; }
std::atomic<bool>& mail_waiting(CpuId cpu) { return x86::percpu(cpu).mail_waiting; }

const CpuSet& online_cpus() { return x86::online; }

void lock_rank_enter(u8 rank)
{
    if constexpr (config::debug_locks) {
        x86::PerCpu& cpu = x86::this_cpu();
        if (cpu.held_ranks >> rank)
            panic("lock order: taking rank %u while holding ranks %lx", rank, cpu.held_ranks);
        cpu.held_ranks |= bit(rank);
    }
}

void lock_rank_leave(u8 rank)
{
    if constexpr (config::debug_locks)
        x86::this_cpu().held_ranks &= ~bit(rank);
}

} // namespace tenon::arch
