// A PV vCPU's own pages (stack, FPU area, descriptor tables) and its context as guests and tools give it.
#include "vcpu.hpp"
#include "../cpu/features.hpp"
#include "../mm/paging.hpp"
#include "../trap/entry.hpp"
#include "bounce.hpp"
#include "descriptors.hpp"
#include "pin.hpp"
#include "update.hpp"
#include <abi/mmu.h>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::x86::pv {

namespace {

/// What switch_stacks pops, then returns to; below the Regs frame.
struct FirstFrame {
    u64 r15, r14, r13, r12, rbx, rbp, return_address;
};

constexpr u64 regs_offset = page_size - sizeof(StackInfo) - sizeof(Regs); ///< in the stack's last page

void init_fpu_area(Mfn area, const char* fxsave)
{
    arch::clear_frame(area);
    FrameView<u8> view(area);
    if (fxsave)
        __builtin_memcpy(view.get(), fxsave, 416);
    else {
        view[0] = 0x7f; // FCW 0x37f
        view[1] = 0x03;
    }
    if (u32 mxcsr = 0x1f80; fxsave == nullptr)
        __builtin_memcpy(&view[24], &mxcsr, 4);
    else {
        __builtin_memcpy(&mxcsr, &view[24], 4);
        mxcsr &= 0xffff; // reserved bits would fault the load
        __builtin_memcpy(&view[24], &mxcsr, 4);
    }
    view[512] = 3; // XSTATE_BV: x87 and SSE are in the area
}

} // namespace

void read_saved_regs(Vcpu& vcpu, Regs& regs)
{
    FrameView<u8> top(vcpu.arch.stack[stack_pages - 1]);
    __builtin_memcpy(&regs, top.get() + regs_offset, sizeof regs);
}

void write_saved_regs(Vcpu& vcpu, const Regs& regs)
{
    FrameView<u8> top(vcpu.arch.stack[stack_pages - 1]);
    __builtin_memcpy(top.get() + regs_offset, &regs, sizeof regs);
}

} // namespace tenon::x86::pv

