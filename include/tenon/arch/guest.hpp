// What common code asks of the guest's architecture: a vCPU's registers, a domain's hypercall page.
#pragma once
#include <abi/arch_x86.h>
#include <abi/memory.h>
#include <abi/shared_info.h>
#include <span>
#include <tenon/addr.hpp>
#include <tenon/lib/result.hpp>

namespace tenon::arch {

/// The architecture's part of a new domain. On failure destroy_domain is called, as for one that was half made.
Status create_domain(Domain& domain);
void destroy_domain(Domain& domain);
/// Stack, register state and tables of a new vCPU. On failure destroy_vcpu is called.
Status create_vcpu(Vcpu& vcpu);
void destroy_vcpu(Vcpu& vcpu);
/// Drops what a dying domain's vCPUs and pins hold of frames: page tables, base pointers, descriptor tables. No vCPU of it is
/// on a CPU. Error::restart: call again.
Status relinquish(Domain& domain);

/// Makes `next` the vCPU of this CPU; returns when somebody switches back to `prev`. The code that runs first on the new stack
/// calls scheduler::finish_switch(prev). No lock is held.
void switch_to(Vcpu& prev, Vcpu& next);

/// Moves vcpu_info to guest memory: takes a reference and a writable type reference on a frame of the vCPU's domain, and
/// gives an address that is good while that domain is loaded. Does not touch Vcpu::info.
Result<vcpu_info*> map_vcpu_info(Vcpu& vcpu, Mfn mfn, u32 offset);
/// Undoes it; the domain is dying.
void unmap_vcpu_info(Vcpu& vcpu, Mfn mfn);

/// Loads a vCPU that does not run with a context that a guest or a tool gave. Every value is checked or made harmless.
/// Sets Vcpu::initialised; VGCF_online is the caller's business. Error::restart: call again with the same context.
Status set_vcpu_context(Vcpu& vcpu, const vcpu_guest_context& context);
/// The context of a vCPU that does not run. `context` is zeroed by the caller.
void get_vcpu_context(Vcpu& vcpu, vcpu_guest_context& context);
/// Fills a frame of the domain with hypercall stubs, 32 bytes each.
Status write_hypercall_page(Domain& domain, Mfn frame);
/// The memory map that the domain's builder set; empty when none was. The span lives until the next set_memory_map.
std::span<const xen_e820_entry> memory_map(const Domain& domain);
Status set_memory_map(Domain& domain, std::span<const xen_e820_entry> entries);

/// I/O privilege level 0..3 of the current vCPU; Error::inval beyond.
Status set_iopl(Vcpu& vcpu, u32 level);
/// Guest address of a bitmap of `ports` bits, 0: allowed to user mode. The bitmap is read when a port is used.
Status set_io_bitmap(Vcpu& vcpu, u64 bitmap, u32 ports);

/// How many instructions were executed for each domain, to the log.
void log_emulated();

/// Registers and stack of the current vCPU to the log: its guest says that it crashed.
void describe_caller(Vcpu& vcpu);

} // namespace tenon::arch
