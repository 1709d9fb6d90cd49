// Exceptions of guests that are simply the guest's: handed to its handler without C. What the hypervisor may have to answer itself
// (writes to page tables, privileged instructions, a masked user mode, a missing handler) goes to entry_common with nothing changed.
#include "entry_macros.inc"

        .section .text.entry, "ax"

// entry_exception: vectors 0, 3-5, 10-12, 14, 16, 17, 19.
//   on the stack: ss, rsp, rflags, cs, rip, error code and vector
//   out    guest frame: rcx, r11, [error], rip, cs and mask, rflags, rsp, ss
        .balign 64
        .globl  entry_exception
entry_exception:
        testb   $3, 2 * 8(%rsp)
        jz      entry_common
        mov     %rax, SCRATCH(6, 0)(%rsp)
        mov     %rcx, SCRATCH(6, 1)(%rsp)
        mov     %rdx, SCRATCH(6, 2)(%rsp)
        mov     %r11, SCRATCH(6, 3)(%rsp)
        cmpb    $0, INFO(6) + STACK_IN_USER(%rsp)
        je      0f
        LOAD_KERNEL_TABLES %rdx, %rcx, INFO(6)(%rsp)
0:      mov     INFO(6) + STACK_VCPU(%rsp), %r11
        mov     4(%rsp), %eax
        mov     VCPU_INFO(%r11), %rdx
        cmp     $14, %eax
        je      6f
1:      cmpq    $0, STATE(6, TRAP_ADDRESS)(%rsp, %rax, 8)
        je      9f
        movzwl  2 * 8(%rsp), %ecx                       // cs
        cmpb    $0, INFO(6) + STACK_IN_USER(%rsp)
        je      4f
        cmpb    $0, 1(%rdx)
        jne     9f
        cmpq    $0, STATE(6, BOUNCE_SP)(%rsp)
        je      9f
        movb    $0, INFO(6) + STACK_IN_USER(%rsp)
        swapgs
        movb    $1, 7(%rsp)                             // from here on there is a switch to undo
        mov     STATE(6, BOUNCE_SP)(%rsp), %rcx
        SET_AC
        movzwl  2 * 8(%rsp), %edx
        GUEST   7f, mov %rdx, -32(%rcx)
        mov     3 * 8(%rsp), %rdx                       // rflags; IF is set whenever a guest runs
        GUEST   7f, mov %rdx, -24(%rcx)
        mov     (%rsp), %edx
2:      GUEST   7f, movl $0, -44(%rcx)
        GUEST   7f, mov %edx, -48(%rcx)                 // the error code, or overwritten
        mov     1 * 8(%rsp), %rdx
        GUEST   7f, mov %rdx, -40(%rcx)
        mov     4 * 8(%rsp), %rdx
        GUEST   7f, mov %rdx, -16(%rcx)
        movzwl  5 * 8(%rsp), %edx
        GUEST   7f, mov %rdx, -8(%rcx)
        movzbl  4(%rsp), %edx
        bt      %edx, errors_pushed(%rip)
        jc      3f
        add     $8, %rcx
3:      mov     SCRATCH(6, 3)(%rsp), %rdx
        GUEST   7f, mov %rdx, -56(%rcx)
        mov     SCRATCH(6, 1)(%rsp), %rdx
        GUEST   7f, mov %rdx, -64(%rcx)
        CLEAR_AC
        sub     $64, %rcx
        mov     %rcx, 4 * 8(%rsp)
        mov     VCPU_INFO(%r11), %r11
        mov     STATE(6, TRAP_MASKS)(%rsp, %rax), %dl
        or      %dl, 1(%r11)
        mov     3 * 8(%rsp), %r11
        and     $HANDLER_FLAGS, %r11d
        mov     STATE(6, TRAP_ADDRESS)(%rsp, %rax, 8), %rcx
        mov     SCRATCH(6, 0)(%rsp), %rax
        mov     SCRATCH(6, 2)(%rsp), %rdx
        mov     4 * 8(%rsp), %rsp
        sysretq                                         // the handler finds rcx and r11 in its frame

4:      // From the guest's kernel, on its own stack. rdx = vcpu_info, ecx = cs
        and     $~3, %ecx
        movzbl  1(%rdx), %edx
        shl     $32, %rdx
        or      %rcx, %rdx
        mov     4 * 8(%rsp), %rcx
        and     $-16, %rcx
        cmp     guest_stack_lowest(%rip), %rcx
        jb      9f
        SET_AC
        GUEST   9f, mov %rdx, -32(%rcx)
        shr     $32, %rdx                               // the mask
        mov     3 * 8(%rsp), %rdx
        jz      5f
        and     $~0x200, %edx
5:      GUEST   9f, mov %rdx, -24(%rcx)
        mov     (%rsp), %edx
        cmpl    $14, 4(%rsp)
        jne     2b
        and     $~4, %edx
        jmp     2b

6:      // A page fault: cr2, and whether it can be anything but the guest's.
        mov     %cr2, %rcx
        mov     %rcx, VCPU_INFO_CR2(%rdx)
        mov     (%rsp), %ecx
        and     $PF_USER | PF_RESERVED, %ecx
        cmp     $PF_USER, %ecx
        jne     9f
        cmpb    $0, INFO(6) + STACK_IN_USER(%rsp)
        jne     1b
        mov     (%rsp), %ecx
        not     %ecx
        test    $PF_PRESENT | PF_WRITE, %ecx
        jnz     1b
        jmp     9f

7:      // The kernel's stack cannot take the frame.
        cmpb    $0, 7(%rsp)
        je      9f
        movb    $0, 7(%rsp)
        movb    $1, INFO(6) + STACK_IN_USER(%rsp)
        swapgs
9:      CLEAR_AC
        mov     SCRATCH(6, 0)(%rsp), %rax
        mov     SCRATCH(6, 1)(%rsp), %rcx
        mov     SCRATCH(6, 2)(%rsp), %rdx
        mov     SCRATCH(6, 3)(%rsp), %r11
        jmp     entry_common

        .section .rodata
        .balign 8
errors_pushed:
        .long   1 << 10 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 17
        .balign 8
guest_stack_lowest:
        .quad   0xffff880000000040

        .section .note.GNU-stack, "", @progbits
