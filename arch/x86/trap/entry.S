// Entry from and exit to guests: exceptions, interrupts, SYSCALL, SYSENTER. Interrupts are off throughout.
// Every entry builds a Regs frame on the current vCPU's stack (or, for NMI, #DF and #MC, on this CPU's own) and calls C++.
#include <asm_offsets.h>

        .macro SAVE_REGISTERS
        push    %rdi
        push    %rsi
        push    %rdx
        push    %rcx
        push    %rax
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        .endm

        .macro RESTORE_REGISTERS
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rax
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rdi
        .endm

        // Where SMAP is in use the guest's AC flag must not open user pages to us. Patched at boot: CLAC or a 3-byte NOP.
        .macro CLEAR_AC
661:    .byte   0x0f, 0x1f, 0x00
        .pushsection .rodata.clac_sites, "a"
        .long   661b - .
        .popsection
        .endm

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
        .else
        jmp     entry_common
        .endif
        vector = vector + 1
        .endr

// entry_common: any exception or interrupt, any context.
//   in     rsp -> error code and vector, rip, cs, rflags, rsp, ss
//   next   handle_trap(Regs*)
        .balign 64
entry_common:
        SAVE_REGISTERS
        cld
        CLEAR_AC
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_trap
        .globl  entry_exit
entry_exit:
        testb   $3, REGS_CS(%rsp)
        jz      resume_hypervisor
        mov     %rsp, %rdi
        call    leave_to_guest
resume_guest:
        RESTORE_REGISTERS
        add     $8, %rsp
        .globl  guest_iret
guest_iret:
        iretq
        // The guest's own frame made IRET fault: handle_trap finds this address and goes to the failsafe callback.
resume_hypervisor:
        RESTORE_REGISTERS
        add     $8, %rsp
        iretq

// entry_ist: NMI, #DF, #MC, on a stack of their own. Goes back to wherever it came from, never through the scheduler.
        .balign 16
entry_ist:
        SAVE_REGISTERS
        cld
        CLEAR_AC
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_ist_trap
        jmp     resume_hypervisor

// entry_syscall: SYSCALL from 64-bit guest code, on the vCPU's stack with ss and rsp pushed by the CPU's stub.
//   in     rcx = guest rip, r11 = guest rflags
//   next   handle_syscall(Regs*), then back by SYSRET where that is equivalent to IRET
        .balign 64
        .globl  entry_syscall
entry_syscall:
        push    %r11
        push    $GUEST_CS64
        push    %rcx
        push    $0
        movl    $VECTOR_SYSCALL, 4(%rsp)
        SAVE_REGISTERS
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_syscall
        .globl  exit_syscall
exit_syscall:
        mov     %rsp, %rdi
        call    leave_to_guest
        mov     REGS_RIP(%rsp), %rcx
        mov     REGS_RFLAGS(%rsp), %r11
        cmp     %rcx, REGS_RCX(%rsp)
        jne     resume_guest
        cmp     %r11, REGS_R11(%rsp)
        jne     resume_guest
        cmpw    $GUEST_CS64, REGS_CS(%rsp)
        jne     resume_guest
        cmpw    $GUEST_SS, REGS_SS(%rsp)
        jne     resume_guest
        test    $0x10100, %r11d                 // RF and TF need IRET
        jnz     resume_guest
        mov     %rcx, %rax
        sar     $47, %rax                       // SYSRET to a non-canonical address would fault in ring 0 on Intel
        jz      1f
        inc     %rax
        jnz     resume_guest
1:      RESTORE_REGISTERS
        mov     REGS_RSP - 15 * 8(%rsp), %rsp
        sysretq

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
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_syscall32
        jmp     entry_exit

// entry_sysenter: the hardware keeps neither rip nor rsp; rsp points at this CPU's stack_top word.
        .balign 16
        .globl  entry_sysenter
entry_sysenter:
        mov     (%rsp), %rsp
        push    $GUEST_SS
        push    $0
        pushfq
        push    $GUEST_CS64
        push    $0
        push    $0
        movl    $0x102, 4(%rsp)
        SAVE_REGISTERS
        cld
        CLEAR_AC
        xor     %ebp, %ebp
        mov     %rsp, %rdi
        call    handle_sysenter
        jmp     entry_exit

// switch_stacks(save_sp, next_sp, next_cr3, cpu, info)
        .balign 16
        .globl  switch_stacks
switch_stacks:
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, (%rdi)
        mov     %rdx, %cr3
        mov     %rsi, %rsp
        mov     %rcx, STACK_CPU(%r8)
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret

// entry_first_run: where a new vCPU's first switch returns to; its Regs lie on top of the stack.
        .globl  entry_first_run
entry_first_run:
        xor     %ebp, %ebp
        call    finish_first_switch
        jmp     entry_exit

        .section .note.GNU-stack, "", @progbits
