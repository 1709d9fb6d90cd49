#include "caller.hpp"
#include <abi/memory.h>

using namespace tenon;

namespace {

struct MemoryOp : HypercallTest {
    s64 memory_op(u32 command, u64 argument) { return call(__HYPERVISOR_memory_op, command, argument); }
    template <class T> s64 with(u32 command, T& argument) { return memory_op(command, share(argument)); }
    s64 reservation(u32 command, std::vector<u64>& list, u32 order = 0, u16 domid = dom_self.raw(), u32 flags = 0)
    {
        xen_memory_reservation r{};
        r.extent_start = share(list);
        r.nr_extents = list.size();
        r.extent_order = order;
        r.mem_flags = flags;
        r.domid = domid;
        return with(command, r);
    }
    std::vector<u64> populated(u64 count, u32 order = 0, u64 pfn = 0x100)
    {
        std::vector<u64> list;
        for (u64 i = 0; i < count; i++)
            list.push_back(pfn + (i << order));
        EXPECT_EQ(reservation(XENMEM_populate_physmap, list, order), s64(count));
        return list;
    }
    u64 free_frames() { return frame_allocator::stats().free; }
};

TEST_F(MemoryOp, PopulatesWithM2pAndGivesBack)
{
    u64 free = free_frames();
    auto list = populated(300);
    EXPECT_EQ(dom0->total_pages, 300u);
    for (u64 i = 0; i < 300; i++)
        EXPECT_EQ(fake::get_m2p(Mfn{list[i]}), 0x100 + i);
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, list), 300);
    EXPECT_EQ(dom0->total_pages, 0u);
    EXPECT_EQ(free_frames(), free);
    EXPECT_EQ(fake::get_m2p(Mfn{list[0]}), ~u64{0});
}

TEST_F(MemoryOp, ALongListRestartsWhereItStopped)
{
    std::vector<u64> list(1000);
    fake::yield_after(3);
    EXPECT_EQ(reservation(XENMEM_populate_physmap, list), 1000);
    EXPECT_EQ(restarts, 1u);
    EXPECT_EQ(dom0->total_pages, 1000u);
    fake::yield_after(1);
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, list), 1000);
    EXPECT_EQ(restarts, 1u);
    EXPECT_EQ(dom0->total_pages, 0u);
}

TEST_F(MemoryOp, ExtentsAreContiguousAndAligned)
{
    auto list = populated(3, 4);
    for (u64 i = 0; i < 3; i++) {
        EXPECT_EQ(list[i] % 16, 0u);
        EXPECT_EQ(fake::get_m2p(Mfn{list[i] + 15}), 0x100 + i * 16 + 15);
    }
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, list, 4), 3);
    EXPECT_EQ(dom0->total_pages, 0u);
}

TEST_F(MemoryOp, StopsAtTheLimit)
{
    dom0->max_pages = 10;
    std::vector<u64> list(20);
    EXPECT_EQ(reservation(XENMEM_populate_physmap, list), 10);
    std::vector<u64> blocks(2);
    dom0->max_pages = 15;
    u64 free = free_frames();
    EXPECT_EQ(reservation(XENMEM_populate_physmap, blocks, 3), 0) << "eight more do not fit";
    EXPECT_EQ(free_frames(), free);
}

TEST_F(MemoryOp, GivesBackOnlyWhatTheDomainHolds)
{
    auto list = populated(2);
    std::vector<u64> twice = {list[0], list[0]};
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, twice), 1);
    std::vector<u64> others = {guest->shared.mfn.raw()};
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, others), 0);
    std::vector<u64> own_shared = {dom0->shared.mfn.raw()};
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, own_shared), 0) << "shared_info is not the guest's to give";
    for (u64 bad : {u64{0}, u64{1} << 13, u64{1} << 40, ~u64{0}}) {
        std::vector<u64> list2 = {bad};
        EXPECT_EQ(reservation(XENMEM_decrease_reservation, list2), 0);
        EXPECT_EQ(reservation(XENMEM_decrease_reservation, list2, 9), 0);
    }
}

