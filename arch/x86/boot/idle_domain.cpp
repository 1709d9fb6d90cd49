// The idle vCPUs.
#include "idle_domain.hpp"
#include "../cpu/smp.hpp"
#include "../mm/paging.hpp"
#include "../pv/vcpu.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/heap.hpp>
#include <tenon/sched/scheduler.hpp>

namespace tenon::x86 {

namespace {

constinit Domain* idle_domain = nullptr;
constinit vcpu_info nobody_looks_here{};

} // namespace

bool create_idle_vcpu(CpuId cpu)
{
    Vcpu* vcpu = make<Vcpu>(*idle_domain, VcpuId{cpu.raw()});
    if (!vcpu || !arch::create_vcpu(*vcpu))
        return false;
    idle_domain->vcpus[cpu.raw()] = vcpu;
    vcpu->info = &nobody_looks_here;
    vcpu->cpu = cpu;
    Regs regs{};
    regs.rip = u64(&idle_loop);
    regs.cs = hv_cs;
    regs.ss = hv_ds;
    regs.rflags = 2;
    regs.rsp = frame_end(vcpu_stack_top(cpu.raw())) - 8;
    pv::write_saved_regs(*vcpu, regs);
    percpu(cpu).idle = percpu(cpu).current = vcpu;
    percpu(cpu).schedule_wanted = &scheduler::wanted_word(cpu);
    scheduler::set_idle(cpu, *vcpu);
    return true;
}

void create_idle_domain()
{
    idle_domain = make<Domain>(dom_idle);
    if (!idle_domain || !(idle_domain->vcpus = make_array<Vcpu*>(max_cpus)) || !arch::create_domain(*idle_domain))
        panic("not enough memory for the idle vCPUs");
    idle_domain->max_vcpus = max_cpus;
    {
        FrameView<Pte> root(root_table);
        root[domain_slot] = Pte::of(idle_domain->arch.slot_l3, table_flags);
    }
    if (!create_idle_vcpu(CpuId{0}))
        panic("not enough memory for the idle vCPUs");
}

} // namespace tenon::x86
