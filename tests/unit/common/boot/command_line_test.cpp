#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>
#include <tenon/boot/known_options.hpp>

using namespace tenon;

namespace {

struct CommandLine : testing::Test {
    CommandLine() { fake::reset(); }
    std::string parse(const char* line)
    {
        command_line::parse(line);
        return fake::take_log();
    }
};

TEST_F(CommandLine, Flags)
{
    for (auto [text, value] : {std::pair{"noreboot", true},
                               {"no-noreboot", false},
                               {"noreboot=on", true},
                               {"noreboot=0", false},
                               {"noreboot=yes", true},
                               {"noreboot=off", false},
                               {"noreboot=enable", true},
                               {"no-noreboot=off", true},
                               {"noreboot=false", false}}) {
        EXPECT_EQ(parse(text), "");
        EXPECT_EQ(options::noreboot, value) << text;
    }
    EXPECT_NE(parse("noreboot=maybe").find("malformed option: noreboot=maybe"), std::string::npos);
}

TEST_F(CommandLine, Values)
{
    EXPECT_EQ(parse("  maxcpus=17\tdom0_mem=3G com1=a=b,c\n"), "");
    EXPECT_EQ(options::max_cpus, 17u);
    EXPECT_EQ(options::com1, "a=b,c");
    EXPECT_EQ(options::dom0_memory.initial.bytes, u64{3} << 30);
    for (auto [text, bytes] : {std::pair{"12", 12ul}, {"0x1k", 1024}, {"3M", 3ul << 20}, {"2g", 2ul << 30}, {"1T", 1ul << 40}})
        EXPECT_EQ(command_line::parse_size(text).value(), bytes) << text;
    for (auto text : {"", "G", "99999999999G", "1Q", "0xG", "-1"})
        EXPECT_FALSE(command_line::parse_size(text).ok()) << text;
    EXPECT_EQ(parse("maxcpus=0x1F maxcpus=5 com1="), "");
    EXPECT_EQ(options::max_cpus, 5u); // the last one counts
    EXPECT_EQ(options::com1, "");
}

TEST_F(CommandLine, BadValuesAreNamedAndChangeNothing)
{
    EXPECT_EQ(parse("maxcpus=1 com1=x dom0_mem=2M"), "");
    for (auto text :
         {"maxcpus=", "maxcpus", "maxcpus=x", "maxcpus=4294967296", "maxcpus=99999999999999999999999", "maxcpus=-1", "dom0_mem=G", "com1"})
        EXPECT_NE(parse(text).find(std::string("malformed option: ") + text), std::string::npos) << text;
    EXPECT_EQ(options::max_cpus, 1u);
    EXPECT_EQ(options::dom0_memory.initial.bytes, u64{2} << 20);
    EXPECT_NE(parse("com1=x com1").find("malformed option: com1"), std::string::npos);
    EXPECT_EQ(options::com1, "x");
    EXPECT_NE(parse("unheard-of=1 maxcpus=9").find("unknown option: unheard-of=1"), std::string::npos);
    EXPECT_EQ(options::max_cpus, 9u); // the boot goes on
    EXPECT_NE(parse("no-maxcpus").find("unknown option"), std::string::npos);
    EXPECT_NE(parse("no-").find("unknown option"), std::string::npos);
    EXPECT_NE(parse("=x").find("unknown option"), std::string::npos);
}

TEST_F(CommandLine, Dom0Memory)
{
    using options::dom0_memory;
    EXPECT_EQ(parse("dom0_mem=512M"), "");
    EXPECT_EQ(dom0_memory.initial_frames(1 << 20), 0x20000u);
    EXPECT_EQ(dom0_memory.initial_frames(1000), 1000u);
    EXPECT_EQ(dom0_memory.maximum_frames(1 << 20), ~u64{0});
    EXPECT_EQ(parse("dom0_mem=1G,max:2G,min:256M"), "");
    EXPECT_EQ(dom0_memory.initial.bytes, u64{1} << 30);
    EXPECT_EQ(dom0_memory.maximum_frames(1 << 20), 0x80000u);
    EXPECT_EQ(dom0_memory.minimum.bytes, u64{256} << 20);
    EXPECT_EQ(parse("dom0_mem=-128M,max:-64M"), "");
    EXPECT_EQ(dom0_memory.initial_frames(0x40000), 0x38000u);
    EXPECT_EQ(dom0_memory.initial_frames(0x1000), 0u);
    EXPECT_EQ(parse("dom0_mem=max:256M"), "");
    EXPECT_EQ(dom0_memory.initial_frames(0x40000), 0x10000u);
    EXPECT_EQ(parse("dom0_mem=min:1G,512M"), "");
    EXPECT_EQ(dom0_memory.initial_frames(1 << 20), 0x40000u);
    for (auto bad : {"dom0_mem=", "dom0_mem=x", "dom0_mem=1G,", "dom0_mem=max:", "dom0_mem=1G,low:3", "dom0_mem=--1G"})
        EXPECT_NE(parse(bad).find("malformed"), std::string::npos) << bad;
    EXPECT_EQ(dom0_memory.minimum.bytes, u64{1} << 30);
}

TEST_F(CommandLine, OtherKnownOptions)
{
    EXPECT_EQ(
        parse("placeholder dom0_max_vcpus=2-4 maxcpus=3 console=com1 com1=115200,8n1 noreboot no-smap smep=off smt=off vga=keep loglvl=all "
              "guest_loglvl=all/all"),
        "");
    EXPECT_EQ(options::dom0_min_vcpus, 2u);
    EXPECT_EQ(options::dom0_max_vcpus, 4u);
    EXPECT_EQ(options::max_cpus, 3u);
    EXPECT_TRUE(options::console_names("com1"));
    EXPECT_FALSE(options::console_names("vga"));
    EXPECT_EQ(options::com1, "115200,8n1");
    EXPECT_TRUE(options::noreboot);
    EXPECT_FALSE(options::smap);
    EXPECT_FALSE(options::smep);
    EXPECT_FALSE(options::smt);
    EXPECT_TRUE(options::keep_screen);
    EXPECT_NE(parse("vga=gfx-1024x768x32").find("vga=gfx-1024x768x32 has no meaning here"), std::string::npos);
    EXPECT_NE(parse("sync_console").find("sync_console has no meaning here"), std::string::npos);
    EXPECT_EQ(parse("dom0_max_vcpus=3 nosmp"), "");
    EXPECT_EQ(options::dom0_max_vcpus, 3u);
    EXPECT_EQ(options::max_cpus, 1u);
    EXPECT_NE(parse("dom0_max_vcpus=4-2").find("malformed"), std::string::npos);
    EXPECT_NE(parse("loglvl=loud").find("malformed"), std::string::npos);
    EXPECT_NE(parse("xpti=off").find("has no meaning here"), std::string::npos);
}

TEST_F(CommandLine, LongAndRandomLines)
{
    std::string longer(5000, 'a');
    EXPECT_NE(parse(longer.c_str()).find("longer than"), std::string::npos);
    EXPECT_LT(std::string(command_line::text()).size(), 2048u);
    std::mt19937 random(1);
    const char* pieces[] = {"noreboot", "no-", "=",  "dom0_mem", "max:",           ",",      " ", "-",
                            "1",        "G",   "0x", "maxcpus",  "dom0_max_vcpus", "loglvl", "/"};
    for (int i = 0; i < 3000; i++) {
        std::string line;
        for (unsigned n = random() % 12; n; n--)
            line += pieces[random() % std::size(pieces)];
        parse(line.c_str());
    }
}

} // namespace
