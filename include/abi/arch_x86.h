// The register state of a PV vCPU, trap tables, segment selectors and the reserved address range.
#pragma once

#include "types.h"

// Flat selectors the hypervisor provides in the GDT.
#define FLAT_RING3_CS32 0xe023
#define FLAT_RING3_CS64 0xe033
#define FLAT_RING3_DS32 0xe02b
#define FLAT_RING3_DS64 0x0000
#define FLAT_RING3_SS32 0xe02b
#define FLAT_RING3_SS64 0xe02b
#define FLAT_KERNEL_CS64 FLAT_RING3_CS64
#define FLAT_KERNEL_CS32 FLAT_RING3_CS32
#define FLAT_KERNEL_CS FLAT_RING3_CS64
#define FLAT_KERNEL_DS64 FLAT_RING3_DS64
#define FLAT_KERNEL_DS32 FLAT_RING3_DS32
#define FLAT_KERNEL_DS FLAT_RING3_DS64
#define FLAT_KERNEL_SS64 FLAT_RING3_SS64
#define FLAT_KERNEL_SS32 FLAT_RING3_SS32
#define FLAT_KERNEL_SS FLAT_RING3_SS64
#define FLAT_USER_CS64 FLAT_RING3_CS64
#define FLAT_USER_CS32 FLAT_RING3_CS32
#define FLAT_USER_CS FLAT_RING3_CS64
#define FLAT_USER_DS64 FLAT_RING3_DS64
#define FLAT_USER_DS32 FLAT_RING3_DS32
#define FLAT_USER_DS FLAT_RING3_DS64
#define FLAT_USER_SS64 FLAT_RING3_SS64
#define FLAT_USER_SS32 FLAT_RING3_SS32
#define FLAT_USER_SS FLAT_RING3_SS64

// The GDT from here on is the hypervisor's; a guest brings the frames below.
#define FIRST_RESERVED_GDT_PAGE 14
#define FIRST_RESERVED_GDT_BYTE (FIRST_RESERVED_GDT_PAGE * 4096)
#define FIRST_RESERVED_GDT_ENTRY (FIRST_RESERVED_GDT_BYTE / 8)

// Addresses no guest may map; the machine-to-phys table is readable at the start.
#define HYPERVISOR_VIRT_START 0xFFFF800000000000UL
#define HYPERVISOR_VIRT_END 0xFFFF880000000000UL
#define MACH2PHYS_VIRT_START 0xFFFF800000000000UL
#define MACH2PHYS_VIRT_END 0xFFFF804000000000UL
#define MACH2PHYS_NR_ENTRIES ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)

// First argument of set_segment_base.
#define SEGBASE_FS 0
#define SEGBASE_GS_USER 1
#define SEGBASE_GS_KERNEL 2
#define SEGBASE_GS_USER_SEL 3 // load a selector instead of a base

// trap_info.flags.
#define TI_DPL_MASK 3 // lowest privilege that may raise it with INT
#define TI_CLEAR_IF 4 // mask events on entry

struct cpu_user_regs {
    uint64_t r15, r14, r13, r12;
    uint64_t rbp, rbx;
    uint64_t r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint32_t error_code;
    uint32_t entry_vector;
    uint64_t rip;
    uint16_t cs, _pad0[1];
    uint8_t saved_upcall_mask;
    uint8_t _pad1[3];
    uint64_t rflags, rsp;
    uint16_t ss, _pad2[3];
    uint16_t es, _pad3[3];
    uint16_t ds, _pad4[3];
    uint16_t fs, _pad5[3];
    uint16_t gs, _pad6[3];
};
ABI_SIZE(struct cpu_user_regs, 200);

// One element of the set_trap_table list; a zero address ends the list.
struct trap_info {
    uint8_t vector;
    uint8_t flags; // TI_*
    uint16_t cs;
    uint64_t address;
};
ABI_SIZE(struct trap_info, 16);

// vcpu_guest_context.flags; VGCF_in_syscall is also a flag of iret_context.
#define VGCF_i387_valid (1 << 0)
#define VGCF_in_kernel (1 << 2)
#define VGCF_failsafe_disables_events (1 << 3)
#define VGCF_syscall_disables_events (1 << 4)
#define VGCF_online (1 << 5)
#define VGCF_in_syscall (1 << 8)
#define VGCF_I387_VALID VGCF_i387_valid
#define VGCF_IN_KERNEL VGCF_in_kernel
#define VGCF_IN_SYSCALL VGCF_in_syscall

// Everything needed to start a vCPU: domctl setvcpucontext and VCPUOP_initialise take it.
struct vcpu_guest_context {
    struct {
        char x[512]; // FXSAVE image, used with VGCF_i387_valid
    } fpu_ctxt;
    uint64_t flags; // VGCF_*
    struct cpu_user_regs user_regs;
    struct trap_info trap_ctxt[256];
    uint64_t ldt_base, ldt_ents;
    uint64_t gdt_frames[16], gdt_ents;
    uint64_t kernel_ss, kernel_sp;
    uint64_t ctrlreg[8]; // [3] kernel L4, [1] user L4; see xen_pfn_to_cr3
    uint64_t debugreg[8];
    uint64_t event_callback_eip;
    uint64_t failsafe_callback_eip;
    uint64_t syscall_callback_eip;
    uint64_t vm_assist; // VMASST_TYPE_* bits, 0 keeps the domain's
    uint64_t fs_base;
    uint64_t gs_base_kernel;
    uint64_t gs_base_user;
};
ABI_SIZE(struct vcpu_guest_context, 0x1430);

#define xen_pfn_to_cr3(pfn) ((uint64_t)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((uint64_t)(cr3) >> 12)

// Lies on the guest's kernel stack when it calls HYPERVISOR_iret.
struct iret_context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};
ABI_SIZE(struct iret_context, 72);
