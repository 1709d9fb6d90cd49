// Guest descriptor tables. GDT frames are mapped into pages 0-13 of the vCPU's area, LDT pages on first use into pages 16-31; both are
// typed as descriptor tables meanwhile, so that the guest cannot write them.
#include "descriptors.hpp"
#include "../cpu/per_cpu.hpp"
#include "../mm/paging.hpp"
#include "../mm/tlb_tags.hpp"
#include "bounce.hpp"
#include "types.hpp"
#include "update.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86::pv {

namespace {

constexpr unsigned ldt_pages = 16;

u64 ldt_address(const Vcpu& vcpu) { return vcpu_area(vcpu.id.raw()) + area_ldt * page_size; }

/// Points a page of the vCPU's area at a frame, writable as loads set accessed bits, or at nothing.
void map_area_page(Vcpu& vcpu, unsigned page, Pte value)
{
    FrameView<Pte>(vcpu.arch.area_table)[page] = value;
    if (&vcpu == &arch::current_vcpu())
        tlb_tags::forget_page(vcpu_area(vcpu.id.raw()) + page * page_size);
}

/// Makes a descriptor harmless (ring 3) or says no. [SDM 3A 3.4.5]
bool fix_descriptor(u64& d)
{
    u32 high = u32(d >> 32);
    constexpr u32 present = bit(15), segment = bit(12), code = bit(11), dpl = 3u << 13, conforming = bit(10), long_mode = bit(21),
                  size32 = bit(22);
    if (!(high & present))
        return true;
    if (!(high & segment))
        return false; // call gates and system descriptors: no PV kernel of today uses them
    if ((high & code) && (high & conforming) && (high & dpl) != dpl)
        return false;
    if ((high & code) && (high & long_mode) && (high & size32))
        return false;
    d = (u64(high | dpl | bit(8)) << 32) | u32(d); // ring 3, accessed
    return true;
}

void put_descriptors(Frame& frame)
{
    frame.leave_stamp(arch::tlb_stamp());
    frame.type.fetch_sub(1, std::memory_order_acq_rel);
}

/// Every entry is made harmless, or the frame refused.
Status get_descriptors(Frame& frame)
{
    if (TRY(take_type(frame, FrameType::descriptor)).count() != 0)
        return success;
    FrameView<u64> table(frame);
    for (unsigned i = 0; i < descriptors_per_page; i++)
        if (!fix_descriptor(table[i])) {
            put_descriptors(frame);
            return Error::inval;
        }
    return success;
}

/// A page of a descriptor table: the area has both references while it maps it.
Status hold_descriptors(const Domain& domain, Mfn mfn)
{
    FrameRef frame = TRY(hold(mfn, domain.id));
    TRY(get_descriptors(*frame));
    frame.keep();
    return success;
}

void drop_descriptors(Mfn mfn)
{
    put_descriptors(frame_at(mfn));
    frame_at(mfn).put();
}

void drop_pages(Vcpu& vcpu, unsigned first, unsigned count)
{
    for (unsigned page = first; page < first + count; page++)
        if (const Pte entry = FrameView<Pte>(vcpu.arch.area_table)[page]; entry.is_present()) {
            map_area_page(vcpu, page, {});
            drop_descriptors(entry.mfn());
        }
}

} // namespace

void map_descriptor_page(Vcpu& vcpu, PerCpu& cpu)
{
    if (vcpu.arch.gdt_cpu == cpu.id.raw())
        return;
    vcpu.arch.gdt_cpu = cpu.id.raw();
    map_area_page(vcpu, area_gdt + reserved_gdt_page, Pte::of(cpu.descriptor_page, data_flags));
}

Status set_gdt(Vcpu& vcpu, const u64* frames, u32 entries)
{
    const unsigned pages = (entries + descriptors_per_page - 1) / descriptors_per_page;
    for (unsigned i = 0; i < pages; i++)
        if (Status s = hold_descriptors(vcpu.domain, Mfn{frames[i]}); !s) {
            while (i--)
                drop_descriptors(Mfn{frames[i]});
            return s;
        }
    drop_pages(vcpu, area_gdt, reserved_gdt_page);
    for (unsigned i = 0; i < pages; i++)
        map_area_page(vcpu, area_gdt + i, Pte::of(Mfn{frames[i]}, data_flags));
    vcpu.arch.gdt_entries = entries;
    return success;
}

Mfn gdt_frame(const Vcpu& vcpu, unsigned page) { return FrameView<Pte>(vcpu.arch.area_table)[area_gdt + page].mfn(); }

void drop_descriptor_tables(Vcpu& vcpu)
{
    drop_pages(vcpu, area_gdt, reserved_gdt_page);
    drop_pages(vcpu, area_ldt, ldt_pages);
    vcpu.arch.gdt_entries = vcpu.arch.ldt_entries = 0;
}

void load_ldt(Vcpu& vcpu)
{
    if (vcpu.arch.ldt_entries == 0) {
        asm volatile("lldt %0" ::"r"(u16{0}));
        return;
    }
    auto* gdt = reinterpret_cast<u64*>(percpu_area(arch::this_cpu_id().raw()) + gdt_offset);
    u64 base = ldt_address(vcpu), limit = vcpu.arch.ldt_entries * 8 - 1;
    u64* d = &gdt[(ldt_selector & 0xfff) / 8];
    d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | u64(0x82) << 40 | (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
    d[1] = base >> 32;
    asm volatile("lldt %0" ::"r"(ldt_selector));
}

Status set_ldt(Vcpu& vcpu, GuestVa base, u64 entries)
{
    if (entries > max_ldt_entries || offset_in_page(base) || (entries && !arch::guest_range_ok(base, entries * 8)))
        return Error::inval;
    if (vcpu.arch.ldt_base == base.raw() && vcpu.arch.ldt_entries == entries)
        return success;
    drop_pages(vcpu, area_ldt, ldt_pages);
    vcpu.arch.ldt_base = base.raw();
    vcpu.arch.ldt_entries = u32(entries);
    if (&vcpu == &arch::current_vcpu())
        load_ldt(vcpu);
    return success;
}

bool handle_descriptor_fault(Vcpu& vcpu, Regs& regs, u64 address)
{
    const u64 offset = address - vcpu_area(vcpu.id.raw()), ldt = area_ldt * page_size;
    if (offset >= ldt + ldt_pages * page_size)
        return false;
    if (offset < ldt)
        deliver_exception(vcpu, regs, 13, u32(offset & 0xfff8));
    else if (!fault_in_ldt(vcpu, address))
        deliver_page_fault(vcpu, regs, vcpu.arch.ldt_base + (offset - ldt), 0);
    return true;
}

bool fault_in_ldt(Vcpu& vcpu, u64 address)
{
    const u64 offset = address - ldt_address(vcpu);
    if (offset >= vcpu.arch.ldt_entries * u64{8}) // of what lies beyond, the CPU says so itself
        return false;
    const u64 page = offset >> page_shift;
    Guard guard(vcpu.domain.arch.mm_lock);
    const Pte* const at = find_l1(vcpu.arch.kernel_table, GuestVa{vcpu.arch.ldt_base + page * page_size});
    if (!at || !at->is_present() || !hold_descriptors(vcpu.domain, at->mfn()))
        return false;
    map_area_page(vcpu, area_ldt + unsigned(page), Pte::of(at->mfn(), data_flags));
    return true;
}

} // namespace tenon::x86::pv

namespace tenon::hypercall {

using namespace x86::pv;

CallResult set_gdt(Call& call, u64 frames, u32 entries)
{
    u64 list[x86::reserved_gdt_page];
    if (entries > max_gdt_entries)
        return Error::inval;
    TRY(GuestPtr<u64>(frames).read_array(list, (entries + descriptors_per_page - 1) / descriptors_per_page));
    Guard guard(call.domain.arch.mm_lock);
    TRY(x86::pv::set_gdt(call.vcpu, list, entries));
    return s64{0};
}

CallResult update_descriptor(Call& call, u64 maddr, u64 descriptor)
{
    const Mfn mfn = frame_of(MachineAddr{maddr});
    if (maddr & 7 || !fix_descriptor(descriptor))
        return Error::inval;
    const FrameRef frame = TRY(hold(mfn, call.domain.id));
    auto store = [&](u64* page) { std::atomic_ref(page[(maddr & page_mask) / 8]).store(descriptor, std::memory_order_release); };
    Guard guard(call.domain.arch.mm_lock); // a table in use stays one
    if (const TypeWord word = frame->type_word(); word.type() == FrameType::descriptor && word.count() != 0)
        store(FrameView<u64>(*frame).get());
    else
        TRY(write_page<u64>(*frame, store));
    return s64{0};
}

} // namespace tenon::hypercall
