// What guests do all the time, without C: a system call bounced to the guest kernel, the iret hypercall, and the way into and out of the
// other hypercalls. Whatever is unusual takes the slow way (entry.S, bounce.cpp), which begins anew. A bounce does not look for requests
// of other CPUs: they come with an interrupt, which is taken as soon as the guest runs.
#include "entry_macros.inc"

        .section .text.entry, "ax"

// entry_syscall: SYSCALL from 64-bit guest code; the CPU's stub has pushed ss and rsp on the vCPU's stack.
//   in     rcx = guest rip, r11 = guest rflags
//   next   u64 call_entries[eax](u64 rdi, u64 rsi, u64 rdx, Vcpu&, u64 r8, u64 r10)
        .balign 64
        .globl  entry_syscall
entry_syscall:
        push    %r11
        cmpb    $0, INFO(3) + STACK_IN_USER(%rsp)
        jne     bounce_syscall
        mov     INFO(3) + STACK_VCPU(%rsp), %r11
        cmp     $HYPERCALL_IRET, %eax
        je      fast_iret
        push    $GUEST_CS64
        push    %rcx
        push    syscall_word(%rip)
        PUSH_EACH rdi, rsi, rdx, rcx, rax, r8, r9, r10
        push    11 * 8(%rsp)                            // r11 holds rflags
        PUSH_EACH rbx, rbp, r12, r13, r14, r15
        cmp     $HYPERCALL_COUNT, %rax                  // of all 64 bits
        jae     1f
        mov     %r11, %rcx
        mov     %r10, %r9
        lea     call_entries(%rip), %r10
        incl    VCPU_CALLS(%r11, %rax, 4)
        call    *(%r10, %rax, 8)
exit_syscall:
        mov     REGS_SIZE + STACK_CPU(%rsp), %rcx
        mov     REGS_SIZE + STACK_VCPU(%rsp), %rdx
        cmpq    $0, CPU_REQUESTS(%rcx)                  // and the two words behind it
        jne     2f
        mov     VCPU_INFO(%rdx), %rdx
        cmpw    $1, (%rdx)                              // an upcall is pending and not masked
        je      2f
        mov     REGS_RIP(%rsp), %rcx
        cmp     first_noncanonical(%rip), %rcx          // SYSRET would fault in ring 0 on Intel
        je      2f
        mov     REGS_R10(%rsp), %r10
        mov     REGS_R9(%rsp), %r9
        mov     REGS_R8(%rsp), %r8
        mov     REGS_RDX(%rsp), %rdx
        mov     REGS_RSI(%rsp), %rsi
        mov     REGS_RDI(%rsp), %rdi
        mov     REGS_RFLAGS(%rsp), %r11
        mov     REGS_RSP(%rsp), %rsp
        sysretq
1:      mov     %rsp, %rdi
        call    unknown_call
2:      mov     %rax, REGS_RAX(%rsp)
        jmp     exit_to_guest

// bounce_syscall: from user mode to the guest kernel's system call handler.
//   in     rcx = rip; on the stack: ss, rsp, rflags
//   out    guest frame: rcx, r11, rip, cs and mask, rflags, rsp, ss
        .balign 64
bounce_syscall:
        push    %rax
        push    %rdx
        LOAD_KERNEL_TABLES %rdx, %rax, INFO(5)(%rsp)
        mov     INFO(5) + STACK_VCPU(%rsp), %r11
        mov     VCPU_INFO(%r11), %rdx
        cmpq    $0, STATE(5, BOUNCE_SP)(%rsp)           // no usable stack or handler
        je      slow_bounce
        cmpb    $0, 1(%rdx)
        jne     slow_bounce
        movb    $0, INFO(5) + STACK_IN_USER(%rsp)
        swapgs
        mov     STATE(5, BOUNCE_SP)(%rsp), %rax
        mov     2 * 8(%rsp), %rdx                       // rflags
        SET_AC
        GUEST   bounce_failed, mov %rcx, -56(%rax)
        GUEST   bounce_failed, mov %rdx, -48(%rax)
        GUEST   bounce_failed, mov %rcx, -40(%rax)
        GUEST   bounce_failed, movq $GUEST_CS64, -32(%rax)
        GUEST   bounce_failed, mov %rdx, -24(%rax)
        mov     3 * 8(%rsp), %rcx                       // rsp
        GUEST   bounce_failed, mov %rcx, -16(%rax)
        GUEST   bounce_failed, movq $GUEST_SS, -8(%rax)
        CLEAR_AC
        sub     $56, %rax
        mov     %rax, 3 * 8(%rsp)
        mov     VCPU_INFO(%r11), %rax
        mov     STATE(5, SYSCALL_MASKS)(%rsp), %cl
        mov     %cl, 1(%rax)
        mov     STATE(5, SYSCALL_ADDRESS)(%rsp), %rcx
        mov     %rdx, %r11
        and     $HANDLER_FLAGS, %r11d
        pop     %rdx
        pop     %rax
        mov     8(%rsp), %rsp
        sysretq

// The kernel stack cannot take the frame: undo the switch, the slow way will find the same and say so.
bounce_failed:
        CLEAR_AC
        movb    $1, INFO(5) + STACK_IN_USER(%rsp)
        swapgs
        xor     %ecx, %ecx
slow_bounce:
        pop     %rdx
        pop     %rax
        push    $GUEST_CS64
        push    %rcx
        push    syscall_word(%rip)
        mov     3 * 8(%rsp), %r11
        jmp     slow_syscall

