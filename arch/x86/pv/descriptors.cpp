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

constexpr unsigned descriptors_per_page = 512;

/// Points a page of the vCPU's area at a frame, or at nothing.
void map_area_page(Vcpu& vcpu, unsigned page, Pte value)
{
    FrameView<Pte> table(vcpu.arch.area_table);
    table[page] = value;
    if (&vcpu == &arch::current_vcpu())
        tlb_tags::forget_page(vcpu_area(vcpu.id.raw()) + page * page_size);
}

constexpr u64 descriptor_page_flags =
    Pte::present | Pte::accessed | Pte::dirty | Pte::writable | Pte::no_execute; // A bits are set by loads

} // namespace

void map_descriptor_page(Vcpu& vcpu, PerCpu& cpu)
{
    if (vcpu.arch.gdt_cpu == cpu.id.raw())
        return;
    vcpu.arch.gdt_cpu = cpu.id.raw();
    map_area_page(vcpu, area_gdt + reserved_gdt_page, Pte::of(cpu.descriptor_page, data_flags));
}

bool fix_descriptor(u64& d)
{
    u32 high = u32(d >> 32);
    constexpr u32 present = bit(15), segment = bit(12), code = bit(11), dpl = 3u << 13, conforming = bit(10), long_mode = bit(21),
                  size32 = bit(22);
    if (!(high & present)) {
        return true;
    }
    if (!(high & segment))
        return false; // call gates and system descriptors: no PV kernel of today uses them
    if ((high & code) && (high & conforming) && (high & dpl) != dpl)
        return false;
    if ((high & code) && (high & long_mode) && (high & size32))
        return false;
    d = (u64(high | dpl | bit(8)) << 32) | u32(d); // ring 3, accessed
    return true;
}

Status get_descriptors(Frame& frame)
{
    u64 old = frame.type.load(std::memory_order_relaxed);
    for (;;) {
        TypeWord word{old};
        bool same = word.type() == FrameType::descriptor;
        if ((word.count() != 0 && !same) || word.partial() || word.count() >= Frame::refs_limit)
            return Error::inval;
        u64 next = TypeWord::of(FrameType::descriptor, word.count() + 1, old & TypeWord::kept_bits).raw;
        if (!frame.type.compare_exchange_weak(old, next, std::memory_order_acq_rel))
            continue;
        if (!same && word.type() != FrameType::none)
            retype_flush(frame);
        if (word.count() != 0)
            return success;
        break;
    }
    FrameView<u64> table(mfn_of(frame));
    for (unsigned i = 0; i < descriptors_per_page; i++)
        if (u64 d = table[i]; d) {
            if (!fix_descriptor(d)) {
                put_descriptors(frame);
                return Error::inval;
            }
            table[i] = d;
        }
    return success;
}

void put_descriptors(Frame& frame)
{
    frame.leave_stamp(arch::tlb_stamp());
    frame.type.fetch_sub(1, std::memory_order_acq_rel);
}

void drop_gdt(Vcpu& vcpu)
{
    for (unsigned i = 0; i < reserved_gdt_page; i++)
        if (Mfn mfn = vcpu.arch.gdt_frames[i]; mfn != invalid_mfn && vcpu.arch.gdt_entries > i * descriptors_per_page) {
            map_area_page(vcpu, area_gdt + i, {});
            put_descriptors(frame_at(mfn));
            frame_at(mfn).put();
            vcpu.arch.gdt_frames[i] = invalid_mfn;
        }
    vcpu.arch.gdt_entries = 0;
}

Status set_gdt(Vcpu& vcpu, const u64* frames, u32 entries)
{
    if (entries > reserved_gdt_page * descriptors_per_page)
        return Error::inval;
    unsigned pages = (entries + descriptors_per_page - 1) / descriptors_per_page, taken = 0;
    Status s = success;
    for (; taken < pages; taken++) {
        Mfn mfn{frames[taken]};
        if (!is_ram(mfn) || !frame_at(mfn).get(vcpu.domain.id)) {
            s = Error::inval;
            break;
        }
        if (s = get_descriptors(frame_at(mfn)); !s) {
            frame_at(mfn).put();
            break;
        }
    }
    if (!s) {
        while (taken--) {
            put_descriptors(frame_at(Mfn{frames[taken]}));
            frame_at(Mfn{frames[taken]}).put();
        }
        return s;
    }
    drop_gdt(vcpu);
    for (unsigned i = 0; i < pages; i++) {
        vcpu.arch.gdt_frames[i] = Mfn{frames[i]};
        map_area_page(vcpu, area_gdt + i, Pte::of(Mfn{frames[i]}, descriptor_page_flags));
    }
    vcpu.arch.gdt_entries = entries;
    return success;
}

