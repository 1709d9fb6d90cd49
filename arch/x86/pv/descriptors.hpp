// Guest descriptor tables: GDT frames, LDT, single descriptors.
#pragma once
#include "../cpu/per_cpu.hpp"
#include <tenon/domain/domain.hpp>

namespace tenon::x86::pv {

inline constexpr u32 descriptors_per_page = 512, max_gdt_entries = reserved_gdt_page * descriptors_per_page, max_ldt_entries = 8192;
/// `frames` has one for each page that the entries, at most the maximum, need.
Status set_gdt(Vcpu& vcpu, const u64* frames, u32 entries);
Status set_ldt(Vcpu& vcpu, GuestVa base, u64 entries);
/// The frame behind a page of the GDT, which is set.
Mfn gdt_frame(const Vcpu& vcpu, unsigned page);
void drop_descriptor_tables(Vcpu& vcpu);
/// A supervisor fault on the LDT part of the vCPU's area: maps the page. False when it is a real fault.
bool fault_in_ldt(Vcpu& vcpu, u64 address);
/// A supervisor fault on the descriptor tables: mended, or handed to the guest, as #GP of the selector (beyond its GDT) or as a page fault
/// at the LDT's own address. False when it is none.
bool handle_descriptor_fault(Vcpu& vcpu, Regs& regs, u64 address);
/// The descriptor page of the CPU that is about to run the vCPU, behind its GDT.
void map_descriptor_page(Vcpu& vcpu, PerCpu& cpu);
/// LLDT for the vCPU that this CPU is about to run.
void load_ldt(Vcpu& vcpu);

} // namespace tenon::x86::pv
