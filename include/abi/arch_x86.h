// The register state of a PV vCPU, trap tables, segment selectors and the reserved address range.
#pragma once

#include "types.h"

// Flat selectors the hypervisor provides in the GDT.
#define FLAT_KERNEL_CS64 0xe033
#define FLAT_KERNEL_SS64 0xe02b

// The GDT from here on is the hypervisor's; a guest brings the frames below.
#define FIRST_RESERVED_GDT_ENTRY (14 * 4096 / 8)

// Addresses no guest may map begin here, with the machine-to-phys table, which is readable.
#define MACH2PHYS_VIRT_START 0xFFFF800000000000UL
#define MACH2PHYS_VIRT_END 0xFFFF804000000000UL

// First argument of set_segment_base; the last loads a selector instead of a base.
enum { SEGBASE_FS = 0, SEGBASE_GS_USER = 1, SEGBASE_GS_KERNEL = 2, SEGBASE_GS_USER_SEL = 3 };

// trap_info.flags.
#define TI_DPL_MASK 3 // lowest privilege that may raise it with INT
#define TI_CLEAR_IF 4 // mask events on entry

struct cpu_user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint32_t error_code, entry_vector;
    uint64_t rip;
    uint16_t cs, _pad0[1];
    uint8_t saved_upcall_mask, _pad1[3];
    uint64_t rflags, rsp;
    uint16_t ss, _pad2[3];
    uint16_t es, _pad3[3];
    uint16_t ds, _pad4[3];
    uint16_t fs, _pad5[3];
    uint16_t gs, _pad6[3];
};

// One element of the set_trap_table list; a zero address ends the list.
struct trap_info {
    uint8_t vector, flags; // TI_*
    uint16_t cs;
    uint64_t address;
};

// vcpu_guest_context.flags; VGCF_in_syscall is also a flag of iret_context.
enum {
    VGCF_i387_valid = 1 << 0,
    VGCF_in_kernel = 1 << 2,
    VGCF_failsafe_disables_events = 1 << 3,
    VGCF_syscall_disables_events = 1 << 4,
    VGCF_online = 1 << 5,
    VGCF_in_syscall = 1 << 8,
};

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
    uint64_t event_callback_eip, failsafe_callback_eip, syscall_callback_eip;
    uint64_t vm_assist; // VMASST_TYPE_* bits, 0 keeps the domain's
    uint64_t fs_base, gs_base_kernel, gs_base_user;
};

#define xen_pfn_to_cr3(pfn) ((uint64_t)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((uint64_t)(cr3) >> 12)

// Lies on the guest's kernel stack when it calls HYPERVISOR_iret.
struct iret_context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};
