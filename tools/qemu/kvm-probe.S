// A Multiboot kernel of one page that tells whether an accelerator can run a hypervisor: long mode, ring 0 with the
// instructions that hypervisors and kernels use and that incomplete emulation stops at, ring 3 and back by SYSRET
// and SYSCALL, and a loop long enough to show a slow interpreter. It ends QEMU by its debug-exit device:
// 0x31 there is exit status 0x63. Anything else, or silence, means "do not use".
        .set    exit_port, 0xf4
        .set    code32, 0x08
        .set    code64, 0x10
        .set    user_base, 0x18                 // SYSRET: stack +8, 64-bit code +16

        .section .text
        .code32
        .balign 8
multiboot_header:
        .long   0x1badb002, 0, -0x1badb002

        .globl  _start
_start: movl    $stack_top, %esp
        movl    $l3 + 7, l4                     // identity map of the first GiB, one level 3 entry
        movl    $0x87, l3                       // present, writable, user, 1 GiB page: replaced below if absent
        movl    $0x80000001, %eax
        cpuid
        testl   $(1 << 26), %edx                // 1 GiB pages
        jnz     1f
        movl    $l2 + 7, l3
        movl    $0x87, l2                       // the first 2 MiB are enough
1:      movl    $l4, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x620, %eax                    // PAE, OSFXSR, OSXMMEXCPT
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx               // EFER
        rdmsr
        orl     $0x101, %eax                    // LME, SCE
        wrmsr
        movl    %cr0, %eax
        orl     $0x80010003, %eax               // PG, WP, MP, PE
        andl    $~0xc, %eax                     // EM, TS
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $code64, $start64

        .code64
start64:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        // What nested or partial implementations are known to miss.
        movl    $1, %eax
        cpuid
        testl   $(1 << 13), %ecx                // CX16
        jz      1f
        leaq    pair(%rip), %rsi
        xorl    %eax, %eax
        xorl    %edx, %edx
        movl    $5, %ebx
        movl    $7, %ecx
        lock cmpxchg16b (%rsi)
        jnz     fail
1:      endbr64
        rdsspq  %rax                            // a NOP where there are no shadow stacks
        fxsave64 area(%rip)
        fxrstor64 area(%rip)
        lock cmpxchg8b pair(%rip)
        invlpg  area(%rip)
        swapgs
        swapgs
        clts
        rdtsc
        movq    %cr3, %rax
        movq    %rax, %cr3
        movq    %cr8, %rax
        pushfq
        popq    %r11
        // To ring 3 and back.
        movl    $0xc0000081, %ecx               // STAR
        xorl    %eax, %eax
        movl    $(user_base << 16 | code64), %edx
        wrmsr
        movl    $0xc0000082, %ecx               // LSTAR
        movl    $back, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0xc0000084, %ecx               // FMASK
        movl    $0x200, %eax
        wrmsr
        movl    $10000, %r15d
again:  leaq    user(%rip), %rcx
        sysretq
user:   syscall
back:   decl    %r15d
        jnz     again
        movl    $20000000, %ecx
1:      leaq    1(%rax,%rcx,2), %rax
        xorq    %rcx, %rax
        decl    %ecx
        jnz     1b
        movb    $0x31, %al
        jmp     done
fail:   movb    $0x30, %al
done:   outb    %al, $exit_port
1:      hlt
        jmp     1b

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff              // 32-bit code
        .quad   0x00af9b000000ffff              // 64-bit code
        .quad   0x00cf93000000ffff              // SYSCALL's stack; SYSRET's base
        .quad   0x00cff3000000ffff              // user stack
        .quad   0x00affb000000ffff              // user 64-bit code
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .section .bss
        .balign 4096
l4:     .skip   4096
l3:     .skip   4096
l2:     .skip   4096
area:   .skip   512
pair:   .skip   16
        .skip   1024
stack_top:
