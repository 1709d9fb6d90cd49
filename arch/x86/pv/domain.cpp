// The x86 part of a domain's life: its slot of the address space, and giving up everything that tables hold when it dies.
#include "../cpu/features.hpp"
#include "../mm/own_map.hpp"
#include "../mm/paging.hpp"
#include "descriptors.hpp"
#include "pin.hpp"
#include "vcpu.hpp"
#include <abi/hypercall.h>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/mm/heap.hpp>

namespace tenon::arch {

using namespace x86;
using namespace x86::pv;

Status create_domain(Domain& domain)
{
    ArchDomain& a = domain.arch;
    // Without devices nobody needs memory that is not cached, and what we read of a table must be what the CPU reads.
    a.reserved_pte_bits = (Pte::frame_bits & ~(bit(features.physical_bits) - 1)) | Pte::memory_type;
    for (Mfn* table : {&a.kernel_l3, &a.user_l3, &a.area_l2, &a.private_l2})
        *table = TRY(frame_allocator::allocate(dom_xen, 0));
    FrameView<Pte> kernel(a.kernel_l3), user(a.user_l3);
    kernel[0] = user[0] = Pte::of(a.area_l2, table_flags);
    kernel[private_distance >> 30] = Pte::of(a.private_l2, table_flags);
    a.own_map = make<OwnMap>();
    return a.own_map ? a.own_map->init() : Error::nomem;
}

void destroy_domain(Domain& domain)
{
    ArchDomain& a = domain.arch;
    for (Mfn* table : {&a.kernel_l3, &a.user_l3, &a.area_l2, &a.private_l2})
        if (*table != invalid_mfn)
            frame_at(std::exchange(*table, invalid_mfn)).put();
    tenon::destroy(std::exchange(a.own_map, nullptr));
    heap::free(domain.arch.e820);
    heap::free(domain.arch.cpuid);
    domain.arch.e820 = domain.arch.cpuid = nullptr;
}

namespace {

Status drop_vcpu_tables(Vcpu& vcpu)
{
    TRY(finish_deferred(vcpu, vcpu.domain));
    for (Mfn* slot : {&vcpu.arch.kernel_table, &vcpu.arch.user_table})
        if (*slot != invalid_mfn) {
            TRY(set_base(vcpu, *slot, invalid_mfn));
            TRY(finish_deferred(vcpu, vcpu.domain));
        }
    if (vcpu.arch.area_table != invalid_mfn)
        drop_descriptor_tables(vcpu);
    return success;
}

} // namespace

Status relinquish(Domain& domain)
{
    Guard guard(domain.arch.mm_lock);
    for (u32 i = 0; i < domain.max_vcpus; i++)
        if (domain.vcpus && domain.vcpus[i])
            TRY(drop_vcpu_tables(*domain.vcpus[i]));
    return x86::pv::drop_pins(domain);
}

Result<vcpu_info*> map_vcpu_info(Vcpu& vcpu, Mfn mfn, u32 offset)
{
    if (offset > page_size - sizeof(vcpu_info) || offset % 8)
        return Error::inval;
    FrameRef frame = TRY(hold(mfn, vcpu.domain.id));
    TRY(x86::pv::get_writable(*frame));
    frame.keep();
    return reinterpret_cast<vcpu_info*>(own_frame(mfn) + offset);
}

void unmap_vcpu_info(Vcpu&, Mfn mfn)
{
    x86::pv::put_writable(frame_at(mfn));
    frame_at(mfn).put();
}

Status write_hypercall_page(Domain& domain, Mfn mfn)
{
    return write_page(domain, mfn, [](u8* page) {
        __builtin_memset(page, 0xcc, page_size);
        for (u32 nr = 0; nr < page_size / ABI_HYPERCALL_SLOT_SIZE; nr++) {
            // push rcx, r11; mov $nr, eax; syscall; pop r11, rcx; ret
            const u8 code[] = {0x51, 0x41, 0x53, 0xb8, u8(nr), u8(nr >> 8), 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
            __builtin_memcpy(page + nr * ABI_HYPERCALL_SLOT_SIZE, code, sizeof code);
        }
        // push rcx, r11, rax; mov $23, eax; syscall
        static constexpr u8 iret_code[] = {0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05};
        __builtin_memcpy(page + __HYPERVISOR_iret * ABI_HYPERCALL_SLOT_SIZE, iret_code, sizeof iret_code);
    });
}

std::span<const xen_e820_entry> memory_map(const Domain& domain)
{
    return {static_cast<const xen_e820_entry*>(domain.arch.e820), domain.arch.e820_count};
}

Status set_memory_map(Domain& domain, std::span<const xen_e820_entry> entries)
{
    auto* copy = static_cast<xen_e820_entry*>(heap::allocate(entries.size_bytes()));
    if (!copy)
        return Error::nomem;
    __builtin_memcpy(copy, entries.data(), entries.size_bytes());
    void* old = domain.arch.e820;
    domain.arch.e820 = copy;
    domain.arch.e820_count = u32(entries.size());
    heap::free(old);
    return success;
}

} // namespace tenon::arch
