// From one vCPU to another: what lives in the CPU is saved and loaded, tables and stack change in one step.
#include "../cpu/features.hpp"
#include "../cpu/per_cpu.hpp"
#include "../mm/paging.hpp"
#include "../mm/tlb_tags.hpp"
#include "../pv/descriptors.hpp"
#include "../pv/vcpu.hpp"
#include "entry.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon_arch/cpu_ops.hpp>
#include <tenon_arch/guest_words.hpp>

namespace tenon::x86::pv {

namespace {

void* fpu_area(Vcpu& vcpu) { return reinterpret_cast<void*>(private_page(vcpu.id.raw(), private_fpu)); }

void set_xcr0(PerCpu& cpu, u64 value)
{
    if (cpu.xcr0 == value)
        return;
    cpu.xcr0 = value;
    asm volatile("xsetbv" ::"c"(0), "a"(u32(value)), "d"(u32(value >> 32)));
}

void save_fpu(PerCpu& cpu, Vcpu& vcpu)
{
    asm volatile("clts");
    if (features.xsave) {
        set_xcr0(cpu, features.xcr0_mask);
        asm volatile("xsave64 (%0)" ::"r"(fpu_area(vcpu)), "a"(~0u), "d"(~0u) : "memory");
    } else
        asm volatile("fxsave64 (%0)" ::"r"(fpu_area(vcpu)) : "memory");
}

/// Another guest's addresses would show through the pointers: an instruction of ours replaces them.
void forget_fp_pointers()
{
    static constinit const u32 zero = 0;
    asm volatile("fnclex; ffree %%st(7); fildl %0" ::"m"(zero));
}

void load_fpu(PerCpu& cpu, Vcpu& vcpu)
{
    asm volatile("clts");
    if (features.fp_pointers_stay) [[unlikely]]
        forget_fp_pointers();
    if (features.xsave) {
        set_xcr0(cpu, features.xcr0_mask);
        asm volatile("xrstor64 (%0)" ::"r"(fpu_area(vcpu)), "a"(~0u), "d"(~0u) : "memory");
        set_xcr0(cpu, vcpu.arch.state->xcr0);
    } else
        asm volatile("fxrstor64 (%0)" ::"r"(fpu_area(vcpu)) : "memory");
    if (vcpu.arch.state->task_switched)
        write_cr0(read_cr0() | cr0::ts);
}

/// Loads a data segment register; a selector that faults becomes null.
#define LOAD_SEGMENT(reg, selector)                                               \
    [](u32 value) {                                                               \
        asm goto("1: mov %0, %%" #reg "\n" ON_FAULT(bad) : : "r"(value) : : bad); \
        return;                                                                   \
    bad:                                                                          \
        asm volatile("mov %0, %%" #reg ::"r"(0));                                 \
    }(selector)

void load_breakpoints(PerCpu& cpu, Vcpu& vcpu)
{
    u64 seven = vcpu.arch.state->dr[7];
    if (seven & 0xff) {
        asm volatile("mov %0, %%dr0" ::"r"(vcpu.arch.state->dr[0]));
        asm volatile("mov %0, %%dr1" ::"r"(vcpu.arch.state->dr[1]));
        asm volatile("mov %0, %%dr2" ::"r"(vcpu.arch.state->dr[2]));
        asm volatile("mov %0, %%dr3" ::"r"(vcpu.arch.state->dr[3]));
    } else
        seven = 0x400;
    if (cpu.dr7 != seven) {
        cpu.dr7 = seven;
        asm volatile("mov %0, %%dr7" ::"r"(seven));
    }
}

} // namespace

void save_cpu_state(Vcpu& vcpu)
{
    PerCpu& cpu = this_cpu();
    GuestState& a = *vcpu.arch.state;
    save_fpu(cpu, vcpu);
    asm volatile("mov %%ds, %0" : "=m"(a.ds));
    asm volatile("mov %%es, %0" : "=m"(a.es));
    asm volatile("mov %%fs, %0" : "=m"(a.fs));
    asm volatile("mov %%gs, %0" : "=m"(a.gs));
    a.fs_base = read_msr(msr::fs_base);
    u64 active = read_msr(msr::gs_base), other = read_msr(msr::kernel_gs_base);
    a.in_user = guest_in_user();
    a.gs_base_kernel = a.in_user ? other : active;
    a.gs_base_user = a.in_user ? active : other;
}

void load_cpu_state(Vcpu& vcpu)
{
    PerCpu& cpu = this_cpu();
    const GuestState& a = *vcpu.arch.state;
    map_descriptor_page(vcpu, cpu);
    load_gdt(vcpu_area(vcpu.id.raw()));
    load_ldt(vcpu);
    LOAD_SEGMENT(ds, a.ds);
    LOAD_SEGMENT(es, a.es);
    LOAD_SEGMENT(fs, a.fs);
    LOAD_SEGMENT(gs, a.gs);
    write_msr(msr::fs_base, a.fs_base);
    stack_info().in_user = a.in_user;
    write_msr(msr::gs_base, a.in_user ? a.gs_base_user : a.gs_base_kernel);
    write_msr(msr::kernel_gs_base, a.in_user ? a.gs_base_kernel : a.gs_base_user);
    cpu.tss.port_map = a.port_map; // user mode's is set on the way there
    load_fpu(cpu, vcpu);
    load_breakpoints(cpu, vcpu);
    u64 bits = a.guest_cr4 & cr4::guests_choice;
    if (bits != cpu.guest_cr4_bits) {
        cpu.guest_cr4_bits = bits;
        write_cr4((read_cr4() & ~cr4::guests_choice) | bits);
    }
    if (features.rdtscp && a.tsc_aux != cpu.tsc_aux) {
        cpu.tsc_aux = a.tsc_aux;
        write_msr(msr::tsc_aux, a.tsc_aux);
    }
}

void load_user_gs(u16 selector)
{
    asm volatile("swapgs");
    LOAD_SEGMENT(gs, selector);
    if (selector <= 3)
        write_msr(msr::gs_base, 0); // some CPUs keep the base when null is loaded
    asm volatile("swapgs");
}

void set_task_switched(Vcpu& vcpu, bool set)
{
    vcpu.arch.state->task_switched = set;
    if (set)
        write_cr0(read_cr0() | cr0::ts);
    else
        asm volatile("clts");
}

Status set_debugreg(GuestState& a, unsigned reg, u64 value)
{
    if (reg == 4 || reg == 5)
        reg += 2;
    if (reg > 7)
        return Error::inval;
    if (reg < 4) {
        if (!is_guest_address(value))
            return Error::inval;
        a.dr[reg] = value;
    } else if (reg == 6)
        a.dr[6] = (value & 0xe00f) | 0xffff0ff0;
    else {
        value = (value & 0xffff03ff) | 0x400; // GD and reserved bits off
        for (unsigned i = 0; i < 4; i++)
            if ((value >> (16 + 4 * i) & 3) == 2)
                return Error::inval; // I/O breakpoints need CR4.DE and are the machine's
        a.dr[7] = value;
    }
    return success;
}

Status set_debugreg(Vcpu& vcpu, unsigned reg, u64 value)
{
    TRY(set_debugreg(*vcpu.arch.state, reg, value));
    if (reg == 7 || vcpu.arch.state->dr[7] & 0xff) {
        this_cpu().dr7 = 0;
        load_breakpoints(this_cpu(), vcpu);
    }
    return success;
}

} // namespace tenon::x86::pv

namespace tenon::x86 {

namespace {

bool is_idle(const Vcpu& vcpu) { return vcpu.domain.id == dom_idle; }

} // namespace

extern "C" void finish_switch_here()
{
    PerCpu& cpu = this_cpu();
    cpu.flushed_at.store(cpu.switched_at, std::memory_order_release); // the tables are loaded now
    if (!is_idle(*cpu.current))
        pv::load_cpu_state(*cpu.current);
    scheduler::finish_switch(*cpu.previous);
}

} // namespace tenon::x86

namespace tenon::arch {

using namespace x86;

Vcpu& current_vcpu() { return *x86::this_cpu().current; }
bool is_loaded_here(const Vcpu& vcpu) { return x86::this_cpu().current == &vcpu; }
CpuId this_cpu_id() { return x86::this_cpu().id; }

void switch_to(Vcpu& prev, Vcpu& next)
{
    PerCpu& cpu = this_cpu();
    if (!is_idle(prev))
        pv::save_cpu_state(prev);
    u64 own_area = percpu_area(cpu.id.raw()) + gdt_offset - reserved_gdt_page * page_size;
    load_gdt(own_area); // always mapped, also while the tables change
    const u64 top = vcpu_stack_top(next.id.raw());
    publish_tables(cpu, next);
    cpu.previous = &prev;
    cpu.current = &next;
    cpu.stack_top = cpu.tss.rsp[0] = frame_end(top);
    cpu.switched_at = tlb_clock();
    switch_stacks(&prev.arch.saved_sp, next.arch.saved_sp, tlb_tags::prepare_switch(cpu.kernel_cr3), &cpu,
                  reinterpret_cast<void*>(frame_end(top)));
    finish_switch_here();
}

} // namespace tenon::arch
