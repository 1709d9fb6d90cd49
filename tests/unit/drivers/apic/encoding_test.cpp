#include <gtest/gtest.h>
#include <tenon/device/ioapic.hpp>
#include <tenon/device/pci.hpp>

using namespace tenon;

TEST(IoApicEntry, HasTheBitsOfTheDatasheet)
{
    EXPECT_EQ((ioapic::Entry{0x31, false, false, false, ApicId{0}}.encode()), 0x31u);
    EXPECT_EQ((ioapic::Entry{0x31, true, false, false, ApicId{0}}.encode()), 0x10031u);
    EXPECT_EQ((ioapic::Entry{0xd0, false, true, true, ApicId{3}}.encode()), 0x03000000'0000a0d0u);
    EXPECT_EQ((ioapic::Entry{0xd0, true, true, false, ApicId{0x1fe}}.encode()), 0xfe000000'000180d0u);
}

TEST(MsiMessage, NamesTheCpuInItsAddressAndTheVectorInItsData)
{
    const pci::Message m = pci::message_to(ApicId{5}, 0x42);
    EXPECT_EQ(m.address, 0xfee05000u);
    EXPECT_EQ(m.data, 0x42u);
}
