// A PV vCPU's own pages (stack, FPU area, descriptor tables) and its context as guests and tools give it.
#include "vcpu.hpp"
#include "../cpu/features.hpp"
#include "../mm/paging.hpp"
#include "../trap/entry.hpp"
#include "bounce.hpp"
#include "descriptors.hpp"
#include "emulate/emulate.hpp"
#include "update.hpp"
#include <abi/mmu.h>
#include <array>
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

/// An XSAVE area from an FXSAVE image of a guest's, or as after a reset.
void init_fpu_area(Mfn area, const char* fxsave)
{
    arch::clear_frame(area);
    FrameView<u8> view(area);
    if (fxsave)
        __builtin_memcpy(view.get(), fxsave, 416);
    else {
        view[0] = 0x7f; // FCW 0x37f
        view[1] = 0x03;
        view[24] = 0x80; // MXCSR 0x1f80
        view[25] = 0x1f;
    }
    view[26] = view[27] = 0; // reserved bits of MXCSR would fault the load
    view[512] = 3;           // XSTATE_BV: x87 and SSE are in the area
}

/// What a vCPU has for itself.
std::array<Mfn*, 4 + stack_pages> frames_of(ArchVcpu& a)
{
    return {&a.area_table, &a.private_table, &a.fpu, &a.state_frame, &a.stack[0], &a.stack[1], &a.stack[2], &a.stack[3]};
}

} // namespace

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
    for (Mfn* frame : frames_of(a))
        *frame = TRY(frame_allocator::allocate(dom_xen, 0));
    {
        FrameView<Pte> area(a.area_table), own(a.private_table), area_l2(vcpu.domain.arch.area_l2), own_l2(vcpu.domain.arch.private_l2);
        for (unsigned i = 0; i < stack_pages; i++)
            area[area_stack + i] = Pte::of(a.stack[i], data_flags);
        own[private_fpu] = Pte::of(a.fpu, data_flags);
        own[private_state] = Pte::of(a.state_frame, data_flags);
        own[private_table] = Pte::of(a.private_table, data_flags);
        area_l2[vcpu.id.raw()] = Pte::of(a.area_table, table_flags);
        own_l2[vcpu.id.raw()] = Pte::of(a.private_table, table_flags | Pte::no_execute);
    }
    init_fpu_area(a.fpu, nullptr);
    FrameView<u8> top(a.stack[stack_pages - 1]);
    auto* first = reinterpret_cast<FirstFrame*>(top.get() + regs_offset - sizeof(FirstFrame));
    first->return_address = u64(entry_first_run);
    auto* info = reinterpret_cast<StackInfo*>(top.get() + page_size - sizeof(StackInfo));
    info->vcpu = &vcpu;
    info->domain = vcpu.domain.id.raw();
    a.saved_sp = frame_end(vcpu_stack_top(vcpu.id.raw())) - sizeof(Regs) - sizeof(FirstFrame);
    a.state = reinterpret_cast<GuestState*>(private_page(vcpu.id.raw(), private_state));
    FrameView<GuestState> state(a.state_frame);
    state->dr[6] = 0xffff0ff0;
    state->dr[7] = 0x400;
    state->xcr0 = 1;
    state->port_map = ports_closed;
    return success;
}

void destroy_vcpu(Vcpu& vcpu)
{
    ArchVcpu& a = vcpu.arch;
    if (a.private_table != invalid_mfn) {
        FrameView<Pte> area_l2(vcpu.domain.arch.area_l2), own_l2(vcpu.domain.arch.private_l2);
        area_l2[vcpu.id.raw()] = own_l2[vcpu.id.raw()] = {};
    }
    for (Mfn* frame : frames_of(a))
        if (*frame != invalid_mfn)
            frame_at(std::exchange(*frame, invalid_mfn)).put();
}

