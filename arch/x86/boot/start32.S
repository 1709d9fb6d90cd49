// First instructions: to long mode at the image's linked address. Nothing else.
//
// start32: the boot CPU, in 32-bit protected mode, paging off, loaded anywhere below 4 GiB.
//   in    eax = Multiboot2 magic, ebx = physical address of its information
//   next  start_cpp(physical load address, information, magic) on the boot stack
// trampoline_start: another CPU, in real mode, in a copy on any page below 640 KiB.
//   in    other_cpu = {CR3, PerCpu*}
//   next  start_other_cpu(PerCpu*) on its idle vCPU's stack
#include <asm_offsets.h>

        .section .boot.text, "ax"
        .code32
        // off_X is the distance of X from image_base, made by the linker script.
        .globl start32, boot_here, boot_l4, boot_l3_low, boot_l3_image, boot_l2_image, boot_l2_low, boot_gdt, boot_stack, start64_low, no_long_mode_text
        .globl trampoline_start, trampoline_end, trampoline_gdt, trampoline_target, start_other, start64_target
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
        link    boot_l4+OWN_SLOT*8, boot_l3_low // and as the boot map (paging.hpp)
        link    boot_l4+257*8, boot_l3_image
        link    boot_l3_image, boot_l2_image
        lea     off_boot_l2_low + 3(%ebp), %eax // identity: 4 GiB in 2 MiB pages
        fill    boot_l3_low, 4, 4096
        mov     $0x83, %eax
        fill    boot_l2_low, 2048, 0x200000
        lea     0x83(%ebp), %eax                // image: 16 MiB from the load address
        fill    boot_l2_image, 8, 0x200000

        lea     off_boot_gdt(%ebp), %eax
        mov     %eax, off_trampoline_gdt + 2(%ebp)
        lea     off_start_other(%ebp), %eax
        mov     %eax, off_trampoline_target(%ebp)
        lea     off_start64_low(%ebp), %eax
        mov     %eax, off_start64_target(%ebp)

enter_long_mode:
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
        lgdt    off_trampoline_gdt(%ebp)
        ljmp    *off_start64_target(%ebp)

start_other:
        sub     $off_start_other, %ebp
        mov     $16, %eax
        mov     %eax, %ds
        xor     %ebx, %ebx                      // no loader's information: not the boot CPU
        jmp     enter_long_mode

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
        mov     %rbp, %rdi
        xor     %ebp, %ebp
        test    %esi, %esi
        jz      7f
        lea     boot_stack + 0x4000 - 64(%rip), %rsp
        call    start_cpp
7:      mov     other_cpu(%rip), %rax
        mov     %rax, %cr3
        mov     other_cpu + 8(%rip), %rdi
        mov     CPU_STACK_TOP(%rdi), %rsp
        call    start_other_cpu

        .balign 8
no_long_mode_text: .asciz "Tenon: this CPU has no long mode, or no NX bit.\r\n"
        .balign 8
boot_gdt:
        .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
start64_target:
        .long 0
        .word 8

        .section .rodata
        .code16
trampoline_start:
        cli
        mov     %cs, %ax
        mov     %ax, %ds
        lgdtl   trampoline_gdt - trampoline_start
        mov     trampoline_target - trampoline_start, %ebp
        mov     $0x11, %eax                     // ET | PE
        mov     %eax, %cr0
        ljmpl   *(trampoline_target - trampoline_start)
trampoline_gdt:
        .word 31
        .long 0
trampoline_target:
        .long 0
        .word 24
trampoline_end:

        .section .bss.page_aligned, "aw", @nobits
        .balign 16384
boot_stack:     .skip 16384
boot_l4:        .skip 4096
boot_l3_low:    .skip 4096
boot_l3_image:  .skip 4096
boot_l2_image:  .skip 4096
boot_l2_low:    .skip 4 * 4096
        .section .note.GNU-stack, "", @progbits
