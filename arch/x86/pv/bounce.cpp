// Frames on the guest's kernel stack, and the way back by HYPERVISOR_iret.
#include "bounce.hpp"
#include "update.hpp"
#include <abi/arch_x86.h>
#include <abi/sched.h>
#include <tenon/arch/guest.hpp>
#include <tenon/guest/handle.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

u64 guest_rflags(u64 flags) { return (flags & honoured_flags) | flag::interrupt | 2; }

void update_bounce(GuestState& a)
{
    const u64 sp = a.kernel_sp & ~u64{15};
    constexpr u64 bytes = 12 * 8;
    a.bounce_sp = a.syscall.address && arch::few_words_ok<bytes>(sp - bytes) ? sp : 0;
}

namespace {

/// The tables follow on the way out.
void change_mode(bool to_user)
{
    stack_info().in_user = to_user;
    asm volatile("swapgs");
}

void describe(Vcpu& vcpu, const Regs& r)
{
    log_error("  rip %04lx:%016lx rsp %04lx:%016lx rflags %08lx %s mode", r.cs, r.rip, r.ss, r.rsp, r.rflags,
              guest_in_user() ? "user" : "kernel");
    log_error("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r.rax, r.rbx, r.rcx, r.rdx);
    log_error("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r.rsi, r.rdi, r.rbp, r.r8);
    log_error("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r.r9, r.r10, r.r11, r.r12);
    log_error("  r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", r.r13, r.r14, r.r15, read_cr2());
    log_error("  vector %u error %x kernel table %lx user table %lx", r.entry_vector, r.error_code, vcpu.arch.kernel_table.raw(),
              vcpu.arch.user_table.raw());
    u64 words[48];
    const bool is_good = arch::guest_range_ok(GuestVa{r.rsp}, sizeof words);
    const u64 left = is_good ? arch::copy_from_guest(words, GuestVa{r.rsp}, sizeof words) : sizeof words;
    for (unsigned i = 0; i + 4 <= (sizeof words - left) / 8; i += 4)
        log_error("  stack %016lx %016lx %016lx %016lx", words[i], words[i + 1], words[i + 2], words[i + 3]);
}

} // namespace

void crash_guest(Vcpu& vcpu, const Regs& r, const char* why)
{
    log_error("d%uv%u crashed: %s", vcpu.domain.id.raw(), vcpu.id.raw(), why);
    describe(vcpu, r);
    domains::shut_down(vcpu.domain, SHUTDOWN_crash);
}

void deliver(Vcpu& vcpu, Regs& regs, const Delivery& what)
{
    if (what.address == 0)
        return crash_guest(vcpu, regs, "no handler is registered for what must be delivered");
    u64 cs = regs.cs & 0xffff, sp = regs.rsp;
    if (guest_in_user()) {
        change_mode(false);
        sp = vcpu.arch.state->kernel_sp;
    } else
        cs &= ~u64{3};
    vcpu_info& info = *vcpu.info;
    const u64 masked = info.evtchn_upcall_mask;
    const u64 bytes = (7 + what.has_error) * 8;
    sp = (sp & ~u64{15}) - bytes;
    bool good = arch::few_words_ok<7 * 8>(sp); // of an eighth word, too: the frame's end is aligned
    u64 at = sp;
    auto put = [&](u64 word) {
        good = good && arch::store_word(at, word);
        at += 8;
    };
    arch::open_user_pages();
    put(regs.rcx);
    put(regs.r11);
    if (what.has_error)
        put(what.error);
    put(regs.rip);
    put(cs | (masked & 0xff) << 32);
    put((regs.rflags & ~(flag::interrupt | flag::iopl)) | (masked ? 0 : flag::interrupt));
    put(regs.rsp);
    put(regs.ss & 0xffff);
    arch::close_user_pages();
    if (!good)
        return crash_guest(vcpu, regs, "the kernel stack cannot take an exception frame");
    if (what.masks)
        info.evtchn_upcall_mask = 1;
    regs.rip = regs.rcx = what.address; // as after SYSRET: RCX and R11 are dead for the handler
    regs.cs = guest_cs64;
    regs.ss = guest_ss;
    regs.rsp = sp;
    regs.rflags = regs.r11 = guest_rflags(regs.rflags & handler_flags);
}

void deliver_exception(Vcpu& vcpu, Regs& regs, u8 vector, u32 error)
{
    constexpr u32 with_error = bit(8) | bit(10) | bit(11) | bit(12) | bit(13) | bit(14) | bit(17) | bit(21);
    const GuestState& state = *vcpu.arch.state;
    if (state.trap_address[vector] == 0) {
        regs.entry_vector = vector;
        regs.error_code = error;
    }
    deliver(vcpu, regs, {state.trap_address[vector], state.trap_masks[vector], vector < 32 && (with_error >> vector & 1) != 0, error});
}

void deliver_page_fault(Vcpu& vcpu, Regs& regs, u64 address, u32 error)
{
    if (!guest_in_user())
        error &= ~u32{4};
    vcpu.info->arch.cr2 = address;
    deliver_exception(vcpu, regs, 14, error);
}

void guest_iret(Vcpu& vcpu, Regs& regs)
{
    iret_context c;
    if (!GuestPtr<iret_context>(regs.rsp).read_array(&c, 1))
        return crash_guest(vcpu, regs, "iret with an unreadable frame");
    bool to_user = (c.cs & 3) == 3;
    if (to_user && vcpu.arch.user_table == invalid_mfn)
        return crash_guest(vcpu, regs, "iret to user mode without user tables");
    regs.rip = c.rip;
    regs.cs = (c.cs & 0xffff) | 3;
    regs.rflags = guest_rflags(c.rflags);
    regs.rsp = c.rsp;
    regs.ss = (c.ss & 0xffff) | 3;
    regs.rax = c.rax;
    if (to_user && c.flags & VGCF_in_syscall) {
        regs.cs = guest_cs64;
        regs.ss = guest_ss;
        regs.rcx = regs.rip;
        regs.r11 = regs.rflags;
    } else {
        regs.rcx = c.rcx;
        regs.r11 = c.r11;
    }
    vcpu.info->evtchn_upcall_mask = c.rflags & flag::interrupt ? 0 : 1;
    if (to_user)
        change_mode(true);
}

} // namespace tenon::x86::pv

void tenon::arch::describe_caller(Vcpu& vcpu) { x86::pv::describe(vcpu, x86::guest_regs(vcpu)); }
