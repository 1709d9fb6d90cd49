// Grants: who may use what, and that flags, counts and references always agree.
#include "../../../../common/grant/grant.hpp"
#include <cstring>
#include <fake/world.hpp>
#include <functional>
#include <map>
#include <random>
#include <tenon/grant/table.hpp>
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>

using namespace tenon;
using fake::World;

namespace {

/// The caller's page tables: what each address maps.
struct Mapped {
    Mfn mfn;
    bool writable;
};
std::map<u64, Mapped> page_table;
unsigned flushes;
std::function<void()> at_flush;

} // namespace

const CallTable tenon::call_table{}; // the calls are made directly
extern "C" const std::array<EnterCall, ABI_HYPERCALL_COUNT> tenon::call_entries{};

namespace tenon::arch {

s16 map_grant(Vcpu&, u64 address, u32 flags, Mfn mfn)
{
    if (address & page_mask || page_table.contains(address))
        return GNTST_bad_virt_addr;
    page_table[address] = {mfn, !(flags & GNTMAP_readonly)};
    return GNTST_okay;
}

s16 unmap_grant(Vcpu&, u64 address, u32, Mfn mfn)
{
    auto it = page_table.find(address);
    if (it == page_table.end() || it->second.mfn != mfn)
        return GNTST_general_error;
    page_table.erase(it);
    return GNTST_okay;
}

void flush_after_unmap(Vcpu&)
{
    flushes++;
    if (at_flush)
        at_flush();
}

} // namespace tenon::arch

namespace {

struct Grants : testing::Test {
    World world;
    DomainRef granter = world.start(1), user = world.start(1), stranger = world.start(1);
    Vcpu& vcpu = *user->vcpu(0);
    std::vector<Mfn> page;

