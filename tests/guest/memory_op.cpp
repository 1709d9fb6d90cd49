// What this is: memory_op: giving pages back, getting others, exchanging them for contiguous ones, and the
// maps and limits that can be asked for.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

long current_reservation()
{
    xen_memory_domain self{DOMID_SELF};
    return memory_op(XENMEM_current_reservation, &self);
}

xen_memory_reservation reservation(const u64* frames, u64 count, u32 order = 0, u32 flags = 0)
{
    return {number(frames), count, order, flags, DOMID_SELF};
}

void check_limits()
{
    xen_memory_domain self{DOMID_SELF}, other{99};
    CHECK(current_reservation() >= static_cast<long>(boot_info->nr_pages));
    print("current reservation %ld, maximum %ld, pages %lu\n", current_reservation(), memory_op(XENMEM_maximum_reservation, &self),
          boot_info->nr_pages);
    CHECK_EQ(memory_op(XENMEM_current_reservation, &other), -XEN_ESRCH);
    CHECK_EQ(memory_op(XENMEM_maximum_reservation, &other), -XEN_ESRCH);
    xen_machphys_mapping mapping{};
    CHECK_EQ(memory_op(XENMEM_machphys_mapping, &mapping), 0);
    CHECK_EQ(mapping.v_start, hypervisor_start);
    CHECK(mapping.v_end > mapping.v_start && mapping.v_end <= hypervisor_start + (1ul << 39));
    CHECK(memory_op(XENMEM_maximum_ram_page, nullptr) > static_cast<long>(boot_info->nr_pages));
    print("machphys %lx-%lx max %lx, maximum_ram_page %lx\n", mapping.v_start, mapping.v_end, mapping.max_mfn,
          memory_op(XENMEM_maximum_ram_page, nullptr));
    u64 frames[4] = {};
    xen_machphys_mfn_list list{4, number(frames), 0};
    CHECK_EQ(memory_op(XENMEM_machphys_mfn_list, &list), 0);
    CHECK(list.nr_extents >= 1);
    CHECK(frames[0] != 0);
    CHECK_EQ(memory_op(63, nullptr), -XEN_ENOSYS);
}

void check_maps()
{
    static xen_e820_entry entries[64];
    xen_memory_map map{64, number(entries)};
    CHECK_EQ(memory_op(XENMEM_machine_memory_map, &map), 0);
    CHECK(map.nr_entries > 2);
    u64 ram = 0;
    for (u32 i = 0; i < map.nr_entries; i++)
        if (entries[i].type == XEN_E820_RAM)
            ram += entries[i].size;
    CHECK(ram > boot_info->nr_pages * page_size);
    CHECK_EQ(entries[0].addr, 0);
    CHECK_EQ(entries[0].type, XEN_E820_RAM);
    map.nr_entries = 1;
    long rc = memory_op(XENMEM_machine_memory_map, &map); // Xen: all or nothing
    CHECK(rc == -XEN_EINVAL || (rc == 0 && map.nr_entries == 1));
    map.nr_entries = 64, map.buffer = take_empty_va();
    CHECK_EQ(memory_op(XENMEM_machine_memory_map, &map), -XEN_EFAULT);
    map.nr_entries = 64, map.buffer = number(entries);
    CHECK_EQ(memory_op(XENMEM_memory_map, &map), -XEN_ENOSYS); // dom0 has none of its own
}

void check_decrease_and_populate()
{
    long before = current_reservation();
    auto page = static_cast<u64*>(take_page());
    u64 va = number(page), pfn = pfn_of(page), mfn = mfn_of(page);
    auto arg = reservation(&mfn, 1);
    // Still mapped: it leaves the domain all the same once the mapping is gone.
    CHECK_EQ(update_va_mapping(va, 0), 0);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 1);
    CHECK_EQ(current_reservation(), before - 1);
    CHECK(phys_of_mfn(mfn) != pfn);
    CHECK(update_va_mapping(va, mfn << page_shift | pte_rw) < 0);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 0); // it is not ours any more
    u64 frame = pfn;
    arg = reservation(&frame, 1);
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 1);
    CHECK_EQ(current_reservation(), before);
    CHECK_EQ(phys_of_mfn(frame), pfn);
    phys_to_machine[pfn] = frame;
    CHECK_EQ(make_rw(page), 0);
    for (int i = 0; i < 512 && on_tenon(); i++) // Xen leaves it to a living domain to wipe what it gives back
        if (page[i])
            give_up("a populated page is not clean: %lx", page[i]);
    page[1] = 1;
    // increase_reservation says which frames, and leaves machine-to-phys to the guest.
    CHECK_EQ(update_va_mapping(va, 0), 0);
    arg = reservation(&frame, 1);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 1);
    frame = 0;
    arg = reservation(&frame, 1);
    CHECK_EQ(memory_op(XENMEM_increase_reservation, &arg), 1);
    CHECK(frame != 0);
    CHECK_EQ(mmu_update_one(frame << page_shift | MMU_MACHPHYS_UPDATE, pfn), 0);
    phys_to_machine[pfn] = frame;
    CHECK_EQ(make_rw(page), 0);
    CHECK_EQ(current_reservation(), before);
}

