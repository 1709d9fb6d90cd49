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

        mov     $0x80000001, %eax               // long mode and no-execute are required [AMD64 APM 3, CPUID Fn8000_0001]
        mov     %ebx, %esi
        cpuid
        mov     %esi, %ebx
        not     %edx
        test    $0x20100000, %edx
        jnz     no_long_mode

        .macro  link entry, table               // the entry leads to the table; no spaces in an argument
        lea     off_\table(%ebp), %eax
        or      $3, %eax
        mov     %eax, off_\entry(%ebp)
        .endm
        .macro  fill table, count, step         // entries from the one in eax on, so far apart
        lea     off_\table(%ebp), %ecx
        mov     $\count, %edx
1:      mov     %eax, (%ecx)
        add     $\step, %eax
        add     $8, %ecx
        dec     %edx
        jnz     1b
        .endm
        link    boot_l4, boot_l3_low
        link    boot_l4+257*8, boot_l3_image
        link    boot_l3_image, boot_l2_image
        lea     off_boot_l2_low + 3(%ebp), %eax // identity: 4 GiB in 2 MiB pages
        fill    boot_l3_low, 4, 4096
        mov     $0x83, %eax
        fill    boot_l2_low, 2048, 0x200000
        lea     0x83(%ebp), %eax                // image: 16 MiB from the load address
        fill    boot_l2_image, 8, 0x200000

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
no_long_mode_text: .asciz "Tenon: this CPU has no long mode, or no NX bit.\r\n"
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