    Grants()
    {
        page_table.clear();
        flushes = 0;
        at_flush = nullptr;
        for (unsigned i = 0; i < 16; i++)
            page.push_back(*domains::add_pages(*granter));
    }
    grant_entry_v1& entry(u32 ref) { return granter->grants.frames[ref / 512].as<grant_entry_v1>()[ref % 512]; }
    /// Handles that are in use.
    u64 handles()
    {
        u64 used = 0;
        for (u32 i = 0; i < user->grants.maptrack_count; i++)
            used += user->grants.maptrack[i / GrantTable::tracks_per_frame][i % GrantTable::tracks_per_frame].flags != 0;
        return used;
    }
    void grant(u32 ref, Mfn mfn, bool readonly = false)
    {
        entry(ref) = {u16(GTF_permit_access | (readonly ? GTF_readonly : 0)), user->id.raw(), u32(mfn.raw())};
    }
    s64 call(Vcpu& by, u32 command, void* list, u32 count, unsigned* restarts = nullptr)
    {
        if (count == 1)
            return s64(hypercall::enter_grant_table_op(command, u64(list), count, by, 0, 0));
        Call c{by, by.domain, 20, {command, u64(list), count}};
        for (;;) {
            auto result = hypercall::grant_table_op(c, u32(c.args[0]), c.args[1], u32(c.args[2]));
            if (result.ok())
                return *result;
            if (result.error() != Error::restart)
                return -s64(result.error());
            if (restarts)
                ++*restarts;
        }
    }
    template <class T> s64 call(u32 command, std::vector<T>& list, unsigned* restarts = nullptr)
    {
        fake::GuestWindow window(list.data(), list.size() * sizeof(T));
        return call(vcpu, command, list.data(), u32(list.size()), restarts);
    }
    gnttab_map_grant_ref map(u32 ref, u64 address, u32 flags = GNTMAP_host_map)
    {
        std::vector<gnttab_map_grant_ref> ops{{address, flags, ref, granter->id.raw(), 99, 0, 0}};
        EXPECT_EQ(call(GNTTABOP_map_grant_ref, ops), 0);
        return ops[0];
    }
    s16 unmap(u64 address, u32 handle, u64 bus = 0)
    {
        std::vector<gnttab_unmap_grant_ref> ops{{address, bus, handle, 99}};
        EXPECT_EQ(call(GNTTABOP_unmap_grant_ref, ops), 0);
        return ops[0].status;
    }
    gnttab_copy_ptr by_ref(u32 ref, u16 offset = 0)
    {
        gnttab_copy_ptr p{};
        p.u.ref = ref, p.domid = granter->id.raw(), p.offset = offset;
        return p;
    }
    gnttab_copy_ptr by_frame(Mfn mfn, u16 offset = 0)
    {
        gnttab_copy_ptr p{};
        p.u.gmfn = mfn.raw(), p.domid = dom_self.raw(), p.offset = offset;
        return p;
    }
    s16 copy(gnttab_copy_ptr from, gnttab_copy_ptr to, u16 length, u16 flags)
    {
        std::vector<gnttab_copy> ops{{from, to, length, flags, 99}};
        EXPECT_EQ(call(GNTTABOP_copy, ops), 0);
        return ops[0].status;
    }
};

TEST_F(Grants, MapsAndUnmaps)
{
    grant(8, page[0]);
    auto op = map(8, 0x10000);
    ASSERT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(op.dev_bus_addr, page[0].raw() << 12);
    EXPECT_EQ(page_table[0x10000].mfn, page[0]);
    EXPECT_EQ(entry(8).flags, GTF_permit_access | GTF_reading | GTF_writing);
    EXPECT_EQ(frame_at(page[0]).ref_count(), 3u) << "allocation, entry, handle";
    EXPECT_EQ(frame_at(page[0]).type_word().count(), 2u);
    EXPECT_EQ(unmap(0x20000, op.handle), GNTST_general_error);
    EXPECT_EQ(unmap(0x10000, op.handle), GNTST_okay);
    EXPECT_EQ(unmap(0x10000, op.handle), GNTST_bad_handle);
    EXPECT_EQ(entry(8).flags, GTF_permit_access);
    EXPECT_EQ(frame_at(page[0]).ref_count(), 1u);
    EXPECT_EQ(frame_at(page[0]).type_word().count(), 0u);
    EXPECT_EQ(handles(), 0u);
}

TEST_F(Grants, KeepsTheFirstFrameWhileInUse)
{
    grant(8, page[0]);
    auto first = map(8, 0x10000);
    entry(8).frame = u32(page[1].raw()); // the granter plays tricks
    auto second = map(8, 0x20000, GNTMAP_host_map | GNTMAP_readonly);
    EXPECT_EQ(second.dev_bus_addr, page[0].raw() << 12);
    EXPECT_EQ(unmap(0x10000, first.handle), GNTST_okay);
    EXPECT_EQ(entry(8).flags, GTF_permit_access | GTF_reading);
    EXPECT_EQ(unmap(0x20000, second.handle), GNTST_okay);
    EXPECT_EQ(entry(8).flags, GTF_permit_access);
}

TEST_F(Grants, RefusesWhatWasNotGranted)
{
    grant(8, page[0], true);
    grant(9, Mfn{1});             // not the granter's
    grant(10, Mfn{u64{1} << 31}); // no frame at all
    grant(11, page[1]);
    entry(11).domid = stranger->id.raw();
    EXPECT_EQ(map(8, 0x10000).status, GNTST_general_error) << "read-only";
    EXPECT_EQ(map(8, 0x10000, 0).status, GNTST_bad_gntref);
    EXPECT_EQ(map(9, 0x10000).status, GNTST_general_error);
    EXPECT_EQ(map(10, 0x10000).status, GNTST_general_error);
    EXPECT_EQ(map(11, 0x10000).status, GNTST_general_error);
    EXPECT_EQ(map(12, 0x10000).status, GNTST_general_error);
    EXPECT_EQ(map(512, 0x10000).status, GNTST_bad_gntref);
    EXPECT_EQ(map(~0u, 0x10000).status, GNTST_bad_gntref);
    std::vector<gnttab_map_grant_ref> nobody{{0x10000, GNTMAP_host_map, 8, 1234, 99, 0, 0}};
    EXPECT_EQ(call(GNTTABOP_map_grant_ref, nobody), 0);
    EXPECT_EQ(nobody[0].status, GNTST_bad_domain);
    EXPECT_EQ(map(8, 0x10001, GNTMAP_host_map | GNTMAP_readonly).status, GNTST_bad_virt_addr);
    for (u32 ref = 8; ref < 13; ref++)
        EXPECT_FALSE(entry(ref).flags & (GTF_reading | GTF_writing)) << ref;
    EXPECT_EQ(map(8, 0x10000, GNTMAP_host_map | GNTMAP_readonly).status, GNTST_okay);
    EXPECT_EQ(handles(), 1u);
    EXPECT_EQ(unmap(0x10000, 0), GNTST_okay);
}

TEST_F(Grants, APageTableIsNeverMappedWritable)
{
    grant(8, page[0]);
    frame_at(page[0]).type = TypeWord::of(FrameType::l1, 1, TypeWord::validated_bit).raw;
    EXPECT_EQ(map(8, 0x10000).status, GNTST_general_error);
    EXPECT_EQ(entry(8).flags, GTF_permit_access);
    EXPECT_EQ(copy(by_frame(*domains::add_pages(*user)), by_ref(8), 16, GNTCOPY_dest_gref), GNTST_general_error);
    frame_at(page[0]).type = 0;
}

TEST_F(Grants, DeviceMappingsEndByTheirBusAddress)
{
    grant(8, page[0]);
    auto op = map(8, 0x10000, GNTMAP_host_map | GNTMAP_device_map);
    EXPECT_EQ(unmap(0x10000, op.handle), GNTST_okay);
    EXPECT_TRUE(entry(8).flags & GTF_writing) << "the device may still write";
    EXPECT_EQ(frame_at(page[0]).ref_count(), 2u) << "the entry's went with it";
    EXPECT_EQ(frame_at(page[0]).type_word().count(), 1u);
    EXPECT_EQ(unmap(0, op.handle, op.dev_bus_addr + page_size), GNTST_general_error);
    EXPECT_EQ(unmap(0, op.handle, op.dev_bus_addr), GNTST_okay);
    EXPECT_EQ(entry(8).flags, GTF_permit_access);
    auto device_only = map(8, 0, GNTMAP_device_map | GNTMAP_readonly);
    EXPECT_EQ(frame_at(page[0]).ref_count(), 2u);
    EXPECT_EQ(frame_at(page[0]).type_word().count(), 0u);
    EXPECT_EQ(unmap(0, device_only.handle, device_only.dev_bus_addr), GNTST_okay);
    EXPECT_EQ(frame_at(page[0]).ref_count(), 1u);
    EXPECT_EQ(handles(), 0u);
}

TEST_F(Grants, NothingIsGivenBackBeforeTheFlush)
{
    grant(8, page[0]);
    auto op = map(8, 0x10000);
    at_flush = [&] {
        EXPECT_TRUE(page_table.empty());
        EXPECT_EQ(entry(8).flags, GTF_permit_access | GTF_reading | GTF_writing);
        EXPECT_EQ(frame_at(page[0]).ref_count(), 3u);
        EXPECT_EQ(frame_at(page[0]).type_word().count(), 2u);
    };
    EXPECT_EQ(unmap(0x10000, op.handle), GNTST_okay);
    EXPECT_EQ(flushes, 1u);
    EXPECT_EQ(frame_at(page[0]).ref_count(), 1u);
}

TEST_F(Grants, AListGoesOnBehindWhatIsRefused)
{
    std::vector<gnttab_unmap_grant_ref> unmaps;
    for (u32 i = 0; i < 4; i++) {
        grant(8 + i, page[i]);
        unmaps.push_back({0x10000 + i * page_size, 0, map(8 + i, 0x10000 + i * page_size).handle, 99});
    }
    unmaps[1].handle = 77;
    unmaps[2].host_addr += 16 * page_size;
    EXPECT_EQ(call(GNTTABOP_unmap_grant_ref, unmaps), 0);
    EXPECT_EQ(unmaps[0].status, GNTST_okay);
    EXPECT_EQ(unmaps[1].status, GNTST_bad_handle);
    EXPECT_EQ(unmaps[2].status, GNTST_general_error);
    EXPECT_EQ(unmaps[3].status, GNTST_okay);
    EXPECT_EQ(flushes, 1u);
    EXPECT_EQ(handles(), 2u);
    // A list that ends outside of memory: what was unmapped is given back all the same.
    unmaps[0] = {0x10000 + page_size, 0, 1, 99};
    fake::GuestWindow window(unmaps.data(), sizeof unmaps[0]);
    EXPECT_EQ(call(vcpu, GNTTABOP_unmap_grant_ref, unmaps.data(), 2), -14);
    EXPECT_EQ(unmaps[0].status, GNTST_okay);
    EXPECT_EQ(entry(9).flags, GTF_permit_access);
    EXPECT_EQ(handles(), 1u);
    // No handle was lost or given out twice.
    std::map<u32, u64> seen;
    for (u32 i = 0; i < 300; i++)
        seen[map(8, 0x100000 + i * page_size).handle] = 0x100000 + i * page_size;
    EXPECT_EQ(seen.size(), 300u);
    EXPECT_FALSE(seen.contains(2)) << "is still in use";
    EXPECT_EQ(user->grants.maptrack_count, 2 * GrantTable::tracks_per_frame) << "all others were to be had";
    seen[2] = 0x10000 + 2 * page_size;
    for (auto [handle, address] : seen)
        EXPECT_EQ(unmap(address, handle), GNTST_okay);
    EXPECT_EQ(handles(), 0u);
}

TEST_F(Grants, BatchesFlushOncePerPieceAndRestart)
{
    std::vector<gnttab_map_grant_ref> maps;
    for (u32 i = 0; i < 100; i++) {
        grant(8 + i, page[i % 16]);
        maps.push_back({0x100000 + i * page_size, GNTMAP_host_map, 8 + i, granter->id.raw(), 99, 0, 0});
    }
    unsigned restarts = 0;
    fake::yield_after(2);
    EXPECT_EQ(call(GNTTABOP_map_grant_ref, maps, &restarts), 0);
    EXPECT_EQ(restarts, 1u);
    std::vector<gnttab_unmap_grant_ref> unmaps;
    for (auto& m : maps) {
        ASSERT_EQ(m.status, GNTST_okay);
        unmaps.push_back({m.host_addr, 0, m.handle, 99});
    }
    EXPECT_EQ(page_table.size(), 100u);
    EXPECT_EQ(call(GNTTABOP_unmap_grant_ref, unmaps), 0);
    EXPECT_EQ(flushes, 4u);
    EXPECT_TRUE(page_table.empty());
    for (Mfn mfn : page)
        EXPECT_EQ(frame_at(mfn).ref_count(), 1u);
    EXPECT_EQ(call(vcpu, GNTTABOP_map_grant_ref, nullptr, 1), -14);
    EXPECT_EQ(call(vcpu, GNTTABOP_map_grant_ref, nullptr, 0x80000000), -22);
}

TEST_F(Grants, CopiesAllFourWays)
{
    Mfn own = *domains::add_pages(*user), other = *domains::add_pages(*user);
    grant(8, page[0], true), grant(9, page[1]);
    std::memcpy(fake::frame_bytes(page[0]) + 100, "granted", 8);
    EXPECT_EQ(copy(by_ref(8, 100), by_frame(own, 4088), 8, GNTCOPY_source_gref), GNTST_okay);
    EXPECT_STREQ(reinterpret_cast<char*>(fake::frame_bytes(own) + 4088), "granted");
    EXPECT_EQ(copy(by_frame(own, 4088), by_ref(9, 1), 8, GNTCOPY_dest_gref), GNTST_okay);
    EXPECT_STREQ(reinterpret_cast<char*>(fake::frame_bytes(page[1]) + 1), "granted");
    EXPECT_EQ(copy(by_ref(8, 100), by_ref(9, 50), 8, GNTCOPY_source_gref | GNTCOPY_dest_gref), GNTST_okay);
    EXPECT_STREQ(reinterpret_cast<char*>(fake::frame_bytes(page[1]) + 50), "granted");
    EXPECT_EQ(copy(by_frame(own), by_frame(other), 4096, 0), GNTST_okay);
    EXPECT_EQ(std::memcmp(fake::frame_bytes(own), fake::frame_bytes(other), 4096), 0);
    EXPECT_EQ(copy(by_ref(8), by_ref(8), 8, GNTCOPY_source_gref | GNTCOPY_dest_gref), GNTST_general_error) << "read-only";
    EXPECT_EQ(copy(by_frame(own, 1), by_frame(other), 4096, 0), GNTST_bad_copy_arg);
    EXPECT_EQ(copy(by_frame(own), by_frame(other, 4095), 2, 0), GNTST_bad_copy_arg);
    EXPECT_EQ(copy(by_frame(page[0]), by_frame(other), 8, 0), GNTST_bad_page) << "another's";
    auto foreign = by_frame(page[0]);
    foreign.domid = granter->id.raw();
    EXPECT_EQ(copy(foreign, by_frame(other), 8, 0), GNTST_permission_denied);
    EXPECT_EQ(entry(8).flags, GTF_permit_access | GTF_readonly);
    EXPECT_EQ(entry(9).flags, GTF_permit_access);
    for (Mfn mfn : {page[0], page[1], own, other}) {
        EXPECT_EQ(frame_at(mfn).ref_count(), 1u);
        EXPECT_EQ(frame_at(mfn).type_word().count(), 0u);
    }
}

TEST_F(Grants, TablesGrowAndAreShown)
{
    std::vector<u64> frames(4);
    fake::GuestWindow window(frames.data(), 32);
    std::vector<gnttab_setup_table> setup{{dom_self.raw(), 4, 99, u64(frames.data())}};
    EXPECT_EQ(call(GNTTABOP_setup_table, setup), 0);
    EXPECT_EQ(setup[0].status, GNTST_okay);
    for (u32 i = 0; i < 4; i++)
        EXPECT_EQ(frames[i], user->grants.frames[i].mfn.raw());
    std::vector<gnttab_query_size> query{{dom_self.raw(), 0, 0, 99}};
    EXPECT_EQ(call(GNTTABOP_query_size, query), 0);
    EXPECT_EQ(query[0].nr_frames, 4u);
    EXPECT_EQ(query[0].max_nr_frames, 64u);
    setup[0].nr_frames = 65;
    EXPECT_EQ(call(GNTTABOP_setup_table, setup), 0);
    EXPECT_EQ(setup[0].status, GNTST_general_error);
    setup[0] = {granter->id.raw(), 1, 99, u64(frames.data())};
    EXPECT_EQ(call(GNTTABOP_setup_table, setup), 0);
    EXPECT_EQ(setup[0].status, GNTST_permission_denied);
    EXPECT_EQ(*grants::shared_frame(*granter, 2), granter->grants.frames[2].mfn);
    EXPECT_EQ(grants::shared_frame(*granter, 64).error(), Error::inval);
}

TEST_F(Grants, KnowsVersionOneOnly)
{
    std::vector<gnttab_set_version> version{{1}};
    EXPECT_EQ(call(GNTTABOP_set_version, version), 0);
    version[0].version = 2;
    EXPECT_EQ(call(GNTTABOP_set_version, version), -38);
    EXPECT_EQ(version[0].version, 1u);
    version[0].version = 3;
    EXPECT_EQ(call(GNTTABOP_set_version, version), -22);
    std::vector<gnttab_get_version> get{{dom_self.raw(), 0, 9}};
    EXPECT_EQ(call(GNTTABOP_get_version, get), 0);
    EXPECT_EQ(get[0].version, 1u);
    std::vector<gnttab_transfer> transfer(1);
    EXPECT_EQ(call(GNTTABOP_transfer, transfer), 0);
    EXPECT_EQ(transfer[0].status, GNTST_general_error);
    EXPECT_EQ(call(vcpu, 99, nullptr, 0), -38);
}

TEST_F(Grants, AMapperThatDiesReleasesEverything)
{
    for (u32 i = 0; i < 10; i++) {
        grant(8 + i, page[i]);
        ASSERT_EQ(map(8 + i, 0x100000 + i * page_size).status, GNTST_okay);
    }
    // Its page tables go by themselves.
    for (auto& [address, mapped] : page_table) {
        arch::put_writable(frame_at(mapped.mfn));
        frame_at(mapped.mfn).put();
    }
    World::finish(*user);
    for (u32 i = 0; i < 10; i++) {
        EXPECT_EQ(entry(8 + i).flags, GTF_permit_access);
        EXPECT_EQ(frame_at(page[i]).ref_count(), 1u);
    }
}

TEST_F(Grants, AGranterThatDiesKeepsWhatIsMapped)
{
    grant(8, page[0]);
    auto op = map(8, 0x10000);
    std::memset(fake::frame_bytes(page[0]), 0x5a, page_size);
    DomainId id = granter->id;
    World::finish(*granter);
    granter = DomainRef();
    EXPECT_TRUE(domains::find(id));
    EXPECT_EQ(fake::frame_bytes(page[0])[77], 0x5a);
    std::vector<gnttab_map_grant_ref> more{{0x30000, GNTMAP_host_map, 8, id.raw(), 99, 0, 0}};
    EXPECT_EQ(call(GNTTABOP_map_grant_ref, more), 0);
    EXPECT_EQ(more[0].status, GNTST_bad_domain);
    EXPECT_EQ(unmap(0x10000, op.handle), GNTST_okay);
    EXPECT_FALSE(domains::find(id));
}

TEST_F(Grants, SwapsUnusedEntries)
{
    grant(8, page[0]), grant(9, page[1]);
    std::vector<gnttab_swap_grant_ref> swap{{8, 9, 99}};
    fake::GuestWindow window(swap.data(), sizeof swap[0]);
    EXPECT_EQ(call(*granter->vcpu(0), GNTTABOP_swap_grant_ref, swap.data(), 1), 0);
    EXPECT_EQ(swap[0].status, GNTST_okay);
    EXPECT_EQ(entry(8).frame, page[1].raw());
    EXPECT_EQ(entry(9).frame, page[0].raw());
    auto op = map(9, 0x10000);
    EXPECT_EQ(call(*granter->vcpu(0), GNTTABOP_swap_grant_ref, swap.data(), 1), 0);
    EXPECT_EQ(swap[0].status, GNTST_eagain);
    EXPECT_EQ(unmap(0x10000, op.handle), GNTST_okay);
}

/// A model of what is mapped, beside the real thing.
TEST_F(Grants, FlagsCountsAndReferencesAlwaysAgree)
{
    constexpr u32 refs = 12;
    struct Held {
        u32 ref, handle;
        Mfn mfn;
        bool write;
    };
    std::map<u64, Held> held;
    std::mt19937 random(5);
    for (unsigned turn = 0; turn < 20000; turn++) {
        u32 ref = 8 + random() % refs;
        u64 address = (1 + random() % 20) * page_size;
        switch (random() % 8) {
        case 0: grant(ref, page[random() % 16], random() % 3 == 0); break;                     // while in use: a trick
        case 1: entry(ref).flags = u16(entry(ref).flags & (GTF_reading | GTF_writing)); break; // ended
        case 2: entry(ref).frame = u32(page[random() % 16].raw()); break;
        case 3:
        case 4: {
            bool write = random() % 2;
            auto op = map(ref, address, GNTMAP_host_map | (write ? 0 : GNTMAP_readonly));
            if (op.status == GNTST_okay) {
                ASSERT_FALSE(held.contains(address));
                held[address] = {ref, op.handle, frame_of(MachineAddr{op.dev_bus_addr}), write};
            }
            break;
        }
        case 5:
        case 6: {
            auto it = held.find(address);
            if (it != held.end()) {
                ASSERT_EQ(unmap(address, it->second.handle), GNTST_okay);
                held.erase(it);
            } else {
                ASSERT_NE(unmap(address, u32(random() % 300)), GNTST_okay);
            }
            break;
        }
        default: (void)copy(by_ref(ref), by_ref(u32(8 + random() % refs)), 64, GNTCOPY_source_gref | GNTCOPY_dest_gref); break;
        }
        for (u32 r = 8; r < 8 + refs; r++) {
            u32 readers = 0, writers = 0;
            for (auto& [a, h] : held)
                if (h.ref == r)
                    (h.write ? writers : readers)++;
            ActiveGrant& active = granter->grants.active[0][r];
            ASSERT_EQ(active.readers, readers);
            ASSERT_EQ(active.writers, writers);
            // A granter that overwrites a whole entry wipes our bits; they come back with the next use.
            if (!readers && !writers) {
                ASSERT_FALSE(entry(r).flags & GTF_reading);
            }
            if (!writers) {
                ASSERT_FALSE(entry(r).flags & GTF_writing);
            }
        }
        for (Mfn mfn : page) {
            u32 uses = 0, writes = 0;
            for (auto& [a, h] : held)
                if (h.mfn == mfn)
                    uses += 2, writes += h.write ? 2 : 0;
            ASSERT_EQ(frame_at(mfn).ref_count(), 1 + uses);
            ASSERT_EQ(frame_at(mfn).type_word().count(), writes);
        }
        ASSERT_EQ(handles(), held.size());
    }
    for (auto& [address, h] : held)
        EXPECT_EQ(unmap(address, h.handle), GNTST_okay);
}

} // namespace