namespace tenon::arch {

using namespace x86;
using namespace x86::pv;

Status create_vcpu(Vcpu& vcpu)
{
    ArchVcpu& a = vcpu.arch;
    auto take = [&](Mfn& slot) -> Status {
        slot = TRY(frame_allocator::allocate(dom_xen, 0));
        return success;
    };
    for (Mfn& f : a.gdt_frames)
        f = invalid_mfn;
    for (Mfn& f : a.stack)
        f = invalid_mfn;
    TRY(take(a.area_table));
    TRY(take(a.fpu));
    for (Mfn& f : a.stack)
        TRY(take(f));
    a.traps = make_array<TrapGate>(256);
    if (!a.traps)
        return Error::nomem;
    {
        FrameView<Pte> l1(a.area_table), l2(vcpu.domain.arch.slot_l2);
        for (unsigned i = 0; i < stack_pages; i++)
            l1[area_stack + i] = Pte::of(a.stack[i], data_flags);
        l1[area_fpu] = Pte::of(a.fpu, data_flags);
        l2[vcpu.id.raw()] = Pte::of(a.area_table, table_flags);
    }
    init_fpu_area(a.fpu, nullptr);
    FrameView<u8> top(a.stack[stack_pages - 1]);
    auto* first = reinterpret_cast<FirstFrame*>(top.get() + regs_offset - sizeof(FirstFrame));
    first->return_address = u64(entry_first_run);
    auto* info = reinterpret_cast<StackInfo*>(top.get() + page_size - sizeof(StackInfo));
    info->vcpu = &vcpu;
    a.saved_sp = frame_end(vcpu_stack_top(vcpu.id.raw())) - sizeof(Regs) - sizeof(FirstFrame);
    a.dr[6] = 0xffff0ff0;
    a.dr[7] = 0x400;
    return success;
}

void destroy_vcpu(Vcpu& vcpu)
{
    ArchVcpu& a = vcpu.arch;
    if (a.area_table != invalid_mfn) {
        FrameView<Pte> l2(vcpu.domain.arch.slot_l2);
        l2[vcpu.id.raw()] = {};
    }
    auto give = [](Mfn& f) {
        if (f != invalid_mfn)
            frame_at(f).put();
        f = invalid_mfn;
    };
    for (Mfn& f : a.stack)
        give(f);
    give(a.fpu);
    give(a.area_table);
    heap::free(a.traps);
    a.traps = nullptr;
}

Status set_vcpu_context(Vcpu& vcpu, const vcpu_guest_context& c)
{
    ArchVcpu& a = vcpu.arch;
    const cpu_user_regs& u = c.user_regs;
    if (!is_guest_address(u.rip) || !is_canonical(c.fs_base) || !is_canonical(c.gs_base_kernel) || !is_canonical(c.gs_base_user) ||
        c.gdt_ents > 7168 || c.ldt_ents > 8192)
        return Error::inval;
    for (u64 callback : {c.event_callback_eip, c.failsafe_callback_eip, c.syscall_callback_eip})
        if (!is_guest_address(callback))
            return Error::inval;
    for (unsigned i = 0; i < 256; i++)
        if (!is_guest_address(c.trap_ctxt[i].address))
            return Error::inval;
    bool in_kernel = (c.flags & VGCF_in_kernel) || (u.cs & 3) != 3;
    {
        Guard guard(vcpu.domain.arch.mm_lock);
        TRY(finish_deferred(vcpu, vcpu.domain));
        TRY(set_base(vcpu, a.kernel_table, Mfn{xen_cr3_to_pfn(c.ctrlreg[3])}));
        if (a.kernel_table == invalid_mfn)
            return Error::inval;
        if (u64 user = xen_cr3_to_pfn(c.ctrlreg[1]); user)
            TRY(set_base(vcpu, a.user_table, Mfn{user}));
        if (c.gdt_ents)
            TRY(x86::pv::set_gdt(vcpu, c.gdt_frames, u32(c.gdt_ents)));
        TRY(set_ldt(vcpu, GuestVa{c.ldt_base}, u32(c.ldt_ents)));
    }
    if (!in_kernel && a.user_cr3 == 0)
        return Error::inval;
    Regs r{};
    __builtin_memcpy(&r, &u, offsetof(cpu_user_regs, error_code));
    r.rip = u.rip;
    r.rflags = guest_rflags(u.rflags);
    r.rsp = u.rsp;
    bool flat = in_kernel && (u.cs & 0xfffc) < 0xe000; // the guest's own kernel selectors have ring 0 in them
    r.cs = flat || u.cs == 0 ? guest_cs64 : (u.cs | 3);
    r.ss = flat || u.ss == 0 ? guest_ss : (u.ss | 3);
    write_saved_regs(vcpu, r);
    a.in_kernel = in_kernel;
    (void)arch::set_iopl(vcpu, u.rflags >> 12 & 3); // how a kernel gives its other CPUs the right to ports
    a.ds = u.ds;
    a.es = u.es;
    a.fs = u.fs;
    a.gs = u.gs;
    for (unsigned i = 0; i < 256; i++) {
        trap_info t = c.trap_ctxt[i];
        t.vector = u8(i);
        TRY(set_trap(vcpu, t));
    }
    a.kernel_ss = c.kernel_ss | 3;
    a.kernel_sp = c.kernel_sp;
    a.event = {c.event_callback_eip, true};
    a.failsafe = {c.failsafe_callback_eip, (c.flags & VGCF_failsafe_disables_events) != 0};
    a.syscall = {c.syscall_callback_eip, (c.flags & VGCF_syscall_disables_events) != 0};
    update_bounce(vcpu);
    a.fs_base = c.fs_base;
    a.gs_base_kernel = c.gs_base_kernel;
    a.gs_base_user = c.gs_base_user;
    if (c.vm_assist)
        vcpu.domain.vm_assist |= c.vm_assist & (bit(VMASST_TYPE_writable_pagetables) | bit(VMASST_TYPE_runstate_update_flag));
    init_fpu_area(a.fpu, c.flags & VGCF_i387_valid ? c.fpu_ctxt.x : nullptr);
    for (unsigned i : {0u, 1u, 2u, 3u, 6u, 7u})
        (void)x86::pv::set_debugreg(vcpu, i, c.debugreg[i]);
    vcpu.initialised = true;
    return success;
}

void get_vcpu_context(Vcpu& vcpu, vcpu_guest_context& c)
{
    ArchVcpu& a = vcpu.arch;
    Regs r;
    read_saved_regs(vcpu, r);
    __builtin_memcpy(&c.user_regs, &r, offsetof(cpu_user_regs, error_code));
    c.user_regs.rip = r.rip;
    c.user_regs.cs = u16(r.cs);
    c.user_regs.rflags = r.rflags;
    c.user_regs.rsp = r.rsp;
    c.user_regs.ss = u16(r.ss);
    c.user_regs.ds = a.ds;
    c.user_regs.es = a.es;
    c.user_regs.fs = a.fs;
    c.user_regs.gs = a.gs;
    c.flags = VGCF_i387_valid | (a.in_kernel ? VGCF_in_kernel : 0) | (a.failsafe.masks ? VGCF_failsafe_disables_events : 0) |
              (a.syscall.masks ? VGCF_syscall_disables_events : 0) | (vcpu.pause.load() & pause_down ? 0 : VGCF_online);
    {
        FrameView<char> fpu(a.fpu);
        __builtin_memcpy(c.fpu_ctxt.x, fpu.get(), 512);
    }
    for (unsigned i = 0; i < 256; i++)
        c.trap_ctxt[i] = {u8(i), u8(a.traps[i].dpl | (a.traps[i].masks ? TI_CLEAR_IF : 0)), FLAT_KERNEL_CS, a.traps[i].address};
    c.ldt_base = a.ldt_base;
    c.ldt_ents = a.ldt_entries;
    for (unsigned i = 0; i * 512 < a.gdt_entries; i++)
        c.gdt_frames[i] = a.gdt_frames[i].raw();
    c.gdt_ents = a.gdt_entries;
    c.kernel_ss = a.kernel_ss;
    c.kernel_sp = a.kernel_sp;
    c.ctrlreg[0] = 0x80050033;
    c.ctrlreg[3] = xen_pfn_to_cr3(a.kernel_table.raw());
    c.ctrlreg[1] = a.user_table == invalid_mfn ? 0 : xen_pfn_to_cr3(a.user_table.raw());
    c.ctrlreg[4] = a.guest_cr4;
    for (unsigned i = 0; i < 8; i++)
        c.debugreg[i] = a.dr[i];
    c.event_callback_eip = a.event.address;
    c.failsafe_callback_eip = a.failsafe.address;
    c.syscall_callback_eip = a.syscall.address;
    c.vm_assist = vcpu.domain.vm_assist;
    c.fs_base = a.fs_base;
    c.gs_base_kernel = a.gs_base_kernel;
    c.gs_base_user = a.gs_base_user;
}

} // namespace tenon::arch