TEST_F(MemoryOp, AMappedFrameLeavesWhenItsLastReferenceGoes)
{
    auto list = populated(1);
    Frame& frame = frame_at(Mfn{list[0]});
    ASSERT_TRUE(frame.get(dom0_id));
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, list), 1);
    EXPECT_EQ(frame.owner_id(), dom0_id);
    EXPECT_EQ(fake::get_m2p(Mfn{list[0]}), ~u64{0});
    u64 free = free_frames();
    frame.put();
    EXPECT_EQ(free_frames(), free + 1);
}

TEST_F(MemoryOp, OthersReservationsNeedPrivilege)
{
    std::vector<u64> list(2);
    EXPECT_EQ(reservation(XENMEM_populate_physmap, list, 0, 1), 2);
    EXPECT_EQ(guest->total_pages, 2u);
    become(*guest);
    EXPECT_EQ(reservation(XENMEM_populate_physmap, list, 0, 0), 0);
    EXPECT_EQ(reservation(XENMEM_populate_physmap, list, 0, 1), 2);
    become(*dom0);
    EXPECT_EQ(reservation(XENMEM_populate_physmap, list, 0, 77), 0);
}

TEST_F(MemoryOp, RefusesAbsurdReservations)
{
    xen_memory_reservation r{};
    r.nr_extents = u64{1} << 40;
    r.domid = dom_self.raw();
    EXPECT_EQ(with(XENMEM_populate_physmap, r), 0) << "refusals show as a count";
    EXPECT_EQ(memory_op(XENMEM_populate_physmap, 64), 0);
    r.nr_extents = 1;
    r.extent_order = 63;
    EXPECT_EQ(with(XENMEM_populate_physmap, r), 0);
    r.extent_order = 0;
    r.extent_start = 8;
    EXPECT_EQ(with(XENMEM_populate_physmap, r), 0) << "an unreadable list: nothing done";
    EXPECT_EQ(memory_op(XENMEM_populate_physmap | 5 << 6, reinterpret_cast<u64>(&r)), 5) << "nothing beyond the list is done";
    EXPECT_EQ(memory_op(63, 0), failure(Error::nosys));
}

TEST_F(MemoryOp, AnswersCounts)
{
    populated(5);
    dom0->max_pages = 77;
    xen_memory_domain who{dom_self.raw()};
    EXPECT_EQ(with(XENMEM_current_reservation, who), 5);
    EXPECT_EQ(with(XENMEM_maximum_reservation, who), 77);
    EXPECT_EQ(memory_op(XENMEM_maximum_ram_page, 0), (1 << 13) - 1);
    dom0->shared_page()->arch.max_pfn = 0x1234;
    EXPECT_EQ(with(XENMEM_maximum_gpfn, who), 0x1234);
}

struct Exchange : MemoryOp {
    xen_memory_exchange x{};
    std::vector<u64> in, out;
    void prepare(u32 in_order, u32 out_order, u64 address_bits = 0)
    {
        x = {};
        x.in = {share(in), in.size(), in_order, 0, u16(dom_self.raw())};
        x.out = {share(out), out.size(), out_order, u32(address_bits), u16(dom_self.raw())};
    }
    s64 run() { return with(XENMEM_exchange, x); }
};

TEST_F(Exchange, SwapsSinglesForABlock)
{
    in = populated(64);
    std::vector<u64> old = in;
    out = {0x100};
    prepare(0, 6);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(x.nr_exchanged, 64u);
    EXPECT_EQ(out[0] % 64, 0u);
    EXPECT_EQ(dom0->total_pages, 64u);
    for (u64 i = 0; i < 64; i++) {
        EXPECT_EQ(fake::get_m2p(Mfn{out[0] + i}), 0x100 + i);
        EXPECT_TRUE(frame_at(Mfn{out[0] + i}).get(dom0_id));
        frame_at(Mfn{out[0] + i}).put();
    }
    for (u64 mfn : old)
        EXPECT_TRUE(fake::get_m2p(Mfn{mfn}) == ~u64{0} || (mfn >= out[0] && mfn < out[0] + 64));
}