Status set_vcpu_context(Vcpu& vcpu, const vcpu_guest_context& c)
{
    ArchVcpu& a = vcpu.arch;
    const cpu_user_regs& u = c.user_regs;
    if (!is_guest_address(u.rip) || !is_canonical(c.fs_base) || !is_canonical(c.gs_base_kernel) || !is_canonical(c.gs_base_user) ||
        c.gdt_ents > max_gdt_entries || c.ldt_ents > max_ldt_entries)
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
        TRY(finish_deferred(vcpu, vcpu.domain)); // of an attempt that failed; there is room for one
        if (u64 user = xen_cr3_to_pfn(c.ctrlreg[1]); user)
            TRY(set_base(vcpu, a.user_table, Mfn{user}));
        TRY(finish_deferred(vcpu, vcpu.domain));
        if (c.gdt_ents)
            TRY(x86::pv::set_gdt(vcpu, c.gdt_frames, u32(c.gdt_ents)));
        TRY(set_ldt(vcpu, GuestVa{c.ldt_base}, c.ldt_ents));
    }
    if (!in_kernel && a.user_table == invalid_mfn)
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
    FrameView<GuestState> s(a.state_frame);
    s->in_user = !in_kernel;
    set_iopl_of(*s.get(), vcpu.domain, u.rflags >> 12 & 3); // how a kernel gives its other CPUs the right to ports
    s->ds = u.ds;
    s->es = u.es;
    s->fs = u.fs;
    s->gs = u.gs;
    for (unsigned i = 0; i < 256; i++) {
        trap_info t = c.trap_ctxt[i];
        t.vector = u8(i);
        TRY(set_trap(*s.get(), t));
    }
    s->kernel_ss = c.kernel_ss | 3;
    s->kernel_sp = c.kernel_sp;
    s->event = {c.event_callback_eip, true};
    s->failsafe = {c.failsafe_callback_eip, (c.flags & VGCF_failsafe_disables_events) != 0};
    s->syscall = {c.syscall_callback_eip, (c.flags & VGCF_syscall_disables_events) != 0};
    update_bounce(*s.get());
    s->fs_base = c.fs_base;
    s->gs_base_kernel = c.gs_base_kernel;
    s->gs_base_user = c.gs_base_user;
    if (c.vm_assist)
        vcpu.domain.vm_assist |= c.vm_assist & (bit(VMASST_TYPE_writable_pagetables) | bit(VMASST_TYPE_runstate_update_flag));
    init_fpu_area(a.fpu, c.flags & VGCF_i387_valid ? c.fpu_ctxt.x : nullptr);
    for (unsigned i : {0u, 1u, 2u, 3u, 6u, 7u})
        (void)x86::pv::set_debugreg(*s.get(), i, c.debugreg[i]);
    vcpu.initialised = true;
    return success;
}

void get_vcpu_context(Vcpu& vcpu, vcpu_guest_context& c)
{
    ArchVcpu& a = vcpu.arch;
    FrameView<GuestState> s(a.state_frame);
    FrameView<u8> top(a.stack[stack_pages - 1]);
    const Regs& r = *reinterpret_cast<const Regs*>(top.get() + regs_offset);
    __builtin_memcpy(&c.user_regs, &r, sizeof r); // the same order
    c.user_regs.ds = s->ds;
    c.user_regs.es = s->es;
    c.user_regs.fs = s->fs;
    c.user_regs.gs = s->gs;
    c.flags = VGCF_i387_valid | (s->in_user ? 0 : VGCF_in_kernel) | (s->failsafe.masks ? VGCF_failsafe_disables_events : 0) |
              (s->syscall.masks ? VGCF_syscall_disables_events : 0) | (vcpu.pause.load() & pause_down ? 0 : VGCF_online);
    __builtin_memcpy(c.fpu_ctxt.x, FrameView<char>(a.fpu).get(), 512);
    for (unsigned i = 0; i < 256; i++)
        c.trap_ctxt[i] = {u8(i), u8(s->trap_dpl[i] | (s->trap_masks[i] ? TI_CLEAR_IF : 0)), FLAT_KERNEL_CS64, s->trap_address[i]};
    c.ldt_base = a.ldt_base;
    c.ldt_ents = a.ldt_entries;
    for (unsigned i = 0; i * descriptors_per_page < a.gdt_entries; i++)
        c.gdt_frames[i] = gdt_frame(vcpu, i).raw();
    c.gdt_ents = a.gdt_entries;
    c.kernel_ss = s->kernel_ss;
    c.kernel_sp = s->kernel_sp;
    c.ctrlreg[0] = 0x80050033;
    c.ctrlreg[3] = xen_pfn_to_cr3(a.kernel_table.raw());
    c.ctrlreg[1] = a.user_table == invalid_mfn ? 0 : xen_pfn_to_cr3(a.user_table.raw());
    c.ctrlreg[4] = s->guest_cr4;
    for (unsigned i = 0; i < 8; i++)
        c.debugreg[i] = s->dr[i];
    c.event_callback_eip = s->event.address;
    c.failsafe_callback_eip = s->failsafe.address;
    c.syscall_callback_eip = s->syscall.address;
    c.vm_assist = vcpu.domain.vm_assist;
    c.fs_base = s->fs_base;
    c.gs_base_kernel = s->gs_base_kernel;
    c.gs_base_user = s->gs_base_user;
}

} // namespace tenon::arch
