// What one CPU owns: the words its SYSCALL stub uses, TSS, descriptor page, exception stacks. Lives at percpu_base + id * stride.
#pragma once
#include <atomic>
#include <tenon/domain/vcpu.hpp>
#include <tenon/lib/result.hpp>
#include <tenon_arch/layout.hpp>
#include <tenon_arch/regs.hpp>

namespace tenon::x86 {

/// Where the TSS may say that the bitmap of ports lies: beyond its limit, so that every port faults.
inline constexpr u64 ports_closed = 0xffff;

struct [[gnu::packed]] Tss {
    u32 reserved0 = 0;
    u64 rsp[3]{};
    u64 reserved1 = 0;
    u64 ist[7]{};
    u64 reserved2 = 0;
    u16 reserved3 = 0;
    u64 port_map = ports_closed; ///< 16 bits; the entry code writes 64 because that is one instruction less
};

struct alignas(64) PerCpu {
    u64 scratch_rsp = 0; ///< the stub's: guest rsp
    u64 stack_top = 0;   ///< the stub's: where the current vCPU's register frame ends
    u64 kernel_cr3 = 0;  ///< the tables that Tenon runs on, those of the current vCPU's guest kernel
    u64 user_cr3 = 0;    ///< those of its user mode; 0: none
    Vcpu* current = nullptr;
    CpuId id{};
    ApicId apic_id{};
    std::atomic<u64> flushed_at{0};           ///< TLB clock at the last full flush
    alignas(8) std::atomic<u32> requests{0};  ///< not 0: another CPU wants the TLB flushed. The entry code looks at all three at once
    std::atomic<bool> schedule_wanted{false}; ///< the scheduler's
    std::atomic<bool> mail_waiting{false};    ///< for the vCPU that runs here
    u8 unused[2]{};
    std::atomic<bool> online{false};
    Vcpu* idle = nullptr;
    Vcpu* previous = nullptr; ///< during a switch: who was switched away
    u64 switched_at = 0;      ///< and the TLB clock before it
    u64 held_ranks = 0;       ///< debug: one bit a rank
    u64 xcr0 = 0, tsc_aux = 0, dr7 = 0, guest_cr4_bits = 0;
    Mfn descriptor_page = invalid_mfn; ///< its frame
    alignas(64) Tss tss;
};

inline constexpr u64 stub_offset = 0, data_offset = page_size, gdt_offset = 3 * page_size;
/// Ports that the kernel of a domain with hardware uses without a trap: a clear bit. The same two frames for every CPU.
inline constexpr u64 port_map_offset = 4 * page_size, port_map_bytes = 2 * page_size;
/// Exception stacks end at 16 KiB boundaries, like every stack, so that StackInfo is found the same way.
inline constexpr u64 nmi_stack_end = 0xc000, df_stack_end = 0x10000, mce_stack_end = 0x14000, db_stack_end = 0x18000,
                     ist_stack_size = 2 * page_size;
static_assert(sizeof(PerCpu) <= page_size);

/// What Tss::port_map is while such a kernel runs.
inline constexpr u64 ports_open = port_map_offset - data_offset - __builtin_offsetof(PerCpu, tss);

constexpr u64 percpu_area(u32 cpu) { return percpu_base + cpu * percpu_stride; }
inline PerCpu& percpu(CpuId cpu) { return *reinterpret_cast<PerCpu*>(percpu_area(cpu.raw()) + data_offset); }

/// At the top of every stack.
struct alignas(64) StackInfo {
    PerCpu* cpu;
    Vcpu* vcpu;
    u64 scratch[4]; ///< the entry code's, valid until C++ is called
    u16 domain;     ///< the vCPU's
    bool in_user;   ///< guest user mode was left for the hypervisor, or is about to be entered
    u8 windows;     ///< that are open
};
static_assert(sizeof(StackInfo) - __builtin_offsetof(StackInfo, domain) == domain_below_top && sizeof(StackInfo) == 64);

inline StackInfo& stack_info()
{
    u64 sp;
    asm("mov %%rsp, %0" : "=r"(sp));
    return *reinterpret_cast<StackInfo*>((sp | (stack_size - 1)) + 1 - sizeof(StackInfo));
}
inline PerCpu& this_cpu() { return *stack_info().cpu; }
constexpr u64 frame_end(u64 stack_top) { return stack_top - sizeof(StackInfo); }
/// The current vCPU's guest is in user mode, as it sees it.
inline bool guest_in_user() { return stack_info().in_user; }
inline Regs& guest_regs(Vcpu& vcpu) { return *reinterpret_cast<Regs*>(frame_end(vcpu_stack_top(vcpu.id.raw())) - sizeof(Regs)); }

/// Selectors of the hypervisor's descriptor page. [public header: flat selectors]
inline constexpr u16 hv_cs = 0xe008, hv_ds = 0xe010, guest_cs32 = 0xe023, guest_ss = 0xe02b, guest_cs64 = 0xe033, tss_selector = 0xe040,
                     ldt_selector = 0xe050;
inline constexpr unsigned reserved_gdt_page = 14;

/// Says which tables a CPU runs on, and which it loads for guest user mode: those of its current vCPU, or of one that is about to be.
void publish_tables(PerCpu& cpu, const Vcpu& vcpu);
/// Allocates and maps a CPU's area. Boot.
Status create_percpu(CpuId cpu);
/// Loads descriptor tables, MSRs and control registers of the CPU that runs this.
void init_cpu(PerCpu& cpu);
/// The live descriptor table follows the vCPU: loads the GDT of its area.
void load_gdt(u64 area);

} // namespace tenon::x86
