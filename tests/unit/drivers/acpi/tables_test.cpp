#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>
#include <tenon/device/acpi.hpp>
#include <vector>

using namespace tenon;

namespace {

/// Machine memory of a few tables at fixed addresses; each lives in an allocation of its exact size, so that a sanitizer sees overruns.
std::map<u64, std::vector<u8>> memory;

const u8* map_memory(MachineAddr address, u64 bytes)
{
    auto it = memory.upper_bound(address.raw());
    if (it == memory.begin())
        return nullptr;
    --it;
    const u64 offset = address.raw() - it->first;
    return offset + bytes <= it->second.size() ? it->second.data() + offset : nullptr;
}

struct Builder {
    std::vector<u8> bytes;
    template <class T> Builder& add(T value)
    {
        const auto* p = reinterpret_cast<const u8*>(&value);
        bytes.insert(bytes.end(), p, p + sizeof value);
        return *this;
    }
    Builder& text(std::string s)
    {
        bytes.insert(bytes.end(), s.begin(), s.end());
        return *this;
    }
    template <class T> Builder& put(std::size_t offset, T value)
    {
        if (bytes.size() < offset + sizeof value)
            bytes.resize(offset + sizeof value);
        memcpy(&bytes[offset], &value, sizeof value);
        return *this;
    }
    u8 sum(std::size_t n) const
    {
        u8 s = 0;
        for (std::size_t i = 0; i < n; i++)
            s = u8(s + bytes[i]);
        return s;
    }
};

Builder table(const char* signature)
{
    Builder b;
    b.text(signature);
    b.bytes.resize(36);
    return b;
}

void finish(Builder& b, u64 address)
{
    b.put<u32>(4, u32(b.bytes.size()));
    b.bytes[9] = 0;
    b.bytes[9] = u8(-b.sum(b.bytes.size()));
    memory[address] = b.bytes;
}

Builder madt()
{
    Builder b = table("APIC");
    b.add<u32>(0xfee00000).add<u32>(1);
    b.add<u8>(0).add<u8>(8).add<u8>(0).add<u8>(0).add<u32>(1);
    b.add<u8>(0).add<u8>(8).add<u8>(1).add<u8>(1).add<u32>(0);
    b.add<u8>(0).add<u8>(8).add<u8>(2).add<u8>(0xff).add<u32>(0); // stands for the next
    b.add<u8>(9).add<u8>(16).add<u16>(0).add<u32>(0x123).add<u32>(1).add<u32>(2);
    b.add<u8>(1).add<u8>(12).add<u8>(5).add<u8>(0).add<u32>(0xfec00000).add<u32>(0);
    b.add<u8>(2).add<u8>(10).add<u8>(0).add<u8>(0).add<u32>(2).add<u16>(0);
    b.add<u8>(2).add<u8>(10).add<u8>(0).add<u8>(9).add<u32>(9).add<u16>(0xd);
    b.add<u8>(2).add<u8>(10).add<u8>(0).add<u8>(11).add<u32>(20).add<u16>(0xf);
    b.add<u8>(4).add<u8>(6).add<u8>(0xff).add<u16>(0).add<u8>(1);
    b.add<u8>(5).add<u8>(12).add<u16>(0).add<u64>(0xfee01000);
    b.add<u8>(0x77).add<u8>(4).add<u16>(0); // unknown: skipped
    return b;
}

Builder fadt()
{
    Builder b = table("FACP");
    b.bytes.resize(268);
    b.put<u32>(40, 0x50000).put<u16>(46, 9).put<u32>(56, 0x600).put<u32>(64, 0x604).put<u32>(76, 0x608).put<u8>(88, 4);
    b.put<u8>(108, 0x32).put<u32>(112, 1u << 8 | 1u << 10).put<u8>(116, 1).put<u8>(117, 8).put<u64>(120, 0xcf9).put<u8>(128, 0xf);
    b.put<u8>(208, 1).put<u8>(209, 16).put<u64>(212, 0xb008);   // X_PM_TMR overrides
    b.put<u8>(184, 1).put<u8>(185, 16).put<u64>(188, 0x1'0604); // X_PM1b_CNT: no such port
    return b;
}

Builder dsdt()
{
    Builder b = table("DSDT");
    b.text("....").add<u8>(0x08).text("_S5_").add<u8>(0x12).add<u8>(0x08).add<u8>(4).add<u8>(0x0a).add<u8>(5).add<u8>(0x0a).add<u8>(7);
    b.add<u8>(0).add<u8>(0).text("tail....");
    return b;
}

void build_machine(bool with_xsdt = true)
{
    memory.clear();
    Builder m = madt(), f = fadt(), d = dsdt(), cfg = table("MCFG"), other = table("HPET");
    finish(m, 0x20000);
    finish(f, 0x30000);
    finish(d, 0x50000);
    cfg.add<u64>(0).add<u64>(0xb0000000).add<u16>(0).add<u8>(0).add<u8>(255).add<u32>(0);
    finish(cfg, 0x60000);
    other.add<u32>(0).add<u32>(0).add<u64>(0xfed00000);
    finish(other, 0x70000);
    Builder x = table(with_xsdt ? "XSDT" : "RSDT");
    for (u64 address : {0x20000ul, 0x30000ul, 0x60000ul, 0x70000ul, 0xdead0000ul}) // the last is nowhere
        with_xsdt ? x.add<u64>(address) : x.add<u32>(u32(address));
    finish(x, 0x10000);
    Builder r;
    r.text("RSD PTR ").add<u8>(0).text("TENON ").add<u8>(with_xsdt ? 2 : 0).add<u32>(with_xsdt ? 0 : 0x10000);
    r.add<u32>(36).add<u64>(with_xsdt ? 0x10000 : 0).add<u32>(0);
    r.bytes[8] = u8(-r.sum(20));
    r.bytes[32] = u8(-r.sum(36));
    memory[0xf0000] = r.bytes;
}

} // namespace

class AcpiTables : public testing::TestWithParam<bool> {};

TEST_P(AcpiTables, AreReadFromBothKindsOfRoot)
{
    build_machine(GetParam());
    acpi::Machine m;
    ASSERT_TRUE(acpi::read_tables(m, memory[0xf0000], map_memory).ok());
    ASSERT_EQ(m.cpu_count, 3u);
    EXPECT_TRUE(m.cpus[0].enabled);
    EXPECT_FALSE(m.cpus[1].enabled);
    EXPECT_EQ(m.cpus[2].apic.raw(), 0x123u);
    ASSERT_EQ(m.ioapic_count, 1u);
    EXPECT_EQ(m.ioapics[0].address, 0xfec00000u);
    ASSERT_EQ(m.override_count, 3u);
    EXPECT_FALSE(m.override_for(2)->level);
    EXPECT_TRUE(m.override_for(9)->level);
    EXPECT_FALSE(m.override_for(9)->low);
    EXPECT_TRUE(m.override_for(20)->low);
    EXPECT_EQ(m.override_for(5), nullptr);
    EXPECT_TRUE(m.has_power);
    EXPECT_EQ(m.power.pm1a_control.address, 0x604u);
    EXPECT_EQ(m.power.pm1a_control.width, 16);
    EXPECT_FALSE(m.power.pm1b_control);
    EXPECT_EQ(m.power.timer.address, 0xb008u);
    EXPECT_EQ(m.power.timer.width, 32);
    EXPECT_TRUE(m.power.timer_is_32_bit);
    EXPECT_EQ(m.power.reset.reg.address, 0xcf9u);
    EXPECT_EQ(m.power.reset.value, 0xf);
    EXPECT_TRUE(m.power.has_s5);
    EXPECT_EQ(m.power.s5_a, 5);
    EXPECT_EQ(m.power.s5_b, 7);
    ASSERT_EQ(m.mcfg_count, 1u);
    EXPECT_EQ(m.mcfg[0].last_bus, 255);
}
INSTANTIATE_TEST_SUITE_P(Roots, AcpiTables, testing::Bool());

TEST(Acpi, LeavesOutATableWithAWrongSum)
{
    build_machine();
    memory[0x20000][50] ^= 1;
    acpi::Machine m;
    ASSERT_TRUE(acpi::read_tables(m, memory[0xf0000], map_memory).ok());
    EXPECT_EQ(m.cpu_count, 0u);
    EXPECT_TRUE(m.has_power);
    memory[0xf0000][12] ^= 1;
    EXPECT_EQ(acpi::read_tables(m, memory[0xf0000], map_memory).error(), Error::nodev);
}

TEST(Acpi, ShortFadtOfVersion1HasNoResetAndNoExtendedBlocks)
{
    build_machine();
    Builder f = fadt();
    f.bytes.resize(116);
    finish(f, 0x30000);
    acpi::Machine m;
    ASSERT_TRUE(acpi::read_tables(m, memory[0xf0000], map_memory).ok());
    EXPECT_FALSE(m.power.reset.reg);
    EXPECT_EQ(m.power.timer.address, 0x608u);
}

TEST(Acpi, HardwareReducedMachineHasOnlyTheSleepControlRegister)
{
    build_machine();
    Builder f = fadt();
    f.put<u32>(112, 1u << 20 | 1u << 10).put<u8>(116, 1).put<u64>(120, 0x1'0cf9);
    f.put<u8>(244, 0).put<u8>(245, 64).put<u64>(248, 0xfed80000);
    finish(f, 0x30000);
    acpi::Machine m;
    ASSERT_TRUE(acpi::read_tables(m, memory[0xf0000], map_memory).ok());
    EXPECT_FALSE(m.power.pm1a_control);
    EXPECT_FALSE(m.power.timer);
    EXPECT_EQ(m.power.sleep_control.address, 0xfed80000u);
    EXPECT_EQ(m.power.sleep_control.width, 8);
    EXPECT_FALSE(m.power.reset.reg); // a port beyond the last one
}

TEST(Acpi, CountsAreBoundedByTheRecord)
{
    build_machine();
    Builder b = table("APIC");
    b.add<u32>(0xfee00000).add<u32>(1);
    for (unsigned i = 0; i < 300; i++)
        b.add<u8>(9).add<u8>(16).add<u16>(0).add<u32>(i).add<u32>(1).add<u32>(i);
    for (unsigned i = 0; i < 40; i++) {
        b.add<u8>(1).add<u8>(12).add<u8>(u8(i)).add<u8>(0).add<u32>(0xfec00000 + i * 0x1000).add<u32>(i * 24);
        b.add<u8>(2).add<u8>(10).add<u8>(0).add<u8>(u8(i)).add<u32>(i).add<u16>(0);
    }
    finish(b, 0x20000);
    acpi::Machine m;
    ASSERT_TRUE(acpi::read_tables(m, memory[0xf0000], map_memory).ok());
    EXPECT_EQ(m.cpu_count, max_cpus);
    EXPECT_EQ(m.ioapic_count, std::size(m.ioapics));
    EXPECT_EQ(m.override_count, std::size(m.overrides));
}

TEST(Acpi, SurvivesRandomDamage)
{
    std::mt19937 random(1);
    for (unsigned round = 0; round < 3000; round++) {
        build_machine(round & 1);
        auto it = memory.begin();
        std::advance(it, random() % memory.size());
        auto& bytes = it->second;
        for (unsigned n = random() % 8 + 1; n; n--)
            bytes[random() % bytes.size()] = u8(random());
        if (it->first != 0xf0000 && bytes.size() >= 36) { // let damaged tables through the checksum
            if (random() % 2)
                bytes.resize(36 + random() % (bytes.size() - 35));
            const u32 size = u32(bytes.size());
            memcpy(&bytes[4], &size, 4);
            bytes[9] = 0;
            u8 sum = 0;
            for (u8 b : bytes)
                sum = u8(sum + b);
            bytes[9] = u8(-sum);
        }
        acpi::Machine m;
        (void)acpi::read_tables(m, memory[0xf0000], map_memory).ok();
        EXPECT_LE(m.cpu_count, max_cpus);
    }
}

TEST(Acpi, S5WithConstantsAndLongPackage)
{
    // ZeroOp and OneOp instead of byte constants; a two-byte PkgLength; the name rooted.
    std::vector<u8> aml(37, 0);
    for (u8 b : {0x08, int('\\'), int('_'), int('S'), int('5'), int('_'), 0x12, 0x46, 0x00, 0x04, 0x01, 0x00, 0x00, 0x00})
        aml.push_back(u8(b));
    u8 a = 9, b = 9;
    ASSERT_TRUE(acpi::find_s5(aml.data(), aml.size(), a, b));
    EXPECT_EQ(a, 1);
    EXPECT_EQ(b, 0);
    aml[37 + 5] = 'X';
    EXPECT_FALSE(acpi::find_s5(aml.data(), aml.size(), a, b));
}
