// Guest descriptor tables: GDT frames, LDT, single descriptors.
#pragma once
#include "../cpu/per_cpu.hpp"
#include <tenon/domain/domain.hpp>

namespace tenon::x86::pv {

/// Makes a descriptor harmless (ring 3) or says no. [SDM 3A 3.4.5]
bool fix_descriptor(u64& descriptor);
Status set_gdt(Vcpu& vcpu, const u64* frames, u32 entries);
void drop_gdt(Vcpu& vcpu);
Status set_ldt(Vcpu& vcpu, GuestVa base, u32 entries);
void drop_ldt(Vcpu& vcpu);
/// A supervisor fault on the LDT part of the vCPU's area: maps the page. False when it is a real fault.
bool fault_in_ldt(Vcpu& vcpu, u64 address);
/// A supervisor fault on the descriptor tables that could not be mended: true when it was handed to the guest, as #GP of the selector
/// (beyond its GDT) or as a page fault at the LDT's own address.
bool reflect_descriptor_fault(Vcpu& vcpu, Regs& regs, u64 address);
/// The descriptor page of the CPU that is about to run the vCPU, behind its GDT.
void map_descriptor_page(Vcpu& vcpu, PerCpu& cpu);
/// LLDT for the vCPU that this CPU is about to run.
void load_ldt(Vcpu& vcpu);

} // namespace tenon::x86::pv