// fast_iret: HYPERVISOR_iret. Goes back by SYSRET where the guest kernel says that rcx and r11 are free, else by IRETQ.
//   in     r11 = vCPU; rax, rcx are dead; on the stack: ss, rsp, rflags; at the guest's rsp: iret_context [public arch-x86_64.h]
        .balign 64
fast_iret:
        mov     %rdx, SCRATCH(3, 0)(%rsp)
        mov     8(%rsp), %rax
        cmp     guest_upper_start(%rip), %rax
        jb      slow_iret
        mov     VCPU_INFO(%r11), %rdx
        SET_AC
        GUEST   slow_iret, mov IRET_RFLAGS(%rax), %rcx
        test    $0x200, %ecx
        jz      4f
        cmpb    $0, (%rdx)
        jne     slow_iret                               // an event waits, and is to be delivered
        movb    $0, 1(%rdx)
1:      and     $GUEST_FLAGS, %ecx
        or      $0x202, %ecx
        push    %rcx
        GUEST   slow_iret, mov IRET_CS(%rax), %ecx
        not     %ecx
        test    $3, %cl
        jnz     2f
        GUEST   slow_iret, testb $VGCF_IN_SYSCALL, IRET_FLAGS + 1(%rax)
        jz      2f
        GUEST   slow_iret, mov IRET_RIP(%rax), %rcx
        cmp     first_noncanonical(%rip), %rcx
        jae     slow_iret
        mov     INFO(4) + STACK_CPU(%rsp), %rdx
        cmpq    $0, CPU_USER_CR3(%rdx)
        je      slow_iret
        GUEST   slow_iret, push IRET_RSP(%rax)
        GUEST   slow_iret, mov IRET_RAX(%rax), %rax
        CLEAR_AC
        movb    $1, INFO(5) + STACK_IN_USER(%rsp)
        swapgs
        LOAD_USER_TABLES %rdx, %r11, INFO(5)(%rsp)
        mov     8(%rsp), %r11
        mov     SCRATCH(5, 0)(%rsp), %rdx
        mov     (%rsp), %rsp
        sysretq

2:      not     %ecx                                    // cs
        GUEST   slow_iret, movzwl IRET_SS(%rax), %edx
        or      $3, %edx
        push    %rdx
        GUEST   slow_iret, push IRET_RSP(%rax)
        push    2 * 8(%rsp)
        movzwl  %cx, %edx
        or      $3, %edx
        push    %rdx
        GUEST   slow_iret, push IRET_RIP(%rax)
        GUEST   slow_iret, push IRET_RCX(%rax)
        GUEST   slow_iret, push IRET_R11(%rax)
        and     $3, %ecx
        cmp     $3, %ecx
        jne     3f
        mov     INFO(11) + STACK_CPU(%rsp), %rdx
        cmpq    $0, CPU_USER_CR3(%rdx)
        je      slow_iret
        GUEST   slow_iret, mov IRET_RAX(%rax), %rax
        CLEAR_AC
        movb    $1, INFO(11) + STACK_IN_USER(%rsp)
        swapgs
        LOAD_USER_TABLES %rdx, %rcx, INFO(11)(%rsp)
        pop     %r11
        pop     %rcx
        mov     SCRATCH(9, 0)(%rsp), %rdx
        GUEST   refused_iret, iretq
3:      GUEST   slow_iret, mov IRET_RAX(%rax), %rax
        CLEAR_AC
        pop     %r11
        pop     %rcx
        mov     SCRATCH(9, 0)(%rsp), %rdx
        GUEST   refused_iret, iretq
4:      movb    $1, 1(%rdx)
        jmp     1b

slow_iret:
        CLEAR_AC
        or      $STACK_SIZE - 1, %rsp
        sub     $STACK_INFO_SIZE - 1 + 3 * 8, %rsp
        mov     SCRATCH(3, 0)(%rsp), %rdx
        mov     $HYPERCALL_IRET, %eax
        xor     %ecx, %ecx
        push    $GUEST_CS64
        push    %rcx
        push    syscall_word(%rip)
        mov     3 * 8(%rsp), %r11
        jmp     slow_syscall

        .section .rodata
// syscall_stub, syscall32_stub: what LSTAR and CSTAR of a CPU lead to, in a copy where its area begins (copy_stubs, descriptors.cpp).
// Take the vCPU's stack, push ss and rsp, go on. Nothing of rsp stays: every domain's tables have that page.
        .macro  SYSCALL_STUB name, entry
        .globl  \name
\name:
        mov     %rsp, syscall_stub + CPU_DATA + CPU_SCRATCH_RSP(%rip)
        mov     syscall_stub + CPU_DATA + CPU_STACK_TOP(%rip), %rsp
        push    $GUEST_SS
        push    syscall_stub + CPU_DATA + CPU_SCRATCH_RSP(%rip)
        movq    $0, syscall_stub + CPU_DATA + CPU_SCRATCH_RSP(%rip)
        jmp     \entry
        .endm
        SYSCALL_STUB syscall_stub, entry_syscall
        SYSCALL_STUB syscall32_stub, entry_syscall32
        .globl  syscall_stubs_end
syscall_stubs_end:

        .balign 8
syscall_word:                                           // error code 0, the vector above it
        .long   0, VECTOR_SYSCALL
        .globl  first_noncanonical, guest_upper_start
first_noncanonical:
        .quad   0x0000800000000000
guest_upper_start:
        .quad   0xffff880000000000

        .section .note.GNU-stack, "", @progbits
