#include <arch/x86/boot/multiboot2.hpp>
#include <array>
#include <cstring>
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace tenon;

namespace {

/// Writes information as a loader would.
struct Writer {
    std::vector<u8> bytes = std::vector<u8>(8);

    template <class T> Writer& put(T value)
    {
        auto* p = reinterpret_cast<const u8*>(&value);
        bytes.insert(bytes.end(), p, p + sizeof(T));
        return *this;
    }
    Writer& text(const char* s)
    {
        bytes.insert(bytes.end(), s, s + std::strlen(s) + 1);
        return *this;
    }
    Writer& begin(u32 type)
    {
        start = bytes.size();
        return put(type).put(u32{0});
    }
    Writer& end()
    {
        u32 size = u32(bytes.size() - start);
        std::memcpy(&bytes[start + 4], &size, 4);
        bytes.resize((bytes.size() + 7) & ~size_t{7});
        return *this;
    }
    std::span<const u8> finish(bool end_tag = true)
    {
        if (end_tag)
            begin(0).end();
        u32 size = u32(bytes.size());
        std::memcpy(bytes.data(), &size, 4);
        return bytes;
    }
    size_t start = 0;
};

struct Multiboot2 : testing::Test {
    Multiboot2() { fake::reset(); }
    bool parse(std::span<const u8> data) { return multiboot2::parse(data, info).ok(); }
    BootInfo info;
    Writer w;
};

TEST_F(Multiboot2, ReadsEverythingThatALoaderSays)
{
    w.begin(1).text("dom0_mem=512M").end();
    w.begin(2).text("GRUB 2.06").end();
    w.begin(3).put(u32{0x100000}).put(u32{0x180000}).text("/vmlinuz quiet").end();
    w.begin(3).put(u32{0x200000}).put(u32{0x200000}).text("").end();
    w.begin(4).put(u32{639}).put(u32{100000}).end();
    w.begin(6).put(u32{24}).put(u32{0}).put(u64{0}).put(u64{0x9fc00}).put(u32{1}).put(u32{0}).end();
    w.begin(8).put(u64{0xe0000000}).put(u32{4096}).put(u32{1024}).put(u32{768}).put(u8{32}).put(u8{1}).put(u16{0});
    w.put(u8{16}).put(u8{8}).put(u8{8}).put(u8{8}).put(u8{0}).put(u8{8}).end();
    w.begin(12).put(u64{0x12345678}).end();
    w.begin(14).text("RSD PTR 0123456789a").end();
    w.begin(15).text("RSD PTR 0123456789abcdefghijklmnopq").end();
    w.begin(14).text("RSD PTR old again..").end();
    w.begin(17).put(u32{48}).put(u32{1}).put(u64{7}).put(u64{0x100000}).put(u64{0}).put(u64{16}).put(u64{0}).put(u64{0}).end();
    w.begin(18).end();
    w.begin(21).put(u32{0x200000}).end();
    w.begin(0x7777).put(u64{1}).end();
    ASSERT_TRUE(parse(w.finish()));
    EXPECT_STREQ(info.command_line, "dom0_mem=512M");
    EXPECT_STREQ(info.loader, "GRUB 2.06");
    ASSERT_EQ(info.modules().size(), 2u);
    EXPECT_EQ(info.modules()[0].start, 0x100000u);
    EXPECT_EQ(info.modules()[0].bytes, 0x80000u);
    EXPECT_STREQ(info.modules()[0].command_line, "/vmlinuz quiet");
    EXPECT_EQ(info.modules()[1].bytes, 0u);
    EXPECT_EQ(info.mmap.size(), 24u);
    EXPECT_EQ(info.framebuffer.address, 0xe0000000u);
    EXPECT_EQ(info.framebuffer.red.position, 16);
    EXPECT_EQ(info.framebuffer.blue.size, 8);
    EXPECT_EQ(info.efi_system_table, 0x12345678u);
    EXPECT_EQ(info.rsdp_bytes, 36u);
    EXPECT_EQ(info.rsdp[8], '0');
    EXPECT_EQ(info.rsdp[20], 'c');
    EXPECT_EQ(fake::take_log(), "");
}

TEST_F(Multiboot2, TextAndIndexedFramebuffersAreNone)
{
    w.begin(8).put(u64{0xb8000}).put(u32{160}).put(u32{80}).put(u32{25}).put(u8{16}).put(u8{2}).put(u16{0}).end();
    ASSERT_TRUE(parse(w.finish()));
    EXPECT_EQ(info.framebuffer.address, 0u);
    EXPECT_FALSE(info.has_graphics);
    Writer indexed;
    indexed.begin(8).put(u64{0xa0000}).put(u32{320}).put(u32{320}).put(u32{200}).put(u8{8}).put(u8{0}).put(u16{0}).end();
    ASSERT_TRUE(parse(indexed.finish()));
    EXPECT_EQ(info.framebuffer.address, 0u);
    EXPECT_TRUE(info.has_graphics);
    EXPECT_EQ(fake::take_log(), "");
}

TEST_F(Multiboot2, FramebuffersThatCannotBeDrawnOnAreDamaged)
{
    for (auto [pitch, width, height, bits, blue] : {std::array<u32, 5>{4096, 1024, 768, 32, 8},
                                                    {2048, 1024, 768, 16, 0},
                                                    {2047, 1024, 768, 16, 5},
                                                    {4096, 1024, 768, 8, 2},
                                                    {4096, 1024, 8, 32, 8},
                                                    {4096, 1024, 768, 32, 9}}) {
        Writer one;
        one.begin(8).put(u64{0xe0000000}).put(pitch).put(width).put(height).put(u8(bits)).put(u8{1}).put(u16{0});
        one.put(u8(5)).put(u8{1}).put(u8{5}).put(u8{1}).put(u8{0}).put(u8(blue)).end();
        info = {};
        ASSERT_TRUE(parse(one.finish()));
        EXPECT_TRUE(info.has_graphics) << "no text is to be written then";
        EXPECT_EQ(info.framebuffer.address != 0, pitch == 4096 && blue == 8 && height == 768) << pitch << ' ' << bits << ' ' << blue;
    }
}

TEST_F(Multiboot2, DamagedTagsAreNamedAndLeftOut)
{
    w.begin(1).put(u32{0x41414141}).end();                            // no end of string
    w.begin(3).put(u32{0x2000}).put(u32{0x1000}).text("x").end();     // ends before it starts
    w.begin(3).put(u32{0x2000}).put(u32{0x3000}).end();               // no command line
    w.begin(6).put(u32{8}).put(u32{0}).end();                         // tiny entries
    w.begin(8).put(u64{0xe0000000}).put(u32{4}).put(u32{1024}).end(); // short
    w.begin(14).put(u32{1}).end();                                    // short
    w.begin(2).text("still read").end();
    ASSERT_TRUE(parse(w.finish()));
    EXPECT_STREQ(info.command_line, "");
    EXPECT_STREQ(info.loader, "still read");
    EXPECT_EQ(info.module_count, 0u);
    EXPECT_TRUE(info.mmap.empty());
    EXPECT_EQ(info.framebuffer.address, 0u);
    EXPECT_EQ(info.rsdp_bytes, 0u);
    std::string log = fake::take_log();
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 6);
    EXPECT_NE(log.find("tag 14 is damaged"), log.npos);
}

