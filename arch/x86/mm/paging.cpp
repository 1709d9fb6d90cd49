// The hypervisor's own page tables. Tables are reached through FrameView like any other frame; before the final tables are loaded,
// the boot tables' identity mapping stands in for the memory slot.
#include "paging.hpp"
#include "../boot/boot_memory.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

constinit Mfn root_table = invalid_mfn;

extern "C" char image_start[], text_end[], rodata_end[], image_end[];

namespace {

constinit bool is_final = false;

/// A table's bytes: through the memory slot once it exists, through the identity mapping before.
Pte* table_at(Mfn mfn) { return is_final ? static_cast<Pte*>(open_frame(mfn)) : reinterpret_cast<Pte*>(mfn.raw() << page_shift); }

Pte* step(Pte* entry, bool create)
{
    if (!entry->is_present()) {
        if (!create)
            return nullptr;
        auto table = allocate_table();
        if (!table.ok())
            return nullptr;
        *entry = Pte::of(*table, table_flags);
    }
    return entry->raw & Pte::large ? nullptr : table_at(entry->mfn());
}

} // namespace

Result<Mfn> allocate_table()
{
    if (!boot_memory::is_open())
        return frame_allocator::allocate(dom_xen, 0);
    Mfn mfn = boot_memory::take(1);
    if (mfn == invalid_mfn)
        return Error::nomem;
    __builtin_memset(static_cast<void*>(table_at(mfn)), 0, page_size);
    return mfn;
}

Pte* find_entry(Mfn l4, u64 va, bool create)
{
    Pte* table = table_at(l4);
    for (unsigned level = 4; level > 1; level--) {
        table = step(&table[index_at(va, level)], create);
        if (!table)
            return nullptr;
    }
    return &table[index_at(va, 1)];
}

Status map_range(Mfn l4, u64 va, Mfn first, u64 bytes, u64 flags)
{
    u64 machine = first.raw() << page_shift;
    while (bytes) {
        Pte* table = table_at(l4);
        unsigned level = 4;
        for (; level > 1; level--) {
            Pte* entry = &table[index_at(va, level)];
            u64 size = bytes_mapped(level);
            if (level == 2 && !((va | machine) & (size - 1)) && bytes >= size && !entry->is_present()) {
                u64 large_flags = flags | Pte::large | (flags & Pte::pat ? Pte::large_pat : 0);
                *entry = Pte::of(Mfn{machine >> page_shift}, large_flags);
                break;
            }
            table = step(entry, true);
            if (!table)
                return Error::nomem;
        }
        if (level == 1)
            table[index_at(va, 1)] = Pte::of(Mfn{machine >> page_shift}, flags);
        u64 done = bytes_mapped(level == 1 ? 1 : 2);
        va += done;
        machine += done;
        bytes -= min(bytes, done);
    }
    return success;
}

Mfn translate(u64 va)
{
    Pte* table = table_at(root_table);
    for (unsigned level = 4; level >= 1; level--) {
        Pte entry = table[index_at(va, level)];
        if (!entry.is_present())
            return invalid_mfn;
        if (level == 1 || entry.raw & Pte::large)
            return entry.mfn() + (va & (bytes_mapped(level) - 1)) / page_size;
        table = table_at(entry.mfn());
    }
    return invalid_mfn;
}

void set_entry(Pte* entry, Pte value, u64 va)
{
    *entry = value;
    invalidate_page(va);
}

void build_address_space(MachineAddr load_base)
{
    auto must = [](Status s) {
        if (!s)
            panic("not enough memory for Tenon's page tables");
    };
    root_table = *allocate_table();
    Pte* root = table_at(root_table);
    for (unsigned slot = first_slot; slot <= last_slot; slot++)
        if (slot != domain_slot)
            root[slot] = Pte::of(*allocate_table(), table_flags);
    // The image: text executable, constants read-only, data writable; never two of them.
    auto map_part = [&](char* from, char* to, u64 flags) {
        u64 offset = u64(from - image_start);
        must(map_range(root_table, u64(from), frame_of(load_base + offset), u64(to - from), flags));
    };
    map_part(image_start, text_end, Pte::present | Pte::accessed);
    map_part(text_end, rodata_end, Pte::present | Pte::accessed | Pte::no_execute);
    map_part(rodata_end, image_end, data_flags);
    // The first MiB: the trampoline is written there, and firmware data read.
    must(map_range(root_table, memory_base, Mfn{0}, 0xa0000, data_flags));
    boot_memory::for_each_ram([&](Mfn first, u64 count) {
        must(map_range(root_table, memory_base + (first.raw() << page_shift), first, count << page_shift, data_flags));
    });
    write_cr3(root_table.raw() << page_shift);
    is_final = true;
}

void install_slots(Mfn l4, Mfn domain_l3)
{
    FrameView<Pte> to(l4), from(root_table);
    for (unsigned slot = first_slot; slot <= last_slot; slot++)
        to[slot] = from[slot];
    // The machine-to-phys table is the guest's to read: its upper levels need the user bit.
    to[m2p_slot].raw |= Pte::user;
    to[m2p_slot].raw &= ~Pte::writable;
    to[domain_slot] = Pte::of(domain_l3, table_flags);
}

void* map_device(MachineAddr address, u64 bytes, DeviceMemory kind)
{
    static constinit u64 next = device_base;
    static constinit SpinLock<Rank::device_window> lock;
    Guard guard(lock);
    u64 offset = offset_in_page(address), size = align_up(offset + bytes, page_size);
    if (size > device_base + device_size - next)
        return nullptr;
    u64 cache = kind == DeviceMemory::uncached ? Pte::pcd | Pte::pwt : kind == DeviceMemory::write_combining ? Pte::pat : 0;
    u64 va = next;
    next += size + page_size; // a gap catches overruns
    for (u64 done = 0; done < size; done += page_size) {
        Pte* entry = find_entry(root_table, va + done, true);
        if (!entry)
            return nullptr;
        set_entry(entry, Pte::of(frame_of(address) + done / page_size, data_flags | cache), va + done);
    }
    return reinterpret_cast<void*>(va + offset);
}

} // namespace tenon::x86

namespace tenon::arch {

HostVa heap_start() { return HostVa{x86::heap_base}; }
u64 heap_bytes() { return x86::heap_size; }

Status heap_map(HostVa va, Mfn mfn)
{
    x86::Pte* entry = x86::find_entry(x86::root_table, va.raw(), true);
    if (!entry)
        return Error::nomem;
    x86::set_entry(entry, x86::Pte::of(mfn, x86::data_flags), va.raw());
    return success;
}

Mfn heap_unmap(HostVa va)
{
    x86::Pte* entry = x86::find_entry(x86::root_table, va.raw(), false);
    Mfn mfn = entry->mfn();
    x86::set_entry(entry, {}, va.raw());
    return mfn;
}

} // namespace tenon::arch
