// The x86 part of a vCPU and of a domain. Plain data, so that it can be written out and read back.
#pragma once
#include <tenon/addr.hpp>
#include <tenon/lib/bitmap.hpp>
#include <tenon/lib/types.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/regs.hpp>

namespace tenon {

namespace x86 {
class OwnMap;
}

/// Kinds of instructions that Tenon executes for guests, as they are counted.
enum class Emulated : u8 { ports, msrs, cpuid, flags, control, others, kinds };

struct Callback {
    u64 address = 0;
    bool masks = false;
};

/// What a vCPU's guest told about itself, and its registers beyond the frame on its stack: secrets, so it lies in a frame of the vCPU's
/// own that only the tables of its domain have, at a fixed distance from its stack (entry_macros.inc).
struct GuestState {
    u64 trap_address[256];    ///< 0: no handler
    bool trap_masks[256];     ///< events are masked while it is delivered
    u8 trap_dpl[256];         ///< who may raise it by software
    u64 kernel_sp, kernel_ss; ///< stack for user -> kernel
    u64 bounce_sp;            ///< kernel_sp as frames are built from it; 0: the slow way says what is wrong
    Callback syscall, syscall32, sysenter, event, failsafe, nmi;
    bool in_user; ///< the guest's mode; this and the next two lines: valid while not loaded
    u64 fs_base, gs_base_kernel, gs_base_user;
    u16 ds, es, fs, gs;
    u64 dr[8];
    u64 guest_cr4;
    u64 xcr0, tsc_aux;
    u64 port_map; ///< for the TSS while its kernel runs: which ports are used without a trap
    u64 iobitmap; ///< guest address
    u32 iobitmap_ports;
    u8 iopl;
    bool task_switched; ///< virtual CR0.TS
};
static_assert(sizeof(GuestState) <= page_size);

struct ArchVcpu {
    GuestState* state = nullptr; ///< good while its domain is loaded
    Mfn kernel_table = invalid_mfn, user_table = invalid_mfn;
    u32 gdt_entries = 0;
    u64 ldt_base = 0;
    u32 ldt_entries = 0;
    bool nmi_pending = false;
    u32 emulated[unsigned(Emulated::kinds)]{}; ///< written by the CPU that runs it
    u64 saved_sp = 0;                          ///< hypervisor stack pointer while switched away
    /// Frames of its hypervisor stack; the register frame is at the top.
    Mfn stack[4] = {invalid_mfn, invalid_mfn, invalid_mfn, invalid_mfn};
    Mfn fpu = invalid_mfn;           ///< XSAVE area
    Mfn state_frame = invalid_mfn;   ///< of its GuestState
    Mfn area_table = invalid_mfn;    ///< L1 of its area in the per-domain slot
    Mfn private_table = invalid_mfn; ///< and of what only its kernel mode's tables have
    u32 gdt_cpu = ~0u;               ///< the CPU whose descriptor page is in its area
};

struct ArchDomain {
    SpinLock<Rank::mm> mm_lock; ///< page-table structure and frame type changes
    /// The per-domain slot: L3s of its tables for kernel and for user mode, L2s of the areas and of what is private.
    Mfn kernel_l3 = invalid_mfn, user_l3 = invalid_mfn, area_l2 = invalid_mfn, private_l2 = invalid_mfn;
    x86::OwnMap* own_map = nullptr;
    u32 page_tables = 0;
    bool has_hardware = false;       ///< may use ports, MMIO and interrupts of the machine
    u32 pci_address = 0;             ///< latched CONFIG_ADDRESS
    void* cpuid = nullptr;           ///< policy set by the tools, or null
    u64 reserved_pte_bits = ~u64{0}; ///< address bits that the CPU does not have, memory types that the domain may not choose
    u32 tsc_mode = 0, tsc_khz = 0, tsc_incarnation = 0;
    void* e820 = nullptr; ///< memory map set by the builder
    u32 e820_count = 0;
};

} // namespace tenon