void drop_ldt(Vcpu& vcpu)
{
    for (unsigned i = 0; i < 16; i++) {
        FrameView<Pte> table(vcpu.arch.area_table);
        Pte entry = table[area_ldt + i];
        if (!entry.is_present())
            continue;
        map_area_page(vcpu, area_ldt + i, {});
        put_descriptors(frame_at(entry.mfn()));
        frame_at(entry.mfn()).put();
    }
}

void load_ldt(Vcpu& vcpu)
{
    if (vcpu.arch.ldt_entries == 0) {
        asm volatile("lldt %0" ::"r"(u16{0}));
        return;
    }
    auto* gdt = reinterpret_cast<u64*>(percpu_area(arch::this_cpu_id().raw()) + gdt_offset);
    u64 base = vcpu_area(vcpu.id.raw()) + area_ldt * page_size, limit = vcpu.arch.ldt_entries * 8 - 1;
    u64* d = &gdt[(ldt_selector & 0xfff) / 8];
    d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | u64(0x82) << 40 | (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
    d[1] = base >> 32;
    asm volatile("lldt %0" ::"r"(ldt_selector));
}

Status set_ldt(Vcpu& vcpu, GuestVa base, u32 entries)
{
    if (entries > 8192 || offset_in_page(base) || (entries && !arch::guest_range_ok(base, entries * 8)))
        return Error::inval;
    if (vcpu.arch.ldt_base == base.raw() && vcpu.arch.ldt_entries == entries)
        return success;
    drop_ldt(vcpu);
    vcpu.arch.ldt_base = base.raw();
    vcpu.arch.ldt_entries = entries;
    if (&vcpu == &arch::current_vcpu())
        load_ldt(vcpu);
    return success;
}

bool reflect_descriptor_fault(Vcpu& vcpu, Regs& regs, u64 address)
{
    u64 offset = address - vcpu_area(vcpu.id.raw()), ldt = area_ldt * page_size;
    if (offset >= ldt + 16 * page_size)
        return false;
    if (offset < ldt)
        deliver_exception(vcpu, regs, 13, u32(offset & 0xfff8));
    else
        deliver_page_fault(vcpu, regs, vcpu.arch.ldt_base + (offset - ldt), 0);
    return true;
}

bool fault_in_ldt(Vcpu& vcpu, u64 address)
{
    u64 start = vcpu_area(vcpu.id.raw()) + area_ldt * page_size;
    if (address < start || address >= start + 16 * page_size)
        return false;
    unsigned page = unsigned((address - start) >> page_shift);
    if (page * page_size >= vcpu.arch.ldt_entries * u64{8})
        return false;
    Domain& domain = vcpu.domain;
    Guard guard(domain.arch.mm_lock);
    auto place = find_l1(vcpu.arch.kernel_table, GuestVa{vcpu.arch.ldt_base + page * page_size});
    if (!place.ok())
        return false;
    const Pte entry = place->entry();
    if (!entry.is_present() || !is_ram(entry.mfn()) || !frame_at(entry.mfn()).get(domain.id))
        return false;
    if (!get_descriptors(frame_at(entry.mfn()))) {
        frame_at(entry.mfn()).put();
        return false;
    }
    map_area_page(vcpu, area_ldt + page, Pte::of(entry.mfn(), descriptor_page_flags));
    return true;
}

} // namespace tenon::x86::pv

namespace tenon::hypercall {

using namespace x86::pv;

CallResult set_gdt(Call& call, u64 frames, u32 entries)
{
    u64 list[14];
    u32 pages = (entries + 511) / 512;
    if (pages > 14)
        return Error::inval;
    TRY(GuestPtr<u64>(frames).read_array(list, pages));
    Guard guard(call.domain.arch.mm_lock);
    TRY(x86::pv::set_gdt(call.vcpu, list, entries));
    return s64{0};
}

CallResult update_descriptor(Call& call, u64 maddr, u64 descriptor)
{
    MachineAddr at{maddr};
    Mfn mfn = frame_of(at);
    if (maddr & 7 || !fix_descriptor(descriptor) || !is_ram(mfn) || !frame_at(mfn).get(call.domain.id))
        return Error::inval;
    Frame& frame = frame_at(mfn);
    Status s = success;
    {
        Guard guard(call.domain.arch.mm_lock);
        bool is_table = frame.type_word().type() == FrameType::descriptor && frame.type_word().count() != 0;
        s = is_table ? get_descriptors(frame) : get_writable(frame);
        if (s) {
            FrameView<u64> view(mfn);
            std::atomic_ref(view[offset_in_page(at) / 8]).store(descriptor, std::memory_order_release);
            if (is_table)
                put_descriptors(frame);
            else
                put_writable(frame, false);
        }
    }
    frame.put();
    if (!s)
        return s.error();
    return s64{0};
}

} // namespace tenon::hypercall