TEST_F(Multiboot2, BrokenListsAreRefused)
{
    EXPECT_FALSE(parse({}));
    w.begin(1).text("x").end();
    auto good = w.finish();
    std::vector<u8> bytes(good.begin(), good.end());
    auto with_u32 = [&](size_t at, u32 value) {
        auto copy = bytes;
        std::memcpy(&copy[at], &value, 4);
        return parse(copy);
    };
    EXPECT_FALSE(with_u32(0, 0));
    EXPECT_FALSE(with_u32(0, 0xffffffff));
    EXPECT_FALSE(with_u32(0, u32(bytes.size() + 8)));
    EXPECT_FALSE(with_u32(12, 0));
    EXPECT_FALSE(with_u32(12, 0xfffffff8));
    EXPECT_FALSE(with_u32(12, 0x1000));
    Writer endless;
    endless.begin(2).text("x").end();
    EXPECT_FALSE(parse(endless.finish(false)));
}

TEST_F(Multiboot2, TooManyModules)
{
    for (unsigned i = 0; i < BootInfo::max_modules + 3; i++)
        w.begin(3).put(u32{0x1000}).put(u32{0x2000}).text("m").end();
    ASSERT_TRUE(parse(w.finish()));
    EXPECT_EQ(info.module_count, BootInfo::max_modules);
}

TEST_F(Multiboot2, RandomBytesNeverHarm)
{
    for (unsigned seed = 0; seed < 20000; seed++) {
        std::mt19937 random(seed);
        std::vector<u8> bytes(16 + random() % 400);
        for (u8& b : bytes)
            b = u8(random());
        u32 size = u32(bytes.size() - random() % 3);
        std::memcpy(bytes.data(), &size, 4);
        for (size_t at = 8; at + 8 <= bytes.size();) { // mostly sane tags with random bodies
            u32 tag[2] = {u32(random() % 24), u32(8 + random() % 64)};
            if (random() % 8 == 0)
                tag[1] = u32(random());
            std::memcpy(&bytes[at], tag, 8);
            at += (u64{tag[1]} + 7) & ~7ul;
        }
        auto heap_copy = std::make_unique<u8[]>(bytes.size()); // exact bounds for the sanitizer
        std::memcpy(heap_copy.get(), bytes.data(), bytes.size());
        BootInfo result;
        (void)multiboot2::parse({heap_copy.get(), bytes.size()}, result);
        for (auto& m : result.modules())
            (void)std::strlen(m.command_line);
        (void)std::strlen(result.command_line);
    }
}

} // namespace
