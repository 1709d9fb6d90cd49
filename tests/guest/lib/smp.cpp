// What this is: the context of an application vCPU, and the stacks they run on.
#include "smp.hpp"

#include "check.hpp"
#include "hypercall.hpp"
#include "paging.hpp"
#include "trap.hpp"

namespace guest {

vcpu_info* vcpu_infos[max_vcpus];

namespace {

constexpr u64 stack_size = 16384;
alignas(page_size) char stacks[max_vcpus][stack_size];
vcpu_guest_context context;

} // namespace

u32 this_vcpu()
{
    u64 at = number(__builtin_frame_address(0)) - number(stacks);
    return at < sizeof stacks ? static_cast<u32>(at / stack_size) : 0;
}

long move_vcpu_info(u32 vcpu, vcpu_info* where)
{
    vcpu_register_vcpu_info arg{mfn_of(where), static_cast<u32>(number(where) & (page_size - 1)), 0};
    long rc = vcpu_op(VCPUOP_register_vcpu_info, vcpu, &arg);
    if (rc == 0) {
        vcpu_infos[vcpu] = where;
        if (vcpu == 0)
            vcpu0 = where;
    }
    return rc;
}

void fill_context(vcpu_guest_context& context, u32 vcpu, void (*function)(void*), void* argument)
{
    context = {};
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = number(ap_start);
    context.user_regs.rdi = number(function);
    context.user_regs.rsi = number(argument);
    context.user_regs.cs = flat_cs;
    context.user_regs.ss = flat_ss;
    context.user_regs.rflags = 0x200;
    context.user_regs.rsp = number(stacks[vcpu] + stack_size - 64);
    for (u32 vector = 0; vector < 256; vector++)
        if (stub_address(vector))
            context.trap_ctxt[vector] = trap_entry(vector, trap_masks_events);
    context.kernel_ss = flat_ss;
    context.kernel_sp = context.user_regs.rsp;
    context.ctrlreg[3] = xen_pfn_to_cr3(mfn_of(current_l4()));
    context.event_callback_eip = stub_address(callback_event);
    context.failsafe_callback_eip = stub_address(callback_failsafe);
    context.syscall_callback_eip = stub_address(callback_syscall);
}

long start_vcpu(u32 vcpu, void (*function)(void*), void* argument)
{
    if (!vcpu_infos[vcpu])
        vcpu_infos[vcpu] = &shared->vcpu_info[vcpu];
    fill_context(context, vcpu, function, argument);
    if (long rc = vcpu_op(VCPUOP_initialise, vcpu, &context))
        return rc;
    return vcpu_op(VCPUOP_up, vcpu);
}

} // namespace guest
