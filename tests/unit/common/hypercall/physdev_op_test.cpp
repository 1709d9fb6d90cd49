#include "caller.hpp"
#include <abi/physdev.h>
#include <fake/devices.hpp>

using namespace tenon;

namespace {

struct PhysdevOp : HypercallTest {
    PhysdevOp()
    {
        fake::reset_devices();
        fake::add_function({0, 2, 0x10}, 4, 3, 0xfebd0000);
        dom0->arch.has_hardware = true;
    }
    template <class T> s64 op(u32 command, T& argument)
    {
        fake::GuestWindow window(&argument, sizeof argument);
        return call(__HYPERVISOR_physdev_op, command, reinterpret_cast<u64>(&argument));
    }
    physdev_map_pirq gsi(s32 number)
    {
        return {.domid = 0x7ff0,
                .type = MAP_PIRQ_TYPE_GSI,
                .index = number,
                .pirq = number,
                .bus = 0,
                .devfn = 0,
                .entry_nr = 0,
                .table_base = 0};
    }
    physdev_map_pirq msi(s32 type, s32 entry = 0, u64 table = 0)
    {
        return {.domid = 0x7ff0, .type = type, .index = -1, .pirq = -1, .bus = 2, .devfn = 0x10, .entry_nr = entry, .table_base = table};
    }
};

TEST_F(PhysdevOp, DoesWhatAKernelDoesForALegacyLine)
{
    auto map = gsi(17);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), 0);
    EXPECT_EQ(map.pirq, 17);
    physdev_irq vector{17, 0};
    EXPECT_EQ(op(PHYSDEVOP_alloc_irq_vector, vector), 0);
    EXPECT_GE(vector.vector, 0x30u);
    physdev_irq_status_query query{17, 7};
    EXPECT_EQ(op(PHYSDEVOP_irq_status_query, query), 0);
    EXPECT_EQ(query.flags, XENIRQSTAT_needs_eoi);
    physdev_setup_gsi setup{17, 0, 0};
    EXPECT_EQ(op(PHYSDEVOP_setup_gsi, setup), 0);
    EXPECT_EQ(op(PHYSDEVOP_irq_status_query, query), 0);
    EXPECT_EQ(query.flags, 0u);
    physdev_eoi end{17};
    EXPECT_EQ(op(PHYSDEVOP_eoi, end), 0);
    physdev_unmap_pirq unmap{0x7ff0, 17};
    EXPECT_EQ(op(PHYSDEVOP_unmap_pirq, unmap), 0);
    EXPECT_EQ(op(PHYSDEVOP_eoi, end), failure(Error::inval));
}

TEST_F(PhysdevOp, MapsMessagesOfEveryKind)
{
    auto x = msi(MAP_PIRQ_TYPE_MSI_SEG, 2, 0xfebd0000);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, x), 0);
    EXPECT_EQ(x.pirq, 1023);
    auto many = msi(MAP_PIRQ_TYPE_MULTI_MSI, 4);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, many), 0);
    EXPECT_EQ(many.pirq, 1019);
    EXPECT_EQ(many.entry_nr, 4);
    fake::reset_devices();
    auto gone = msi(MAP_PIRQ_TYPE_MSI_SEG);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, gone), failure(Error::nodev));
}

TEST_F(PhysdevOp, RefusesNumbersOutOfRange)
{
    for (s32 bad : {-1, -2147483647, 24, 1000000}) {
        auto map = gsi(bad);
        EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::inval)) << bad;
        physdev_irq vector{u32(bad), 0};
        EXPECT_EQ(op(PHYSDEVOP_alloc_irq_vector, vector), failure(Error::inval));
        physdev_setup_gsi setup{bad, 1, 1};
        EXPECT_EQ(op(PHYSDEVOP_setup_gsi, setup), failure(Error::inval));
    }
    auto map = msi(MAP_PIRQ_TYPE_MULTI_MSI, 33);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::inval));
    map = msi(9);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::inval));
    map = msi(MAP_PIRQ_TYPE_MSI_SEG, -1, 0xfebd0000);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::inval));
    map = msi(MAP_PIRQ_TYPE_MSI_SEG);
    map.devfn = 256;
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::inval));
    physdev_unmap_pirq unmap{0x7ff0, -1};
    EXPECT_EQ(op(PHYSDEVOP_unmap_pirq, unmap), failure(Error::inval));
    physdev_set_iopl iopl{4};
    EXPECT_EQ(op(PHYSDEVOP_set_iopl, iopl), failure(Error::inval));
    EXPECT_EQ(call(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi, 0x1234), failure(Error::fault));
}

TEST_F(PhysdevOp, AGuestWithoutHardwareOnlySetsItsOwnRights)
{
    become(*guest);
    physdev_set_iopl iopl{1};
    EXPECT_EQ(op(PHYSDEVOP_set_iopl, iopl), 0);
    physdev_set_iobitmap bitmap{0, 0};
    EXPECT_EQ(op(PHYSDEVOP_set_iobitmap, bitmap), 0);
    auto map = gsi(17);
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::perm));
    physdev_apic access{0xfec00000, 1, 0};
    EXPECT_EQ(op(PHYSDEVOP_apic_read, access), failure(Error::perm));
}

TEST_F(PhysdevOp, TheControlDomainMapsForOthers)
{
    auto map = gsi(18);
    map.domid = 1;
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), 0);
    EXPECT_TRUE(guest->pirqs.entries[18].has_line());
    map.domid = 77;
    EXPECT_EQ(op(PHYSDEVOP_map_pirq, map), failure(Error::srch));
}

TEST_F(PhysdevOp, SaysThatThereAreNoEoiBitmaps)
{
    physdev_pirq_eoi_gmfn page{5};
    EXPECT_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v2, page), failure(Error::nosys));
    EXPECT_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v1, page), failure(Error::nosys));
}

} // namespace
