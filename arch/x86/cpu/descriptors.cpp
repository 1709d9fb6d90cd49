// GDT page, TSS, IDT and the SYSCALL stubs of each CPU. [SDM 3A chapters 3, 6, 8; APM 2 4.8, 6.1]
#include "../mm/paging.hpp"
#include "../mm/tlb_tags.hpp"
#include "../trap/entry.hpp"
#include "features.hpp"
#include "per_cpu.hpp"
#include <iterator>
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

namespace {

struct [[gnu::packed]] TablePointer {
    u16 limit;
    u64 base;
};

struct IdtGate {
    u64 low, high;
    static constexpr IdtGate of(u64 address, unsigned ist, unsigned dpl)
    {
        return {(address & 0xffff) | u64(hv_cs) << 16 | u64(ist) << 32 | u64(0x8e | dpl << 5) << 40 | (address >> 16 & 0xffff) << 48,
                address >> 32};
    }
};
constinit IdtGate idt[256]{};
constexpr u64 syscall32_stub = 64; ///< its place behind the other stub

void fill_gdt(u64* gdt, PerCpu& cpu)
{
    auto at = [&](u16 selector) -> u64& { return gdt[(selector & 0xfff) / 8]; };
    at(hv_cs) = 0x00af9b000000ffff;
    at(hv_ds) = 0x00cf93000000ffff;
    at(guest_cs32) = 0x00cffb000000ffff;
    at(guest_ss) = 0x00cff3000000ffff;
    at(guest_cs64) = 0x00affb000000ffff;
    u64 base = u64(&cpu.tss), limit = ports_open + port_map_bytes - 1;
    at(tss_selector) = limit | (base & 0xffffff) << 16 | u64(0x89) << 40 | (base >> 24 & 0xff) << 56;
    (&at(tss_selector))[1] = base >> 32;
}

/// The code each CPU's LSTAR and CSTAR point to: saves the guest's rsp, takes the vCPU's stack, pushes ss and rsp, goes on. The 32-bit
/// numbers are relative to the end of their instruction.
struct [[gnu::packed]] SyscallStub {
    u8 save_rsp[3] = {0x48, 0x89, 0x25}; // mov %rsp, scratch_rsp(%rip)
    u32 scratch_rsp;
    u8 load_rsp[3] = {0x48, 0x8b, 0x25}; // mov stack_top(%rip), %rsp
    u32 stack_top;
    u8 push_ss = 0x68;
    u32 ss = guest_ss;
    u8 push_rsp[2] = {0xff, 0x35}; // push scratch_rsp(%rip)
    u32 scratch_rsp_again;
    u8 wipe_rsp[3] = {0x48, 0xc7, 0x05}; // movq $0, scratch_rsp(%rip): every domain's tables have this page
    u32 scratch_rsp_wiped, zero = 0;
    u8 jump = 0xe9;
    u32 target;

    SyscallStub(u64 here, u64 data, u64 entry)
    {
        const auto to = [&](u64 address, u64 end_of_field) { return u32(address - here - end_of_field); };
        scratch_rsp = to(data + offsetof(PerCpu, scratch_rsp), 7);
        stack_top = to(data + offsetof(PerCpu, stack_top), 14);
        scratch_rsp_again = to(data + offsetof(PerCpu, scratch_rsp), 25);
        scratch_rsp_wiped = to(data + offsetof(PerCpu, scratch_rsp), 36);
        target = to(entry, 41);
    }
};
static_assert(sizeof(SyscallStub) == 41);

/// The first CPU's two frames, with every port closed, appear in every CPU's area.
bool map_port_map(u64 area, bool is_first)
{
    for (u64 page = port_map_offset; page < port_map_offset + port_map_bytes; page += page_size) {
        auto frame = is_first ? allocate_table() : Result<Mfn>(shared_frame(percpu_area(0) + page));
        Pte* entry = frame.ok() ? shared_entry(area + page, true) : nullptr;
        if (!entry)
            return false;
        *entry = Pte::of(*frame, data_flags);
        if (is_first)
            __builtin_memset(reinterpret_cast<void*>(area + page), 0xff, page_size);
    }
    return true;
}

} // namespace

