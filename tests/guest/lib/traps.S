// What this is: one entry point per vector and callback, the common path to trap_dispatch(), the return by
// the iret hypercall, and catch_call(), which runs a function and comes back from whatever fault it takes.
// Frames grow from rip upwards; `struct Frame` in trap.hpp is the same layout.

#define IRET_HYPERCALL 23

    .macro ENTRY_STUB vector, has_error
    .balign 16
    .globl trap_entry_\vector
trap_entry_\vector:
    pop %rcx
    pop %r11
    .if !\has_error
    pushq $0
    .endif
    push %rcx
    push %r11
    push %rax
    pushq $\vector
    jmp trap_common
    .endm

    .text
    .altmacro
    .macro STUB_FOR vector
    .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21
    ENTRY_STUB \vector, 1
    .else
    ENTRY_STUB \vector, 0
    .endif
    .endm
    .set n, 0
    .rept 32
    STUB_FOR %n
    .set n, n + 1
    .endr
    STUB_FOR 128
    STUB_FOR 256 // event
    STUB_FOR 257 // syscall
    STUB_FOR 258 // syscall32
    STUB_FOR 259 // sysenter

    // The failsafe frame has the four data selectors between r11 and rip.
    .balign 16
    .globl trap_entry_260
trap_entry_260:
    pop %rcx
    pop %r11
    popq failsafe_selectors + 0(%rip)
    popq failsafe_selectors + 8(%rip)
    popq failsafe_selectors + 16(%rip)
    popq failsafe_selectors + 24(%rip)
    pushq $0
    push %rcx
    push %r11
    push %rax
    pushq $260
    jmp trap_common

    // trap_common: in: stack = vector, rax, r11, rcx, error, rip, cs, rflags, rsp, ss.
trap_common:
    push %rdi
    push %rsi
    push %rdx
    push %r8
    push %r9
    push %r10
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    pushfq
    pop %rsi
    cld
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call trap_dispatch
    mov %rbx, %rsp
    .globl trap_return
trap_return:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r10
    pop %r9
    pop %r8
    pop %rdx
    pop %rsi
    pop %rdi
    add $8, %rsp               // vector
    mov iret_flags(%rip), %rax
    mov %rax, 24(%rsp)         // the error code's slot becomes the iret flags
    mov $IRET_HYPERCALL, %eax
    syscall
    ud2

    // enter_frame(Frame*): leave the current context for the one in the frame; does not return.
    .globl enter_frame
enter_frame:
    mov %rdi, %rsp
    jmp trap_return

    // bool catch_call(void (*fn)(void*), void* arg): true when fn did not return because of a fault.
    .globl catch_call
catch_call:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    pushq recovery_rsp(%rip)
    mov %rsp, recovery_rsp(%rip)
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
    xor %eax, %eax
    jmp 1f
    .globl catch_resume
catch_resume:
    mov $1, %eax
1:  popq recovery_rsp(%rip)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .bss
    .globl recovery_rsp, iret_flags, failsafe_selectors
    .balign 8
recovery_rsp:
    .skip 8
iret_flags:
    .skip 8
failsafe_selectors:
    .skip 32
    .section .note.GNU-stack, "", @progbits
