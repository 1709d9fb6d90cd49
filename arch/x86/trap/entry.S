// Entry from and exit to guests: exceptions, interrupts, SYSCALL, SYSENTER; the ways that go through C. Interrupts are off throughout.
// Every entry builds a Regs frame on the current vCPU's stack (or, for NMI, #DF and #MC, on this CPU's own) and calls C++.
// What happens often and is simple never gets here: syscall.S and exception.S.
#include "entry_macros.inc"

        .section .text.entry, "ax"

// One stub a vector: adds the error code where the CPU pushed none, and the vector above it.
        .balign 16
        .globl  entry_stubs
entry_stubs:
        vector = 0
        .rept 256
        .balign 16
        .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
        .else
        push    $0
        .endif
        movl    $vector, 4(%rsp)
        .if vector == 2 || vector == 8 || vector == 18
        jmp     entry_ist
        .elseif vector == 0 || (vector >= 3 && vector <= 5) || (vector >= 10 && vector <= 12) || vector == 14 || vector == 16 || vector == 17 || vector == 19
        jmp     entry_exception
        .elseif vector == 1
        jmp     entry_debug
        .elseif vector == 6 || vector == 13
        jmp     entry_emulated
        .else
        jmp     entry_common
        .endif
        vector = vector + 1
        .endr

// entry_common: any exception or interrupt, any context.
//   in     rsp -> error code and vector, rip, cs, rflags, rsp, ss
//   next   handle_trap(Regs*)
        .balign 64
        .globl  entry_common
entry_common:
        ENTER_TENON
        call    handle_trap
        .globl  entry_exit
entry_exit:
        testb   $3, REGS_CS(%rsp)
        jz      resume_hypervisor
        .globl  exit_to_guest
exit_to_guest:
        mov     REGS_SIZE + STACK_CPU(%rsp), %rcx
        mov     REGS_SIZE + STACK_VCPU(%rsp), %rdx
        cmpq    $0, CPU_REQUESTS(%rcx)                  // and the two words behind it
        jne     2f
        cmpl    $0, VCPU_MAIL(%rdx)
        jne     2f
        mov     VCPU_INFO(%rdx), %rdx
        cmpw    $1, (%rdx)                              // an upcall is pending and not masked
        je      2f
1:      cmpb    $0, REGS_SIZE + STACK_IN_USER(%rsp)
        je      3f
        LOAD_USER_TABLES %rax, %rcx, REGS_SIZE(%rsp)
3:      RESTORE_REGISTERS
        add     $8, %rsp
        .globl  guest_iret
guest_iret:
        iretq
        // The guest's own frame made IRET fault: handle_trap finds this address and makes it the guest's exception.
2:      mov     %rsp, %rdi
        call    leave_to_guest
        jmp     1b
resume_hypervisor:
        RESTORE_REGISTERS
        add     $8, %rsp
        iretq

// entry_emulated: #UD and #GP. From a guest they are mostly instructions that the hypervisor executes for it.
//   next   handle_emulated(Regs*, Vcpu*)
        .balign 64
entry_emulated:
        testb   $3, 2 * 8(%rsp)
        jz      entry_common
        ENTER_TENON
        mov     REGS_SIZE + STACK_VCPU(%rsp), %rsi
        call    handle_emulated
        jmp     exit_to_guest

// entry_debug: #DB, on a stack of its own: a breakpoint that a load of SS holds back hits behind a SYSCALL, where the stack pointer is
// still the guest's. From a guest it goes on on the vCPU's stack, and nothing of the guest stays on this one. From ring 0 it is the guest's
// loss: its breakpoint on memory that Tenon touched, or the one behind SYSCALL.
//   on the stack: ss, rsp, rflags, cs, rip, vector word
        .balign 16
entry_debug:
        push    %rax
        testb   $3, 3 * 8(%rsp)
        jz      1f
        push    %rcx
        mov     INFO(8) + STACK_CPU(%rsp), %rax
        mov     CPU_STACK_TOP(%rax), %rax
        n = 0
        .rept   8
        xor     %ecx, %ecx
        xchg    %rcx, 8 * (7 - n)(%rsp)
        n = n + 1
        mov     %rcx, -8 * n(%rax)
        .endr
        lea     -8 * 8(%rax), %rsp
        pop     %rcx
        pop     %rax
        jmp     entry_common
1:      mov     $0xffff0ff0, %eax
        mov     %rax, %dr6
        pop     %rax
        add     $8, %rsp
        andl    $~0x100, 2 * 8(%rsp)
        iretq

// entry_ist: NMI, #DF, #MC, on a stack of their own. Goes back to wherever it came from, never through the scheduler.
        .balign 16
entry_ist:
        SAVE_REGISTERS
        cld
        CLEAR_AC
        mov     %cr3, %r12
        mov     REGS_SIZE + STACK_CPU(%rsp), %rax
        mov     CPU_KERNEL_CR3(%rax), %rax
        test    %rax, %rax                              // early at boot
        jz      1f
        mov     %rax, %cr3
1:      xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_ist_trap
        mov     %r12, %cr3
        jmp     resume_hypervisor

// slow_syscall: a Regs frame for a SYSCALL that syscall.S does not handle, Tenon's tables are loaded; on the stack: ss, rsp, rflags, cs, rip, vector word.
        .globl  slow_syscall
slow_syscall:
        SAVE_REGISTERS
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_syscall
        jmp     entry_exit

// entry_syscall32: SYSCALL from compatibility mode (AMD).
        .balign 16
        .globl  entry_syscall32
entry_syscall32:
        push    %r11
        push    $0xe023
        push    %rcx
        push    $0
        movl    $0x101, 4(%rsp)
        SAVE_REGISTERS
        TENON_TABLES
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_syscall32
        jmp     entry_exit

// switch_stacks(save_sp, next_sp, next_cr3, cpu, info)
        .balign 16
        .globl  switch_stacks
switch_stacks:
        PUSH_EACH rbp, rbx, r12, r13, r14, r15
        mov     %rsp, (%rdi)
        mov     %rdx, %cr3
        mov     %rsi, %rsp
        mov     %rcx, STACK_CPU(%r8)
        POP_EACH r15, r14, r13, r12, rbx, rbp
        ret

// entry_first_run: where a new vCPU's first switch returns to; its Regs lie on top of the stack.
        .globl  entry_first_run
entry_first_run:
        xor     %ebp, %ebp
        call    finish_switch_here
        jmp     entry_exit

        .section .note.GNU-stack, "", @progbits