TEST_F(Exchange, AndBack)
{
    in = populated(1, 4);
    out.clear();
    for (u64 i = 0; i < 16; i++)
        out.push_back(0x100 + i);
    prepare(4, 0);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(x.nr_exchanged, 1u);
    for (u64 i = 0; i < 16; i++)
        EXPECT_EQ(fake::get_m2p(Mfn{out[i]}), 0x100 + i);
    EXPECT_EQ(dom0->total_pages, 16u);
}

TEST_F(Exchange, AFailureLeavesEverythingAsItWas)
{
    in = populated(64);
    out = {0x100};
    u64 free = free_frames();
    prepare(0, 6, 13); // below 8 KiB there is nothing
    EXPECT_EQ(run(), failure(Error::nomem));
    EXPECT_EQ(x.nr_exchanged, 0u);
    EXPECT_EQ(free_frames(), free);
    EXPECT_EQ(out[0], 0x100u);
    for (u64 i = 0; i < 64; i++)
        EXPECT_EQ(fake::get_m2p(Mfn{in[i]}), 0x100 + i);
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, in), 64) << "all of them still held";
}

TEST_F(Exchange, AFrameInUseRefuses)
{
    in = populated(8);
    out = {0x100};
    ASSERT_TRUE(frame_at(Mfn{in[5]}).get(dom0_id)); // as a mapping would
    prepare(0, 3);
    EXPECT_EQ(run(), failure(Error::busy));
    EXPECT_EQ(x.nr_exchanged, 0u);
    frame_at(Mfn{in[5]}).put();
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, in), 8);
}

TEST_F(Exchange, TheSameFrameTwiceRefuses)
{
    in = populated(2);
    in[1] = in[0];
    out = {0x100};
    prepare(0, 1);
    EXPECT_EQ(run(), failure(Error::inval));
    std::vector<u64> one = {in[0]};
    EXPECT_EQ(reservation(XENMEM_decrease_reservation, one), 1);
}

TEST_F(Exchange, ForeignFramesRefuse)
{
    in = {guest->shared.mfn.raw()};
    out = {0x100};
    prepare(0, 0);
    EXPECT_EQ(run(), failure(Error::inval));
    in = {dom0->shared.mfn.raw()};
    prepare(0, 0);
    EXPECT_EQ(run(), failure(Error::busy)) << "shared_info has no allocation to give up";
}

TEST_F(Exchange, WorksAtTheLimitAndKeepsIt)
{
    dom0->max_pages = 32;
    in = populated(32);
    out = {0x100};
    prepare(0, 5);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(dom0->max_pages, 32u);
    EXPECT_EQ(dom0->total_pages, 32u);
}

TEST_F(Exchange, ManyChunksRestartBetweenThem)
{
    in = populated(64);
    for (u64 i = 0; i < 16; i++)
        out.push_back(0x100 + 4 * i);
    prepare(0, 2);
    fake::yield_after(3);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(restarts, 1u);
    EXPECT_EQ(x.nr_exchanged, 64u);
    for (u64 i = 0; i < 64; i++)
        EXPECT_EQ(fake::get_m2p(Mfn{out[i / 4] + i % 4}), 0x100 + i);
}

TEST_F(Exchange, RefusesShapesThatDoNotMatch)
{
    in = populated(6);
    out = {0x100};
    prepare(0, 2);
    EXPECT_EQ(run(), failure(Error::inval));
    prepare(0, 40);
    EXPECT_EQ(run(), failure(Error::inval));
    prepare(40, 40);
    EXPECT_EQ(run(), failure(Error::inval));
    x.in.domid = x.out.domid = 1;
    x.in.extent_order = x.out.extent_order = 0;
    x.in.nr_extents = x.out.nr_extents = 1;
    EXPECT_EQ(run(), failure(Error::perm));
}

