// The hypervisor's part of every address space. While it is built, tables are reached through the boot loader's identity mapping, then
// through the boot map; later those of the shared slots through themselves: the last entry of their level-3 table is the table itself.
#include "paging.hpp"
#include "../boot/boot_memory.hpp"
#include "own_map.hpp"
#include <tenon/arch/memory.hpp>
#include <tenon/log.hpp>
#include <tenon/mm/frame_allocator.hpp>
#include <tenon/sync/spinlock.hpp>
#include <tenon_arch/cpu_ops.hpp>

namespace tenon::x86 {

constinit Mfn root_table = invalid_mfn;
constinit bool boot_map_is_there = false;

extern "C" char image_start[], text_end[], rodata_end[], image_end[];

namespace {

constexpr unsigned shared_slots = domain_slot - first_slot;
constinit Pte shared[shared_slots]{};       ///< their level-4 entries
constinit std::atomic<u64> tables_made = 0; ///< by shared_entry()

Pte* table_at(Mfn mfn) { return boot_map_is_there ? own_frame<Pte>(mfn) : reinterpret_cast<Pte*>(mfn.raw() << page_shift); }

/// An entry of a shared slot's tables at level 1 to 3, seen through the slot's own last GiB. The levels above are there.
Pte& entry_at(u64 va, unsigned level)
{
    constexpr u64 last = entries_per_table - 1, in_slot = (u64{1} << 39) - 1;
    u64 base = va & ~in_slot;
    for (unsigned shift = 30; shift > 30 - 9 * level; shift -= 9)
        base |= last << shift;
    return reinterpret_cast<Pte*>(base)[(va & in_slot) >> (12 + 9 * (level - 1))];
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

Status map_range(u64 va, Mfn first, u64 bytes, u64 flags)
{
    u64 machine = first.raw() << page_shift;
    while (bytes) {
        Pte* table = table_at(root_table);
        unsigned level = 4;
        for (; level > 1; level--) {
            Pte* entry = &table[index_at(va, level)];
            u64 size = bytes_mapped(level);
            if (level == 2 && !((va | machine) & (size - 1)) && bytes >= size && !entry->is_present()) {
                u64 large_flags = flags | Pte::large | (flags & Pte::pat ? Pte::large_pat : 0);
                *entry = Pte::of(Mfn{machine >> page_shift}, large_flags);
                break;
            }
            if (!entry->is_present())
                *entry = Pte::of(TRY(allocate_table()), table_flags);
            table = table_at(entry->mfn());
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

Pte* shared_entry(u64 va, bool create)
{
    for (unsigned level = 3; level > 1; level--) {
        Pte& entry = entry_at(va, level);
        if (entry.is_present())
            continue;
        auto table = create ? allocate_table() : Error::noent;
        if (!table.ok())
            return nullptr;
        u64 none = 0; // another CPU may be as far with the next page
        if (!std::atomic_ref(entry.raw).compare_exchange_strong(none, Pte::of(*table, table_flags).raw))
            frame_at(*table).put();
        else if (!boot_memory::is_open())
            tables_made.fetch_add(1, std::memory_order_relaxed);
    }
    return &entry_at(va, 1);
}

Mfn shared_frame(u64 va, u64* page_bytes)
{
    for (unsigned level = 3; level >= 1; level--) {
        const Pte entry = entry_at(va, level);
        if (!entry.is_present())
            return invalid_mfn;
        if (page_bytes)
            *page_bytes = bytes_mapped(level);
        if (level == 1 || entry.raw & Pte::large)
            return entry.mfn() + (va & (bytes_mapped(level) - 1)) / page_size;
    }
    return invalid_mfn;
}

void build_address_space(MachineAddr load_base)
{
    auto must = [](Status s) {
        if (!s)
            panic("not enough memory for Tenon's page tables");
    };
    root_table = *allocate_table();
    Pte* root = table_at(root_table);
    for (unsigned i = 0; i < shared_slots; i++) {
        const Mfn l3 = *allocate_table();
        root[first_slot + i] = shared[i] = Pte::of(l3, table_flags);
        if (first_slot + i != m2p_slot) // guests read that one
            table_at(l3)[entries_per_table - 1] = Pte::of(l3, table_flags | Pte::no_execute);
    }
    // The image: text executable, constants read-only, data writable; never two of them.
    auto map_part = [&](char* from, char* to, u64 flags) {
        u64 offset = u64(from - image_start);
        must(map_range(u64(from), frame_of(load_base + offset), u64(to - from), flags));
    };
    map_part(image_start, text_end, Pte::present | Pte::accessed);
    map_part(text_end, rodata_end, Pte::present | Pte::accessed | Pte::no_execute);
    map_part(rodata_end, image_end, data_flags);
    // The first MiB: the trampoline is written there, and firmware data read.
    must(map_range(own_base, Mfn{0}, 0xa0000, data_flags));
    boot_memory::for_each_ram(
        [&](Mfn first, u64 count) { must(map_range(own_base + (first.raw() << page_shift), first, count << page_shift, data_flags)); });
    write_cr3(root_table.raw() << page_shift);
    boot_map_is_there = true;
}

namespace {

/// Collects the frames of a table and of those below it.
void collect(FrameList& tables, Mfn table, unsigned level)
{
    for (unsigned i = 0; level > 1 && i < entries_per_table; i++)
        if (const Pte entry = table_at(table)[i]; entry.is_present() && !(entry.raw & Pte::large))
            collect(tables, entry.mfn(), level - 1);
    tables.push(frame_at(table));
}

} // namespace

void drop_boot_map()
{
    FrameList tables;
    Pte* root = table_at(root_table);
    for (unsigned slot = own_slot; slot <= last_slot; slot++)
        if (root[slot].is_present())
            collect(tables, root[slot].mfn(), 3);
    boot_map_is_there = false;
    // From the far end on: the root table itself is seen in the first slot.
    for (unsigned slot = last_slot; slot >= own_slot; slot--)
        root[slot] = {};
    arch::flush_tlb_older_than(arch::tlb_stamp(), arch::online_cpus());
    while (tables.first) {
        const Mfn mfn{tables.first};
        tables.remove(frame_at(mfn));
        boot_memory::give_back(mfn, 1);
    }
}

bool is_for_kernel_mode(Mfn l4) { return FrameView<Pte>(l4)[heap_slot].is_present(); }

void install_slots(Mfn l4, const ArchDomain& domain, GuestMode mode)
{
    const bool is_kernel = mode == GuestMode::kernel;
    FrameView<Pte> to(l4);
    for (unsigned i = 0; i < shared_slots; i++)
        to[first_slot + i] = is_kernel || first_slot + i == image_slot ? shared[i] : Pte{};
    if (is_kernel) // the machine-to-phys table is the guest kernel's to read
        to[m2p_slot].raw = (to[m2p_slot].raw | Pte::user) & ~Pte::writable;
    to[domain_slot] = Pte::of(is_kernel ? domain.kernel_l3 : domain.user_l3, table_flags);
    for (unsigned i = 0; i < own_slots; i++)
        to[own_slot + i] = is_kernel ? domain.own_map->root_entry(i) : Pte{};
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
        Pte* entry = shared_entry(va + done, true);
        if (!entry)
            return nullptr;
        *entry = Pte::of(frame_of(address) + done / page_size, data_flags | cache);
    }
    return reinterpret_cast<void*>(va + offset);
}

void unmap_device(void* at, u64 bytes)
{
    for (u64 va = align_down(u64(at), page_size); va < u64(at) + bytes; va += page_size)
        *shared_entry(va, false) = {};
}

} // namespace tenon::x86

namespace tenon::arch {

Mfn hide_page(void* page) { return std::exchange(*x86::shared_entry(u64(page), false), x86::Pte{}).mfn(); }

HostVa heap_start() { return HostVa{x86::heap_base}; }

Status heap_map(HostVa va, Mfn mfn)
{
    x86::Pte* entry = x86::shared_entry(va.raw(), true);
    if (!entry)
        return Error::nomem;
    *entry = x86::Pte::of(mfn, x86::data_flags);
    return success;
}

void heap_unmap(HostVa va)
{
    *x86::shared_entry(va.raw(), false) = {};
    x86::invalidate_page(va.raw());
}

u64 heap_tables() { return x86::tables_made.load(std::memory_order_relaxed); }

} // namespace tenon::arch