void check_many()
{
    constexpr u64 count = 64;
    auto pages = static_cast<char*>(take_pages(count));
    u64 frames[count];
    long before = current_reservation();
    for (u64 i = 0; i < count; i++) {
        frames[i] = mfn_of(pages + i * page_size);
        CHECK_EQ(update_va_mapping(number(pages + i * page_size), 0), 0);
    }
    auto arg = reservation(frames, count);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), count);
    CHECK_EQ(current_reservation(), before - static_cast<long>(count));
    for (u64 i = 0; i < count; i++)
        frames[i] = pfn_of(pages) + i;
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), count);
    for (u64 i = 0; i < count; i++) {
        phys_to_machine[pfn_of(pages) + i] = frames[i];
        CHECK_EQ(make_rw(pages + i * page_size), 0);
    }
    CHECK_EQ(current_reservation(), before);
    memset(pages, 0x11, count * page_size);
}

/// A page that was given back while it was mapped goes with its last entry, whichever call takes that away.
void check_last_mapping()
{
    for (bool by_address : {true, false}) {
        long before = current_reservation();
        auto page = static_cast<volatile u64*>(take_page());
        u64 va = number(page), pfn = pfn_of(const_cast<u64*>(page)), mfn = mfn_of(const_cast<u64*>(page));
        auto arg = reservation(&mfn, 1);
        CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 1);
        page[0] = 1;
        CHECK_EQ(by_address ? update_va_mapping(va, 0) : mmu_update_one(entry_maddr(va), 0), 0);
        CHECK_EQ(current_reservation(), before - 1);
        CHECK(update_va_mapping(va, mfn << page_shift | pte_rw) < 0);
        CHECK(mmu_update_one(entry_maddr(va), mfn << page_shift | pte_rw) < 0);
        u64 frame = pfn;
        arg = reservation(&frame, 1);
        CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 1);
        phys_to_machine[pfn] = frame;
        CHECK_EQ(make_rw(const_cast<u64*>(page)), 0);
        CHECK_EQ(current_reservation(), before);
    }
}

/// Pages that something still holds on to.
void check_held_pages()
{
    auto table = static_cast<u64*>(take_page());
    CHECK_EQ(make_ro(table), 0);
    CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(table)), 0);
    long before = current_reservation();
    u64 mfn = mfn_of(table), pfn = pfn_of(table);
    auto arg = reservation(&mfn, 1);
    long rc = memory_op(XENMEM_decrease_reservation, &arg);
    print("decrease of a mapped, pinned table: %ld, reservation %ld of %ld\n", rc, current_reservation(), before);
    // Whatever the answer, the page cannot be someone else's while we see it.
    CHECK_EQ(table[0], 0);
    CHECK_EQ(*entry_of(number(table)) & pte_frame_mask, mfn << page_shift);
    if (rc == 1) {
        mmuext(MMUEXT_UNPIN_TABLE, mfn); // the pin may have gone with it
        CHECK_EQ(update_va_mapping(number(table), 0), 0);
        u64 frame = pfn;
        arg = reservation(&frame, 1);
        CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 1);
        phys_to_machine[pfn] = frame;
        CHECK_EQ(make_rw(table), 0);
    } else {
        CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn), 0);
        CHECK_EQ(make_rw(table), 0);
    }
    CHECK_EQ(current_reservation(), before);
}

