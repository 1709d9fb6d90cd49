// Who gets which exception: us, a fix-up, or the guest. And what happens on the way back into a guest.
#include "../cpu/features.hpp"
#include "../cpu/smp.hpp"
#include "../pv/bounce.hpp"
#include "../pv/descriptors.hpp"
#include "../pv/emulate/emulate.hpp"
#include "entry.hpp"
#include <tenon/event/channels.hpp>
#include <tenon/guest/handle.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon/log.hpp>
#include <tenon/sched/scheduler.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

constexpr u64 pf_present = 1, pf_write = 2, pf_user = 4, pf_reserved = 8;
extern "C" char refused_iret[]; ///< the fix-up of every IRET to a guest

struct Fixup {
    s32 from, to; // relative to the field itself
};
extern "C" const Fixup fixups_start[], fixups_end[];

/// Where to go on when an instruction at `rip` faults; 0 when there is no fix-up.
u64 find_fixup(u64 rip)
{
    for (const Fixup* f = fixups_start; f < fixups_end; f++)
        if (u64(&f->from) + u64(s64(f->from)) == rip)
            return u64(&f->to) + u64(s64(f->to));
    return 0;
}

/// A guest's own frame made IRET fault: its registers are in `regs`, the frame lies where the stack pointer was. The guest gets the
/// exception as if its own IRET had refused the frame, unless an LDT page was only used for the first time: then once again.
[[noreturn]] void iret_failed(const Regs& regs)
{
    Vcpu& vcpu = arch::current_vcpu();
    Regs fixed = regs;
    const u64* frame = reinterpret_cast<const u64*>(regs.rsp);
    fixed.rip = frame[0];
    fixed.cs = frame[1];
    fixed.rflags = frame[2];
    fixed.rsp = frame[3];
    fixed.ss = frame[4];
    Regs& guest = guest_regs(vcpu);
    guest = fixed; // from here on `regs` may be overwritten
    if (fixed.entry_vector != 14)
        pv::deliver_exception(vcpu, guest, u8(fixed.entry_vector), fixed.error_code);
    else if (!pv::handle_descriptor_fault(vcpu, guest, read_cr2()))
        panic_with_registers(fixed); // IRET reads nothing else that could be missing
    asm volatile("mov %0, %%rsp; jmp entry_exit" ::"r"(&guest));
    __builtin_unreachable();
}

// What is not inlined here keeps the stack frame of handle_trap small, which all traps pay for.
[[gnu::noinline]] void hypervisor_fault(Regs& regs)
{
    if (u64 to = find_fixup(regs.rip)) {
        if (to == u64(refused_iret))
            iret_failed(regs);
        regs.rip = to;
        return;
    }
    if (regs.entry_vector == 14 && this_cpu().current && pv::fault_in_ldt(*this_cpu().current, read_cr2()))
        return;
    panic_with_registers(regs);
}

[[gnu::noinline]] void page_fault(Vcpu& vcpu, Regs& regs)
{
    u64 address = read_cr2();
    u32 error = regs.error_code;
    if (!(error & pf_user)) {
        if (pv::handle_descriptor_fault(vcpu, regs, address))
            return;
        // At CPL 3 only descriptor tables are read as supervisor, unless the CPU model is wrong about IRET.
        if (features.smap && (error & pf_present) && (read_cr4() & cr4::smap) && arch::guest_range_ok(GuestVa{address}, 1)) {
            return give_up_smap();
        }
    }
    if (error & pf_reserved)
        return pv::crash_guest(vcpu, regs, "a reserved bit in a page table");
    if (!guest_in_user() && (error & (pf_write | pf_present)) == (pf_write | pf_present) && pv::emulate_table_write(vcpu, regs, address))
        return;
    pv::deliver_page_fault(vcpu, regs, address, error);
}

[[gnu::noinline]] void guest_exception(Vcpu& vcpu, Regs& regs)
{
    switch (regs.entry_vector) {
    case 1: {
        u64 six;
        asm volatile("mov %%dr6, %0" : "=r"(six));
        asm volatile("mov %0, %%dr6" ::"r"(u64{0xffff0ff0}));
        vcpu.arch.state->dr[6] = (vcpu.arch.state->dr[6] & ~u64{0xf}) | (six & 0xe00f) | 0xffff0ff0;
        return pv::deliver_exception(vcpu, regs, 1);
    }
    case 7:
        asm volatile("clts");
        if (!std::exchange(vcpu.arch.state->task_switched, false))
            return;
        break;
    case 14: return page_fault(vcpu, regs);
    }
    pv::deliver_exception(vcpu, regs, u8(regs.entry_vector), regs.error_code);
}

} // namespace

