#include <fake/devices.hpp>
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <tenon/domain/domain.hpp>
#include <tenon/irq/pirq.hpp>

using namespace tenon;

namespace {

constexpr pci::Function nic{0, 0, 0x18};
constexpr u64 table = 0xfebf0000;

struct Pirqs : testing::Test {
    Pirqs()
    {
        fake::reset(1);
        fake::reset_devices();
        fake::add_function(nic, 8, 4, table);
    }
    ~Pirqs() override
    {
        pirqs::release_all(domain);
        pirqs::release_all(other);
    }
    Vector vector_of(Pirq p) { return domain.pirqs.entries[p.raw()].vector; }
    Domain domain{DomainId{0}}, other{DomainId{1}};
};

TEST_F(Pirqs, AGsiGetsTheNumberThatIsAskedForAndIsMappedOnce)
{
    EXPECT_EQ(pirqs::map_gsi(domain, 9, 9)->raw(), 9u);
    EXPECT_EQ(pirqs::map_gsi(domain, 9, 9)->raw(), 9u);
    EXPECT_EQ(pirqs::map_gsi(domain, 9, -1)->raw(), 9u);
    EXPECT_EQ(pirqs::map_gsi(domain, 9, 10).error(), Error::exist);
    EXPECT_EQ(pirqs::map_gsi(domain, 10, 9).error(), Error::exist);
    EXPECT_EQ(pirqs::map_gsi(domain, 11, -1)->raw(), 11u);
    EXPECT_EQ(pirqs::map_gsi(domain, 24, 24).error(), Error::inval);
    EXPECT_EQ(pirqs::map_gsi(domain, 12, 1024).error(), Error::inval);
}

TEST_F(Pirqs, ALevelLineIsHeldUntilItsEndOfInterrupt)
{
    const Pirq p = *pirqs::map_gsi(domain, 17, 17);
    EXPECT_TRUE(*pirqs::needs_eoi(domain, p));
    EXPECT_EQ(fake::raise(vector_of(p)), 0u) << "not bound yet";
    ASSERT_TRUE(pirqs::bind(domain, p, 33).ok());
    EXPECT_EQ(fake::raise(vector_of(p)), 33u);
    EXPECT_EQ(fake::raise(vector_of(p)), 0u);
    EXPECT_TRUE(pirqs::eoi(domain, p).ok());
    EXPECT_EQ(fake::raise(vector_of(p)), 33u);
    EXPECT_EQ(pirqs::eoi(domain, Pirq{18}).error(), Error::inval);
    EXPECT_EQ(pirqs::eoi(domain, Pirq{100000}).error(), Error::inval);
}

TEST_F(Pirqs, AnEdgeLineNeedsNone)
{
    const Pirq p = *pirqs::map_gsi(domain, 4, 4);
    EXPECT_FALSE(*pirqs::needs_eoi(domain, p));
    ASSERT_TRUE(pirqs::bind(domain, p, 5).ok());
    EXPECT_EQ(fake::raise(vector_of(p)), 5u);
    EXPECT_EQ(fake::raise(vector_of(p)), 5u);
}

TEST_F(Pirqs, IsBoundOnceAndToOneDomain)
{
    const Pirq p = *pirqs::map_gsi(domain, 16, 16), q = *pirqs::map_gsi(other, 16, 16);
    EXPECT_EQ(pirqs::bind(domain, Pirq{5}, 1).error(), Error::inval);
    ASSERT_TRUE(pirqs::bind(domain, p, 1).ok());
    EXPECT_EQ(pirqs::bind(domain, p, 2).error(), Error::exist);
    EXPECT_EQ(pirqs::bind(other, q, 2).error(), Error::busy);
    EXPECT_EQ(pirqs::unmap(domain, p).error(), Error::busy) << "the channel goes first";
    pirqs::unbind(domain, p);
    EXPECT_TRUE(pirqs::bind(other, q, 2).ok());
    EXPECT_TRUE(pirqs::unmap(domain, p).ok());
    EXPECT_EQ(pirqs::unmap(domain, p).error(), Error::inval);
    pirqs::unbind(domain, p); // gone already: nothing happens
    EXPECT_EQ(fake::raise(other.pirqs.entries[16].vector), 2u);
}

TEST_F(Pirqs, MessagesGetNumbersFromTheTop)
{
    const Pirq first = *pirqs::map_msi(domain, {nic, 1, 0, table}, -1), second = *pirqs::map_msi(domain, {nic, 1, 1, table}, -1);
    EXPECT_EQ(first.raw(), 1023u);
    EXPECT_EQ(second.raw(), 1022u);
    EXPECT_FALSE(*pirqs::needs_eoi(domain, first));
    EXPECT_EQ(pirqs::map_msi(domain, {nic, 1, 1, table}, -1).error(), Error::exist);
    EXPECT_EQ(pirqs::map_msi(domain, {nic, 1, 4, table}, -1).error(), Error::inval);
    EXPECT_EQ(pirqs::map_msi(domain, {nic, 1, 2, table + 0x1000}, -1).error(), Error::inval);
    EXPECT_EQ(pirqs::map_msi(domain, {{0, 0, 0x20}, 1, 0, table}, -1).error(), Error::nodev);
    ASSERT_TRUE(pirqs::bind(domain, second, 7).ok());
    EXPECT_EQ(fake::raise(vector_of(second)), 7u);
    EXPECT_EQ(fake::raise(vector_of(second)), 7u);
}

TEST_F(Pirqs, ABlockOfMessagesIsConsecutive)
{
    const Pirq p = *pirqs::map_msi(domain, {nic, 4}, -1);
    EXPECT_EQ(p.raw(), 1020u);
    for (u32 i = 0; i < 4; i++)
        EXPECT_EQ(vector_of(p + i).raw(), vector_of(p).raw() + i);
    EXPECT_EQ(pirqs::map_msi(domain, {nic, 16}, -1).error(), Error::inval) << "the device has eight";
    EXPECT_EQ(pirqs::map_msi(domain, {nic, 0}, -1).error(), Error::inval);
    EXPECT_EQ(pirqs::map_msi(domain, {nic, 33}, -1).error(), Error::inval);
}

TEST_F(Pirqs, AReservedNumberIsTakenOnlyByName)
{
    const Pirq p = *pirqs::reserve(domain);
    EXPECT_EQ(p.raw(), 1023u);
    EXPECT_EQ(pirqs::bind(domain, p, 1).error(), Error::inval);
    EXPECT_EQ(pirqs::map_gsi(domain, 3, s32(p.raw()))->raw(), 1023u);
    EXPECT_EQ(pirqs::map_msi(domain, {nic}, -1)->raw(), 1022u);
}

TEST_F(Pirqs, NumbersRunOut)
{
    unsigned given = 0;
    while (pirqs::reserve(domain).ok())
        given++;
    EXPECT_EQ(given, 1023u);
    EXPECT_EQ(pirqs::reserve(domain).error(), Error::nospc);
}

TEST_F(Pirqs, ADyingDomainGivesEverythingBack)
{
    const Pirq p = *pirqs::map_msi(domain, {nic, 4}, -1);
    ASSERT_TRUE(pirqs::bind(domain, p + 1, 9).ok());
    ASSERT_TRUE(pirqs::map_gsi(domain, 20, 20).ok());
    ASSERT_TRUE(pirqs::bind(domain, Pirq{20}, 10).ok());
    const Vector gsi = vector_of(Pirq{20});
    EXPECT_EQ(fake::line_count(), 5u);
    pirqs::release_all(domain);
    EXPECT_EQ(fake::line_count(), 1u) << "a GSI keeps its vector";
    EXPECT_EQ(fake::raise(gsi), 0u);
    EXPECT_FALSE(fake::disabled_functions().empty());
    pirqs::unbind(domain, Pirq{20});
    EXPECT_EQ(pirqs::eoi(domain, Pirq{20}).error(), Error::inval);
    domain.life = Life::dying;
    EXPECT_EQ(pirqs::map_gsi(domain, 3, 3).error(), Error::inval) << "no new table for the dying";
}

} // namespace