void check_refused()
{
    u64 frames[2] = {0xb8, 0xfffffff};
    auto arg = reservation(frames, 2);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 0); // not ours
    arg = reservation(reinterpret_cast<u64*>(take_empty_va()), 1);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 0);
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 0);
    arg = reservation(frames, 1, 30);
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 0);
    CHECK_EQ(memory_op(XENMEM_decrease_reservation, &arg), 0);
    arg = reservation(frames, ~0ull);
    CHECK(memory_op(XENMEM_populate_physmap, &arg) <= 0); // a count no list can have
    arg = reservation(frames, 1);
    arg.domid = 99;
    CHECK(memory_op(XENMEM_populate_physmap, &arg) <= 0);
    // Xen's calls that answer with a count answer 0; the others say what was wrong.
    for (u32 command : {0, 1, 3, 4, 5, 6, 10, 11, 12})
        CHECK(memory_op(command, reinterpret_cast<void*>(take_empty_va())) <= (command == 0 || command == 1 || command == 6 ? 0 : -1));
    arg = reservation(frames, 0);
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &arg), 0);
}

void check_exchange()
{
    constexpr u64 count = 8;
    auto pages = static_cast<char*>(take_pages(2 * count));
    pages += (count - pfn_of(pages) % count) % count * page_size;
    u64 in[count], out = pfn_of(pages);
    auto unmap = [&] {
        for (u64 i = 0; i < count; i++) {
            in[i] = mfn_of(pages + i * page_size);
            CHECK_EQ(update_va_mapping(number(pages + i * page_size), 0), 0);
        }
    };
    auto map_again = [&] {
        for (u64 i = 0; i < count; i++)
            CHECK_EQ(make_rw(pages + i * page_size), 0);
    };
    unmap();
    xen_memory_exchange arg{reservation(in, count), reservation(&out, 1, 3, 32), 0};
    long before = current_reservation();
    CHECK_EQ(memory_op(XENMEM_exchange, &arg), 0);
    CHECK_EQ(arg.nr_exchanged, count);
    CHECK_EQ(out % count, 0);
    CHECK_EQ(current_reservation(), before);
    for (u64 i = 0; i < count; i++) {
        phys_to_machine[pfn_of(pages) + i] = out + i;
        CHECK_EQ(phys_of_mfn(out + i), pfn_of(pages) + i);
    }
    map_again();
    memset(pages, 0x22, count * page_size);

    // And back: one extent of order 3 in, eight single pages out.
    unmap();
    u64 singles[count];
    for (u64 i = 0; i < count; i++)
        singles[i] = pfn_of(pages) + i;
    xen_memory_exchange back{reservation(&in[0], 1, 3), reservation(singles, count), 0};
    CHECK_EQ(memory_op(XENMEM_exchange, &back), 0);
    CHECK_EQ(back.nr_exchanged, 1);
    for (u64 i = 0; i < count; i++) {
        phys_to_machine[pfn_of(pages) + i] = singles[i];
        CHECK_EQ(phys_of_mfn(singles[i]), pfn_of(pages) + i);
    }
    map_again();

    // Nothing that low: everything stays as it was.
    unmap();
    out = pfn_of(pages);
    arg = {reservation(in, count), reservation(&out, 1, 3, 13), 0};
    CHECK_EQ(memory_op(XENMEM_exchange, &arg), -XEN_ENOMEM);
    CHECK_EQ(arg.nr_exchanged, 0);
    for (u64 i = 0; i < count; i++)
        CHECK_EQ(phys_of_mfn(in[i]), pfn_of(pages) + i);
    map_again();
    CHECK_EQ(current_reservation(), before);

    // Sums that do not match, pages that are in use or not ours.
    arg = {reservation(in, count), reservation(&out, 2, 3, 32), 0};
    CHECK_EQ(memory_op(XENMEM_exchange, &arg), -XEN_EINVAL);
    arg = {reservation(in, count), reservation(&out, 1, 3, 32), count + 1};
    CHECK_EQ(memory_op(XENMEM_exchange, &arg), -XEN_EINVAL);
    u64 table = mfn_of(current_l4()), single = pfn_of(pages);
    arg = {reservation(&table, 1), reservation(&single, 1), 0};
    long rc = memory_op(XENMEM_exchange, &arg);
    print("exchange of the L4 in use: %ld\n", rc);
    CHECK(rc < 0);
    table = 0xb8;
    CHECK_EQ(memory_op(XENMEM_exchange, &arg), -XEN_EINVAL);
    CHECK_EQ(current_reservation(), before);
}

} // namespace

void guest::test()
{
    check_limits();
    check_maps();
    check_decrease_and_populate();
    check_many();
    check_last_mapping();
    check_held_pages();
    check_refused();
    check_exchange();
}
