// What this is: the guest's ELF notes, its first instructions, and its way into an application processor.
// The register state found at entry is kept for the guest that wants to judge it.

#define NOTE(type, ...)                 \
    .pushsection .note.Xen, "a", @note; \
    .balign 4;                          \
    .long 4, 2f - 1f, type;             \
    .asciz "Xen";                       \
    1: __VA_ARGS__;                     \
    2: .balign 4;                       \
    .popsection

    NOTE(1, .quad start)                      // ENTRY
    NOTE(3, .quad VIRT_BASE)                  // VIRT_BASE
    NOTE(4, .quad 0)                          // PADDR_OFFSET
    NOTE(5, .asciz "xen-3.0")                 // XEN_VERSION
    NOTE(6, .asciz "tenon-micro-guest")       // GUEST_OS
    NOTE(7, .asciz "1")                       // GUEST_VERSION
    NOTE(8, .asciz "generic")                 // LOADER
    NOTE(9, .asciz "yes")                     // PAE_MODE
    NOTE(10, .ascii "!writable_page_tables")  // FEATURES
    NOTE(17, .long 0x801)                     // SUPPORTED_FEATURES: writable_page_tables, dom0
#ifdef GUEST_LEGACY_NOTES
    NOTE(2, .quad hypercall_page)             // HYPERCALL_PAGE
#else
    NOTE(15, .quad 0x8000000000)              // INIT_P2M
    NOTE(16, .quad 1)                         // MOD_START_PFN
#endif

    .section .text.start, "ax"
    .globl start
start:
    mov %rsp, entry_registers + 8 * 4(%rip)
    mov %rax, entry_registers + 8 * 0(%rip)
    mov %rcx, entry_registers + 8 * 1(%rip)
    mov %rdx, entry_registers + 8 * 2(%rip)
    mov %rbx, entry_registers + 8 * 3(%rip)
    mov %rbp, entry_registers + 8 * 5(%rip)
    mov %rsi, entry_registers + 8 * 6(%rip)
    mov %rdi, entry_registers + 8 * 7(%rip)
    mov %r8, entry_registers + 8 * 8(%rip)
    mov %r9, entry_registers + 8 * 9(%rip)
    mov %r10, entry_registers + 8 * 10(%rip)
    mov %r11, entry_registers + 8 * 11(%rip)
    mov %r12, entry_registers + 8 * 12(%rip)
    mov %r13, entry_registers + 8 * 13(%rip)
    mov %r14, entry_registers + 8 * 14(%rip)
    mov %r15, entry_registers + 8 * 15(%rip)
    lea boot_stack_top(%rip), %rsp
    pushfq
    popq entry_registers + 8 * 16(%rip)
    mov %cs, entry_selectors + 0(%rip)
    mov %ss, entry_selectors + 2(%rip)
    mov %ds, entry_selectors + 4(%rip)
    mov %es, entry_selectors + 6(%rip)
    mov %fs, entry_selectors + 8(%rip)
    mov %gs, entry_selectors + 10(%rip)
    cld
    mov %rsi, %rdi
    xor %ebp, %ebp
    call guest_main
    ud2

    // ap_start: first instruction of a vCPU brought up by smp.cpp.
    //   in  rdi = function, rsi = its argument, rsp = its stack
    .globl ap_start
ap_start:
    xor %ebp, %ebp
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
    ud2

    .section .bss
    .globl entry_registers, entry_selectors, boot_stack, boot_stack_top
    .balign 4096
boot_stack:
    .skip 0x8000
boot_stack_top:
entry_registers:
    .skip 8 * 17
entry_selectors:
    .skip 16

#ifdef GUEST_LEGACY_NOTES
    .section .text
    .globl hypercall_page
    .balign 4096
hypercall_page:
    .skip 4096, 0xcc
#endif
    .section .note.GNU-stack, "", @progbits
