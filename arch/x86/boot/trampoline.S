// First instructions of the other CPUs: real mode at the trampoline page, to long mode on their idle vCPU's stack.
// Copied below 640 KiB; the words at the end are filled in before each start. Position: any page, found through CS.
        .section .rodata
        .balign 16
        .globl  trampoline_start, trampoline_end, trampoline_cr3, trampoline_stack, trampoline_entry, trampoline_argument
        .code16
trampoline_start:
        cli
        cld
        mov     %cs, %ax
        mov     %ax, %ds
        xor     %ebx, %ebx
        mov     %ax, %bx
        shl     $4, %ebx                        // physical base
        lea     tr_gdt - trampoline_start(%ebx), %eax
        mov     %eax, (tr_gdt_pointer - trampoline_start) + 2
        lea     tr_long - trampoline_start(%ebx), %eax
        mov     %eax, tr_far - trampoline_start
        lgdtl   tr_gdt_pointer - trampoline_start
        mov     $0x620, %eax                    // PAE | OSFXSR | OSXMMEXCPT
        mov     %eax, %cr4
        mov     trampoline_cr3 - trampoline_start, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx
        mov     $0x901, %eax                    // NXE | LME | SCE
        xor     %edx, %edx
        wrmsr
        mov     $0x80010033, %eax
        mov     %eax, %cr0
        ljmpl   *(tr_far - trampoline_start)
        .code64
tr_long:
        mov     trampoline_stack(%rip), %rsp
        mov     trampoline_argument(%rip), %rdi
        xor     %eax, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %ebp, %ebp
        jmp     *trampoline_entry(%rip)
        .balign 8
tr_gdt: .quad 0, 0x00af9b000000ffff
tr_gdt_pointer:
        .word 15
        .long 0
        .balign 4
tr_far: .long 0
        .word 8
        .balign 8
trampoline_cr3:         .quad 0
trampoline_stack:       .quad 0
trampoline_entry:       .quad 0
trampoline_argument:    .quad 0
trampoline_end:
        .section .note.GNU-stack, "", @progbits