bool create_percpu(CpuId id)
{
    u64 area = percpu_area(id.raw());
    auto map = [&](u64 offset, u64 flags) -> Mfn {
        auto frame = allocate_table();
        Pte* entry = frame.ok() ? shared_entry(area + offset, true) : nullptr;
        if (!entry)
            return invalid_mfn;
        *entry = Pte::of(*frame, flags);
        return *frame;
    };
    const Mfn stub = map(stub_offset, Pte::present | Pte::accessed);
    const Mfn descriptors = map(gdt_offset, data_flags);
    if (stub == invalid_mfn || descriptors == invalid_mfn || map(data_offset, data_flags) == invalid_mfn)
        return false;
    if (!map_port_map(area, id.raw() == 0))
        return false;
    auto* cpu = new (reinterpret_cast<void*>(area + data_offset)) PerCpu;
    cpu->id = id;
    cpu->descriptor_page = descriptors;
    constexpr u64 ends[] = {nmi_stack_end, df_stack_end, mce_stack_end, db_stack_end};
    for (unsigned i = 0; i < std::size(ends); i++) {
        for (u64 page = ends[i] - ist_stack_size; page < ends[i]; page += page_size)
            if (map(page, data_flags) == invalid_mfn)
                return false;
        cpu->tss.ist[i] = frame_end(area + ends[i]);
        reinterpret_cast<StackInfo*>(cpu->tss.ist[i])->cpu = cpu;
    }
    fill_gdt(reinterpret_cast<u64*>(area + gdt_offset), *cpu);
    FrameView<u8> code(stub);
    const u64 here = area + stub_offset, data = area + data_offset;
    new (code.get()) SyscallStub(here, data, u64(&entry_syscall));
    new (code.get() + syscall32_stub) SyscallStub(here + syscall32_stub, data, u64(&entry_syscall32));
    return true;
}

void publish_tables(PerCpu& cpu, const Vcpu& vcpu)
{
    const ArchVcpu& a = vcpu.arch; // an idle vCPU has none of its own
    using enum tlb_tags::Tag;
    cpu.kernel_cr3 = tlb_tags::cr3_of(a.kernel_table == invalid_mfn ? root_table : a.kernel_table, kernel);
    cpu.user_cr3 = a.user_table == invalid_mfn ? 0 : tlb_tags::cr3_of(a.user_table, user);
}

void load_gdt(u64 area)
{
    TablePointer gdt{(reserved_gdt_page + 1) * page_size - 1, area};
    asm volatile("lgdt %0" ::"m"(gdt) : "memory");
}

namespace {

/// Before a vCPU's area is there: the CPU's own page, placed so that the selectors fit.
void load_own_gdt(PerCpu& cpu)
{
    load_gdt(percpu_area(cpu.id.raw()) + gdt_offset - reserved_gdt_page * page_size);
    asm volatile("pushq %0; lea 1f(%%rip), %%rax; pushq %%rax; lretq; 1: mov %1, %%ss" ::"i"(hv_cs), "r"(u32(hv_ds)) : "rax", "memory");
    auto* page = reinterpret_cast<u64*>(percpu_area(cpu.id.raw()) + gdt_offset);
    page[(tss_selector & 0xfff) / 8] &= ~(u64{2} << 40); // not busy
    asm volatile("ltr %0" ::"r"(tss_selector));
    asm volatile("lldt %0" ::"r"(u16{0}));
}

} // namespace

void init_cpu(PerCpu& cpu)
{
    if (idt[0].high == 0)
        for (unsigned v = 0; v < 256; v++)
            idt[v] = IdtGate::of(u64(entry_stubs) + v * entry_stub_size,
                                 v == 2    ? 1
                                 : v == 8  ? 2
                                 : v == 18 ? 3
                                 : v == 1  ? 4
                                           : 0,
                                 v == 3 || v == 4 ? 3 : 0);
    load_own_gdt(cpu);
    TablePointer pointer{sizeof(idt) - 1, u64(idt)};
    asm volatile("lidt %0" ::"m"(pointer));
    u64 stub = percpu_area(cpu.id.raw()) + stub_offset;
    write_msr(msr::star, u64(guest_cs32) << 48 | u64(hv_cs) << 32);
    write_msr(msr::lstar, stub);
    write_msr(msr::cstar, stub + syscall32_stub);
    // Everything that could confuse the hypervisor is cleared on SYSCALL.
    write_msr(msr::fmask, flag::interrupt | flag::tf | flag::df | flag::ac | flag::nt | flag::iopl | flag::rf | flag::vm);
    if (features.has_sysenter) {
        write_msr_safe(msr::sysenter_cs, 0); // #GP: SYSENTER would come without a stack of its own, and with TF (emulate_sysenter)
    }
    init_cpu_features();
    cpu.flushed_at = 0;
    cpu.online.store(true, std::memory_order_release);
}

} // namespace tenon::x86