TEST_F(MemoryOp, GivesMemoryMaps)
{
    std::vector<xen_e820_entry> room(8);
    xen_memory_map map{8, share(room)};
    EXPECT_EQ(with(XENMEM_machine_memory_map, map), 0);
    EXPECT_EQ(map.nr_entries, 3u);
    EXPECT_EQ(room[2].type, u32{XEN_E820_RESERVED});
    map = {1, share(room)};
    EXPECT_EQ(with(XENMEM_machine_memory_map, map), failure(Error::inval)) << "all or nothing";
    map = {0, 0};
    EXPECT_EQ(with(XENMEM_machine_memory_map, map), 0);
    EXPECT_EQ(map.nr_entries, 3u);

    std::vector<xen_e820_entry> given = {{0, 0x1000000, XEN_E820_RAM}};
    xen_foreign_memory_map set{};
    set.domid = 1;
    set.map = {1, share(given)};
    EXPECT_EQ(with(XENMEM_set_memory_map, set), 0);
    become(*guest);
    map = {8, share(room)};
    EXPECT_EQ(with(XENMEM_machine_memory_map, map), failure(Error::perm));
    EXPECT_EQ(with(XENMEM_memory_map, map), 0);
    EXPECT_EQ(map.nr_entries, 1u);
    EXPECT_EQ(room[0].size, 0x1000000u);
    set.domid = 0;
    EXPECT_EQ(with(XENMEM_set_memory_map, set), failure(Error::perm));
    set.domid = 1;
    set.map.nr_entries = 1000;
    EXPECT_EQ(with(XENMEM_set_memory_map, set), failure(Error::inval));
    become(*dom0);
    EXPECT_EQ(with(XENMEM_memory_map, map), failure(Error::nosys)) << "nobody set one for dom0";
}

TEST_F(MemoryOp, TellsWhereTheM2pLies)
{
    xen_machphys_mapping mapping{};
    EXPECT_EQ(with(XENMEM_machphys_mapping, mapping), 0);
    EXPECT_EQ(mapping.v_start, 0xffff800000000000u);
    EXPECT_EQ(mapping.max_mfn, (1u << 13) - 1);
    std::vector<u64> list(4);
    xen_machphys_mfn_list pieces{4, share(list), 0};
    EXPECT_EQ(with(XENMEM_machphys_mfn_list, pieces), 0);
    EXPECT_EQ(pieces.nr_extents, 1u);
    EXPECT_EQ(list[0], 0x100u);
}

TEST_F(MemoryOp, HandsOutGrantFramesToTheBuilder)
{
    xen_mem_acquire_resource r{};
    r.domid = 1;
    r.type = XENMEM_resource_grant_table;
    EXPECT_EQ(with(XENMEM_acquire_resource, r), 0);
    EXPECT_EQ(r.nr_frames, 64u);
    std::vector<u64> list(2);
    r.nr_frames = 2;
    r.frame_list = share(list);
    EXPECT_EQ(with(XENMEM_acquire_resource, r), 0);
    EXPECT_EQ(frame_at(Mfn{list[1]}).owner_id(), DomainId{1});
    r.frame = 63;
    EXPECT_EQ(with(XENMEM_acquire_resource, r), failure(Error::inval));
    r.frame = ~u64{0};
    EXPECT_EQ(with(XENMEM_acquire_resource, r), failure(Error::inval));
    r.frame = 0;
    r.type = XENMEM_resource_ioreq_server;
    EXPECT_EQ(with(XENMEM_acquire_resource, r), failure(Error::notsup));
    become(*guest);
    r.type = XENMEM_resource_grant_table;
    EXPECT_EQ(with(XENMEM_acquire_resource, r), failure(Error::perm));
}

TEST_F(MemoryOp, ChecksClaims)
{
    xen_memory_reservation r{};
    r.domid = 1;
    r.nr_extents = 100;
    EXPECT_EQ(with(XENMEM_claim_pages, r), 0);
    r.nr_extents = 1 << 20;
    EXPECT_EQ(with(XENMEM_claim_pages, r), failure(Error::nomem));
    r.nr_extents = 0;
    EXPECT_EQ(with(XENMEM_claim_pages, r), 0);
}

} // namespace
