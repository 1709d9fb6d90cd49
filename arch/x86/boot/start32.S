// First instructions: 32-bit protected mode from the boot loader to long mode at the image's linked address. Nothing else.
//
//   in    eax = Multiboot2 magic, ebx = physical address of its information, paging off, anywhere below 4 GiB
//   next  start_cpp(physical load address, information, magic) on the boot stack
        .section .boot.text, "ax"
        .code32
        // off_X is the distance of X from image_base, made by the linker script.
        .globl start32, boot_here, boot_l4, boot_l3_low, boot_l3_image, boot_l2_image, boot_l2_low, boot_gdt, boot_gdt_pointer, boot_stack, start64_low, no_long_mode_text
start32:
        cli
        cld
        mov     %eax, %edi                      // magic
        lea     8(%ebx), %esp                   // the information's reserved word serves as stack for one call
        call    boot_here
boot_here:
        pop     %ebp
        sub     $off_boot_here, %ebp        // ebp = where image_base was loaded

        mov     $0x80000001, %eax               // long mode is required [AMD64 APM 3, CPUID Fn8000_0001]
        mov     %ebx, %esi
        cpuid
        mov     %esi, %ebx
        bt      $29, %edx
        jnc     no_long_mode

        // L4: identity and image.
        lea     off_boot_l3_low(%ebp), %eax
        or      $3, %eax
        mov     %eax, off_boot_l4(%ebp)
        lea     off_boot_l3_image(%ebp), %eax
        or      $3, %eax
        mov     %eax, off_boot_l4 + 257 * 8(%ebp)
        lea     off_boot_l2_image(%ebp), %eax
        or      $3, %eax
        mov     %eax, off_boot_l3_image(%ebp)
        // Identity: 4 GiB in 2 MiB pages.
        lea     off_boot_l2_low(%ebp), %eax
        or      $3, %eax
        lea     off_boot_l3_low(%ebp), %ecx
        mov     $4, %edx
2:      mov     %eax, (%ecx)
        add     $4096, %eax
        add     $8, %ecx
        dec     %edx
        jnz     2b
        mov     $0x83, %eax
        lea     off_boot_l2_low(%ebp), %ecx
        mov     $2048, %edx
3:      mov     %eax, (%ecx)
        add     $0x200000, %eax
        add     $8, %ecx
        dec     %edx
        jnz     3b
        // Image: 16 MiB from the load address.
        lea     0x83(%ebp), %eax
        lea     off_boot_l2_image(%ebp), %ecx
        mov     $8, %edx
4:      mov     %eax, (%ecx)
        add     $0x200000, %eax
        add     $8, %ecx
        dec     %edx
        jnz     4b

        mov     $0x620, %eax                    // PAE | OSFXSR | OSXMMEXCPT
        mov     %eax, %cr4
        lea     off_boot_l4(%ebp), %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx               // EFER: LME | NXE | SCE
        mov     $0x901, %eax
        xor     %edx, %edx
        wrmsr
        mov     $0x80010033, %eax               // PG | WP | NE | ET | MP | PE
        mov     %eax, %cr0

        lea     off_boot_gdt(%ebp), %eax
        mov     %eax, off_boot_gdt_pointer + 2(%ebp)
        lgdt    off_boot_gdt_pointer(%ebp)
        lea     off_boot_stack + 0x4000 - 64(%ebp), %esp
        lea     off_start64_low(%ebp), %eax
        push    $8
        push    %eax
        lret

no_long_mode:
        lea     off_no_long_mode_text(%ebp), %esi
        mov     $0x3f8, %dx
5:      lodsb
        test    %al, %al
        jz      6f
        out     %al, %dx
        jmp     5b
6:      hlt
        jmp     6b

        .code64
start64_low:
        mov     %ebp, %ebp
        mov     %ebx, %esi
        mov     %edi, %edx
        movabs  $start64_high, %rax
        jmp     *%rax
start64_high:
        xor     %eax, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %eax, %ss
        lea     boot_stack + 0x4000 - 64(%rip), %rsp
        mov     %rbp, %rdi
        xor     %ebp, %ebp
        call    start_cpp
        ud2

        .balign 8
no_long_mode_text: .asciz "Tenon: this CPU has no long mode.\r\n"
        .balign 8
boot_gdt:
        .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
        .word 23
        .quad 0

        .section .bss.page_aligned, "aw", @nobits
        .balign 16384
boot_stack:     .skip 16384
boot_l4:        .skip 4096
boot_l3_low:    .skip 4096
boot_l3_image:  .skip 4096
boot_l2_image:  .skip 4096
boot_l2_low:    .skip 4 * 4096
        .section .note.GNU-stack, "", @progbits
