// The hypervisor's part of every address space. While it is built, tables are reached through the boot map, of which start32.S has made
// the first 4 GiB; later those of the shared slots through themselves: the last entry of their level-3 table is the table itself.
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
constinit bool boot_map_is_there = true;

extern "C" char image_start[], text_end[], rodata_end[], image_end[];

namespace {

constexpr unsigned shared_slots = domain_slot - first_slot;
constinit Pte shared[shared_slots]{};       ///< their level-4 entries
constinit std::atomic<u64> tables_made = 0; ///< by map_shared(), after boot

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
    const Mfn mfn = boot_memory::take(1);
    if (mfn == invalid_mfn)
        panic("not enough memory for Tenon's page tables");
    __builtin_memset(own_frame(mfn), 0, page_size);
    return mfn;
}

void map_range(u64 va, Mfn first, u64 bytes, u64 flags)
{
    constexpr u64 large = bytes_mapped(2);
    for (u64 size; bytes; va += size, first = first + size / page_size, bytes -= size) {
        const bool is_large = !((va | base_of(first).raw()) % large) && bytes >= large;
        size = is_large ? large : page_size;
        Pte* table = own_frame<Pte>(root_table);
        unsigned level = 4;
        for (; level > (is_large ? 2 : 1); level--) {
            Pte& entry = table[index_at(va, level)];
            if (!entry.is_present())
                entry = Pte::of(*allocate_table(), table_flags | (flags & Pte::user));
            table = own_frame<Pte>(entry.mfn());
        }
        table[index_at(va, level)] = Pte::of(first, flags | (is_large ? Pte::large : 0));
    }
}

Status map_shared(u64 va, Mfn mfn, u64 flags)
{
    for (unsigned level = 3; level > 1; level--) {
        Pte& entry = entry_at(va, level);
        if (entry.is_present())
            continue;
        const Mfn table = TRY(allocate_table());
        u64 none = 0; // another CPU may be as far with the next page
        if (!std::atomic_ref(entry.raw).compare_exchange_strong(none, Pte::of(table, table_flags).raw))
            frame_at(table).put();
        else if (!boot_memory::is_open())
            tables_made.fetch_add(1, std::memory_order_relaxed);
    }
    entry_at(va, 1) = Pte::of(mfn, flags);
    return success;
}

Mfn unmap_shared(u64 va) { return std::exchange(entry_at(va, 1), {}).mfn(); }

Mfn shared_frame(u64 va)
{
    for (unsigned level = 3; level >= 1; level--) {
        const Pte entry = entry_at(va, level);
        if (!entry.is_present())
            break;
        if (level == 1 || entry.raw & Pte::large)
            return entry.mfn() + (va & (bytes_mapped(level) - 1)) / page_size;
    }
    return invalid_mfn;
}

void build_address_space(MachineAddr load_base)
{
    root_table = *allocate_table();
    Pte* root = own_frame<Pte>(root_table);
    for (unsigned i = 0; i < shared_slots; i++) {
        const Mfn l3 = *allocate_table();
        root[first_slot + i] = shared[i] = Pte::of(l3, table_flags);
        if (first_slot + i != m2p_slot) // guests read that one
            own_frame<Pte>(l3)[entries_per_table - 1] = Pte::of(l3, table_flags | Pte::no_execute);
    }
    // The image: text executable, constants read-only, data writable; never two of them.
    auto map_part = [&](char* from, char* to, u64 flags) {
        map_range(u64(from), frame_of(load_base + u64(from - image_start)), u64(to - from), flags);
    };
    map_part(image_start, text_end, Pte::present | Pte::accessed);
    map_part(text_end, rodata_end, Pte::present | Pte::accessed | Pte::no_execute);
    map_part(rodata_end, image_end, data_flags);
    // The first MiB: the trampoline is written there, and firmware data read.
    map_range(own_base, Mfn{0}, 0xa0000, data_flags);
    for (const auto& [first, end] : boot_memory::ram())
        map_range(own_base + (first << page_shift), Mfn{first}, (end - first) << page_shift, data_flags);
    write_cr3(root_table.raw() << page_shift);
}

void drop_boot_map()
{
    Pte* root = own_frame<Pte>(root_table);
    boot_map_is_there = false;
    // From the far end on: the root table itself is seen in the first slot. The tables below stay unused.
    for (unsigned slot = last_slot; slot >= own_slot; slot--)
        root[slot] = {};
    arch::flush_tlb_older_than(arch::tlb_stamp(), arch::online_cpus());
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
    for (u64 done = 0; done < size; done += page_size)
        if (!map_shared(va + done, frame_of(address) + done / page_size, data_flags | cache))
            return nullptr;
    return reinterpret_cast<void*>(va + offset);
}

void unmap_device(void* at, u64 bytes)
{
    for (u64 va = align_down(u64(at), page_size); va < u64(at) + bytes; va += page_size)
        unmap_shared(va);
}

} // namespace tenon::x86

namespace tenon::arch {

Mfn hide_page(void* page) { return x86::unmap_shared(u64(page)); }

HostVa heap_start() { return HostVa{x86::heap_base}; }

Status heap_map(HostVa va, Mfn mfn) { return x86::map_shared(va.raw(), mfn, x86::data_flags); }

void heap_unmap(HostVa va)
{
    x86::unmap_shared(va.raw());
    x86::invalidate_page(va.raw());
}

u64 heap_tables() { return x86::tables_made.load(std::memory_order_relaxed); }

} // namespace tenon::arch
