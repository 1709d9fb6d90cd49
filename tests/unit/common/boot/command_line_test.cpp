#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>
#include <tenon/boot/known_options.hpp>
#include <tenon/boot/option.hpp>

using namespace tenon;

namespace {

bool flag;
u32 number;
u64 size;
std::string_view word;
std::string custom;
bool take_custom(std::string_view value)
{
    custom = value;
    return value != "bad";
}
TENON_OPTION("t_flag", &flag);
TENON_OPTION("t_number", &number);
TENON_OPTION("t_size", &size);
TENON_OPTION("t_word", &word);
TENON_OPTION("t_custom", take_custom, "anything but bad");
TENON_OPTION(Option::meaningless("t_nothing", "because"));

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
    for (auto [text, value] : {std::pair{"t_flag", true}, {"no-t_flag", false}, {"t_flag=on", true}, {"t_flag=0", false}, {"t_flag=yes", true},
                               {"t_flag=off", false}, {"t_flag=enable", true}, {"no-t_flag=off", true}, {"t_flag=false", false}}) {
        EXPECT_EQ(parse(text), "");
        EXPECT_EQ(flag, value) << text;
    }
    EXPECT_NE(parse("t_flag=maybe").find("malformed option: t_flag=maybe"), std::string::npos);
}

TEST_F(CommandLine, Values)
{
    EXPECT_EQ(parse("  t_number=17\tt_size=3G t_word=a=b,c t_custom=x\n"), "");
    EXPECT_EQ(number, 17u);
    EXPECT_EQ(size, u64{3} << 30);
    EXPECT_EQ(word, "a=b,c");
    EXPECT_EQ(custom, "x");
    EXPECT_EQ(parse("t_number=0x1F t_size=12 t_number=5 t_word= t_custom"), "");
    EXPECT_EQ(number, 5u); // the last one counts
    EXPECT_EQ(size, 12u);
    EXPECT_EQ(word, "");
    EXPECT_EQ(custom, "");
}

TEST_F(CommandLine, BadValuesAreNamedAndChangeNothing)
{
    number = 1, size = 2;
    for (auto text : {"t_number=", "t_number", "t_number=x", "t_number=4294967296", "t_number=99999999999999999999999", "t_number=-1", "t_size=G",
                      "t_size=99999999999G", "t_size=1Q", "t_custom=bad", "t_word", "t_size=0xG"})
        EXPECT_NE(parse(text).find(std::string("malformed option: ") + text), std::string::npos) << text;
    EXPECT_EQ(number, 1u);
    EXPECT_EQ(size, 2u);
    EXPECT_NE(parse("unheard-of=1 t_number=9").find("unknown option: unheard-of=1"), std::string::npos);
    EXPECT_EQ(number, 9u); // the boot goes on
    EXPECT_NE(parse("no-t_number").find("unknown option"), std::string::npos);
    EXPECT_NE(parse("no-").find("unknown option"), std::string::npos);
    EXPECT_NE(parse("=x").find("unknown option"), std::string::npos);
    EXPECT_NE(parse("t_nothing=1").find("has no meaning here: because"), std::string::npos);
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
    EXPECT_EQ(parse("placeholder dom0_max_vcpus=2-4 maxcpus=3 console=com1 com1=115200,8n1 noreboot no-smap smep=off smt=off vga=keep loglvl=all "
                    "guest_loglvl=all/all"), "");
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
    const char* pieces[] = {"t_flag", "no-", "=", "dom0_mem", "max:", ",", " ", "-", "1", "G", "0x", "t_size", "dom0_max_vcpus", "loglvl", "/"};
    for (int i = 0; i < 3000; i++) {
        std::string line;
        for (unsigned n = random() % 12; n; n--)
            line += pieces[random() % std::size(pieces)];
        parse(line.c_str());
    }
}

} // namespace
