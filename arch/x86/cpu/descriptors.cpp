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

extern "C" const u8 syscall_stub[], syscall32_stub[], syscall_stubs_end[];

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

/// A new page of a CPU's area.
Result<Mfn> add_page(u64 va, u64 flags = data_flags)
{
    const Mfn frame = TRY(allocate_table());
    TRY(map_shared(va, frame, flags));
    return frame;
}

/// The first CPU's two frames, with every port closed, appear in every CPU's area.
Status add_port_map(u64 area)
{
    for (u64 page = port_map_offset; page < port_map_offset + port_map_bytes; page += page_size)
        if (area != percpu_area(0)) {
            TRY(map_shared(area + page, shared_frame(percpu_area(0) + page), data_flags));
        } else {
            TRY(add_page(area + page));
            __builtin_memset(reinterpret_cast<void*>(area + page), 0xff, page_size);
        }
    return success;
}

/// The code that LSTAR and CSTAR lead to (syscall.S), for an area of which it sees the data by the same distances.
void copy_stubs(u8* code, u64 address)
{
    __builtin_memcpy(code, syscall_stub, u64(syscall_stubs_end - syscall_stub));
    for (const u8* end : {syscall32_stub, syscall_stubs_end}) // the jump to the entry code ends with how far that is
        *reinterpret_cast<u32*>(code + (end - syscall_stub) - 4) -= u32(address - u64(syscall_stub));
}

} // namespace

Status create_percpu(CpuId id)
{
    const u64 area = percpu_area(id.raw());
    const Mfn stubs = TRY(add_page(area + stub_offset, Pte::present | Pte::accessed));
    const Mfn descriptors = TRY(add_page(area + gdt_offset));
    TRY(add_page(area + data_offset));
    TRY(add_port_map(area));
    auto* cpu = new (reinterpret_cast<void*>(area + data_offset)) PerCpu;
    cpu->id = id;
    cpu->descriptor_page = descriptors;
    constexpr u64 ends[] = {nmi_stack_end, df_stack_end, mce_stack_end, db_stack_end};
    for (unsigned i = 0; i < std::size(ends); i++) {
        for (u64 page = ends[i] - ist_stack_size; page < ends[i]; page += page_size)
            TRY(add_page(area + page));
        cpu->tss.ist[i] = frame_end(area + ends[i]);
        reinterpret_cast<StackInfo*>(cpu->tss.ist[i])->cpu = cpu;
    }
    fill_gdt(reinterpret_cast<u64*>(area + gdt_offset), *cpu);
    copy_stubs(FrameView<u8>(stubs).get(), area + stub_offset);
    return success;
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
    write_msr(msr::cstar, stub + u64(syscall32_stub - syscall_stub));
    // Everything that could confuse the hypervisor is cleared on SYSCALL.
    write_msr(msr::fmask, flag::interrupt | flag::tf | flag::df | flag::ac | flag::nt | flag::iopl | flag::rf | flag::vm);
    if (features.has_sysenter)
        write_msr(msr::sysenter_cs, 0); // #GP: SYSENTER would come without a stack of its own, and with TF (emulate_sysenter)
    init_cpu_features();
    cpu.flushed_at = 0;
    cpu.online.store(true, std::memory_order_release);
}

} // namespace tenon::x86
