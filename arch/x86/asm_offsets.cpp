// Constants for assembly: compiled to text, from which the build takes the lines between == marks.
#include "pv/bounce.hpp"
#include <abi/arch_x86.h>
#include <abi/hypercall.h>
#include <abi/shared_info.h>

#define OFFSET(name, type, member) asm volatile(".ascii \"==" #name " %0==\"" ::"i"(__builtin_offsetof(type, member)))
#define CONSTANT(name, value) asm volatile(".ascii \"==" #name " %0==\"" ::"i"(int(value)))

#pragma GCC diagnostic ignored "-Winvalid-offsetof" // the compilers answer it for every class without virtual bases

using namespace tenon;
using namespace tenon::x86;

void offsets()
{
    OFFSET(REGS_R10, Regs, r10);
    OFFSET(REGS_R9, Regs, r9);
    OFFSET(REGS_R8, Regs, r8);
    OFFSET(REGS_RDX, Regs, rdx);
    OFFSET(REGS_RSI, Regs, rsi);
    OFFSET(REGS_RDI, Regs, rdi);
    OFFSET(REGS_RAX, Regs, rax);
    OFFSET(REGS_RIP, Regs, rip);
    OFFSET(REGS_CS, Regs, cs);
    OFFSET(REGS_RFLAGS, Regs, rflags);
    OFFSET(REGS_RSP, Regs, rsp);
    CONSTANT(REGS_SIZE, sizeof(Regs));
    OFFSET(STACK_CPU, StackInfo, cpu);
    OFFSET(STACK_VCPU, StackInfo, vcpu);
    OFFSET(STACK_SCRATCH, StackInfo, scratch);
    OFFSET(STACK_IN_USER, StackInfo, in_user);
    CONSTANT(STACK_INFO_SIZE, sizeof(StackInfo));
    CONSTANT(STACK_SIZE, stack_size);
    OFFSET(CPU_REQUESTS, PerCpu, requests);
    CONSTANT(CPU_DATA, data_offset - stub_offset);
    OFFSET(CPU_SCRATCH_RSP, PerCpu, scratch_rsp);
    OFFSET(CPU_STACK_TOP, PerCpu, stack_top);
    OFFSET(CPU_FLUSHED_AT, PerCpu, flushed_at);
    OFFSET(CPU_KERNEL_CR3, PerCpu, kernel_cr3);
    OFFSET(CPU_USER_CR3, PerCpu, user_cr3);
    CONSTANT(STATE_DISTANCE, private_page(0, private_state) - frame_end(vcpu_stack_top(0)));
    OFFSET(CPU_PORT_MAP, PerCpu, tss.port_map);
    CONSTANT(PORTS_CLOSED, ports_closed);
    OFFSET(PORT_MAP, GuestState, port_map);
    OFFSET(BOUNCE_SP, GuestState, bounce_sp);
    OFFSET(SYSCALL_ADDRESS, GuestState, syscall.address);
    OFFSET(SYSCALL_MASKS, GuestState, syscall.masks);
    OFFSET(TRAP_ADDRESS, GuestState, trap_address);
    OFFSET(TRAP_MASKS, GuestState, trap_masks);
    OFFSET(VCPU_INFO, Vcpu, info);
    OFFSET(VCPU_MAIL, Vcpu, mail.flags);
    OFFSET(VCPU_CALLS, Vcpu, calls);
    OFFSET(VCPU_INFO_CR2, vcpu_info, arch.cr2);
    OFFSET(IRET_RAX, iret_context, rax);
    OFFSET(IRET_R11, iret_context, r11);
    OFFSET(IRET_RCX, iret_context, rcx);
    OFFSET(IRET_FLAGS, iret_context, flags);
    OFFSET(IRET_RIP, iret_context, rip);
    OFFSET(IRET_CS, iret_context, cs);
    OFFSET(IRET_RFLAGS, iret_context, rflags);
    OFFSET(IRET_RSP, iret_context, rsp);
    OFFSET(IRET_SS, iret_context, ss);
    CONSTANT(VGCF_IN_SYSCALL, VGCF_in_syscall >> 8);
    CONSTANT(GUEST_FLAGS, pv::honoured_flags);
    CONSTANT(HANDLER_FLAGS, pv::handler_flags);
    CONSTANT(PF_PRESENT, 1);
    CONSTANT(PF_WRITE, 2);
    CONSTANT(PF_USER, 4);
    CONSTANT(PF_RESERVED, 8);
    CONSTANT(HYPERCALL_IRET, __HYPERVISOR_iret);
    CONSTANT(HYPERCALL_COUNT, ABI_HYPERCALL_COUNT);
    CONSTANT(GUEST_CS64, guest_cs64);
    CONSTANT(GUEST_SS, guest_ss);
    CONSTANT(VECTOR_SYSCALL, 0x100);
    CONSTANT(OWN_SLOT, own_slot);
}