extern "C" void handle_trap(Regs* regs)
{
    if (regs->entry_vector >= 32)
        handle_interrupt(u8(regs->entry_vector));
    else if (regs->cs & 3)
        guest_exception(*this_cpu().current, *regs);
    else
        hypervisor_fault(*regs);
}

extern "C" void handle_emulated(Regs* regs, Vcpu* vcpu)
{
    if (!(regs->entry_vector == 13 ? pv::emulate_privileged(*vcpu, *regs) : pv::emulate_invalid_opcode(*vcpu, *regs)))
        pv::deliver_exception(*vcpu, *regs, u8(regs->entry_vector), regs->error_code);
}

extern "C" void handle_ist_trap(Regs* regs)
{
    if (regs->entry_vector == 2)
        handle_nmi();
    else
        panic_with_registers(*regs);
}

extern "C" void handle_syscall(Regs* regs)
{
    Vcpu& vcpu = *this_cpu().current;
    if (!guest_in_user())
        pv::guest_iret(vcpu, *regs);
    else
        pv::deliver(vcpu, *regs, {vcpu.arch.state->syscall.address, vcpu.arch.state->syscall.masks});
}

extern "C" u64 unknown_call(Regs* regs)
{
    Vcpu& vcpu = *this_cpu().current;
    note_refused({vcpu, vcpu.domain, u32(min(regs->rax, u64{~0u})), {}}, 0, Error::nosys); // a wider number is none of ours
    return u64(-s64(Error::nosys));
}

extern "C" void handle_syscall32(Regs* regs)
{
    Vcpu& vcpu = arch::current_vcpu();
    if (!guest_in_user() || vcpu.arch.state->syscall32.address == 0)
        return pv::deliver_exception(vcpu, *regs, 13, 0);
    pv::deliver(vcpu, *regs, {vcpu.arch.state->syscall32.address, vcpu.arch.state->syscall32.masks});
}

namespace {

bool must_schedule(const PerCpu& cpu) { return cpu.schedule_wanted.load(std::memory_order_relaxed); }

/// True when it can have changed what waits: by a crash.
bool deliver_upcall(Vcpu& vcpu, Regs& regs)
{
    if (!vcpu.info->evtchn_upcall_pending || vcpu.info->evtchn_upcall_mask || !vcpu.arch.state->event.address)
        return false;
    pv::deliver(vcpu, regs, {vcpu.arch.state->event.address, true});
    return must_schedule(this_cpu());
}

/// Something waits. Mail before what it may have brought: an NMI, an upcall.
[[gnu::noinline]] void attend(Regs* regs)
{
    for (;;) {
        PerCpu& cpu = this_cpu();
        answer_requests(cpu);
        if (must_schedule(cpu)) {
            scheduler::schedule();
            continue;
        }
        Vcpu& vcpu = *cpu.current;
        cpu.mail_waiting.store(false); // before the look at the mail
        if (vcpu.mail.flags.load(std::memory_order_acquire))
            deliver_mail(vcpu);
        if (vcpu.arch.nmi_pending && vcpu.arch.state->trap_address[2]) {
            vcpu.arch.nmi_pending = false;
            pv::deliver_exception(vcpu, *regs, 2);
            continue;
        }
        if (!deliver_upcall(vcpu, *regs))
            return;
    }
}

} // namespace

extern "C" void leave_to_guest(Regs* regs)
{
    PerCpu& cpu = this_cpu();
    Vcpu& vcpu = *cpu.current;
    if (cpu.requests.load(std::memory_order_acquire) | must_schedule(cpu) | vcpu.mail.flags.load(std::memory_order_acquire)) [[unlikely]]
        return attend(regs);
    if (deliver_upcall(vcpu, *regs)) [[unlikely]]
        attend(regs);
}

} // namespace tenon::x86

tenon::u64 tenon::arch::repeat_call(const Call& call)
{
    Regs& regs = x86::guest_regs(call.vcpu);
    regs.rip -= 2; // SYSCALL itself
    regs.rdi = call.args[0];
    regs.rsi = call.args[1];
    regs.rdx = call.args[2];
    regs.r10 = call.args[3];
    regs.r8 = call.args[4];
    return regs.rax;
}
