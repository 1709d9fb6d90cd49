// The x86 part of a vCPU and of a domain. Plain data, so that it can be written out and read back.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/bitmap.hpp>
#include <tenon/lib/types.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/regs.hpp>

namespace tenon {

/// Where a guest wants a vector delivered.
struct TrapGate {
    u64 address = 0;    ///< 0: none registered
    u8 dpl = 0;         ///< who may raise it by software
    bool masks = false; ///< events are masked while it is delivered
};

struct Callback {
    u64 address = 0;
    bool masks = false;
};

/// Kinds of instructions that Tenon executes for guests, as they are counted.
enum class Emulated : u8 { ports, msrs, cpuid, flags, control, others, kinds };

struct VcpuPages; ///< stack, FPU area and tables of one vCPU, seen through frames

struct ArchVcpu {
    // Addressed by the entry code (see asm_offsets.cpp): keep first.
    bool in_kernel = true; ///< guest kernel mode, as the guest sees it
    u64 kernel_sp = 0;     ///< stack for user -> kernel
    u64 kernel_ss = 0;
    u64 bounce_sp = 0; ///< kernel_sp as frames are built from it; 0: the slow way says what is wrong
    Callback syscall, syscall32, sysenter, event, failsafe, nmi;
    u64 kernel_cr3 = 0, user_cr3 = 0; ///< CR3 values; user_cr3 0: none

    Mfn kernel_table = invalid_mfn, user_table = invalid_mfn;
    u64 fs_base = 0, gs_base_kernel = 0, gs_base_user = 0; ///< valid while not loaded
    u16 ds = 0, es = 0, fs = 0, gs = 0;
    TrapGate* traps = nullptr; ///< 256
    Mfn gdt_frames[14];
    u32 gdt_entries = 0;
    u64 ldt_base = 0;
    u32 ldt_entries = 0;
    u64 dr[8]{};
    u64 guest_cr4 = 0;
    bool task_switched = false; ///< virtual CR0.TS
    u8 iopl = 0;
    u64 port_map = 0xffff; ///< for the TSS while its kernel runs: which ports are used without a trap
    u64 iobitmap = 0; ///< guest address
    u32 iobitmap_ports = 0;
    u64 xcr0 = 1;
    u64 tsc_aux = 0;
    bool nmi_pending = false;
    bool syscall32_disabled = false;
    u32 emulated[unsigned(Emulated::kinds)]{}; ///< written by the CPU that runs it
    u64 saved_sp = 0;                          ///< hypervisor stack pointer while switched away
    Mfn stack[4];                              ///< frames of its hypervisor stack; the register frame is at the top
    Mfn fpu = invalid_mfn;                     ///< XSAVE area
    Mfn area_table = invalid_mfn;              ///< L1 of its part of the per-domain slot
};

struct ArchDomain {
    SpinLock<Rank::mm> mm_lock; ///< page-table structure and frame type changes
    Mfn slot_l3 = invalid_mfn;  ///< L3 of the per-domain slot
    Mfn slot_l2 = invalid_mfn;
    u32 page_tables = 0;
    bool has_hardware = false;       ///< may use ports, MMIO and interrupts of the machine
    u32 pci_address = 0;             ///< latched CONFIG_ADDRESS
    void* cpuid = nullptr;           ///< policy set by the tools, or null
    u64 reserved_pte_bits = ~u64{0}; ///< address bits that the CPU does not have
    u32 tsc_mode = 0, tsc_khz = 0, tsc_incarnation = 0;
    void* e820 = nullptr; ///< memory map set by the builder
    u32 e820_count = 0;
};

} // namespace tenon
