// Multiboot2 header. [Multiboot2 specification 3.1]
#define MAGIC 0xe85250d6
        .section .multiboot, "a"
        .balign 8
header:
        .long MAGIC, 0, header_end - header, -(MAGIC + 0 + (header_end - header))
        // Entry address: physical, moved by the loader together with the image.
        .balign 8
        .word 3, 0
        .long 12, off_start32 + 0x200000
        // Relocatable: anywhere below 4 GiB, 2 MiB aligned, as low as possible.
        .balign 8
        .word 10, 1
        .long 24, 0x200000, 0xffffffff, 0x200000, 1
        // Modules on page boundaries.
        .balign 8
        .word 6, 0
        .long 8
        .balign 8
        .word 0, 0
        .long 8
header_end:

        .section .note.GNU-stack, "", @progbits
