#include "elf_builder.hpp"
#include <fake/machine.hpp>
#include <gtest/gtest.h>
#include <random>

using namespace tenon;
using test::ElfBuilder;

namespace {

struct ElfImage : testing::Test {
    ElfImage() { fake::reset(); }

    bool parse(const std::vector<u8>& file)
    {
        auto exact = std::make_unique<u8[]>(file.size());
        std::copy(file.begin(), file.end(), exact.get());
        image.~KernelImage();
        new (&image) KernelImage;
        bool ok = parse_elf({exact.get(), file.size()}, image).ok();
        log = fake::take_log();
        EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), ok ? 0 : 1) << log;
        return ok;
    }
    bool refused(const std::vector<u8>& file, const char* why)
    {
        return !parse(file) && log.find("kernel: ") != log.npos && log.find(why) != log.npos;
    }
    KernelImage image;
    std::string log;
};

TEST_F(ElfImage, ReadsSegmentsAndNotes)
{
    ElfBuilder elf = ElfBuilder::linux_like();
    ASSERT_TRUE(parse(elf.build())) << log;
    EXPECT_EQ(image.entry, 0xffffffff81000100u);
    EXPECT_EQ(image.virt_base, 0xffffffff80000000u);
    ASSERT_EQ(image.segments().size(), 2u);
    EXPECT_EQ(image.start, 0xffffffff81000000u);
    EXPECT_EQ(image.end, 0xffffffff81003000u);
    EXPECT_EQ(image.address_of(image.segments()[1]), 0xffffffff81001000u);
    EXPECT_EQ(image.segments()[1].memory_bytes, 0x2000u);
    EXPECT_EQ(image.segments()[1].data.size(), 0x800u);
    EXPECT_TRUE(image.init_p2m.has_value());
    EXPECT_EQ(image.init_p2m, 0x8000000000u);
    EXPECT_TRUE(image.mod_start_pfn);
    EXPECT_FALSE(image.hypercall_page.has_value());
    EXPECT_FALSE(image.is_not_pv);
}

TEST_F(ElfImage, TakesKernelsOfTheLowerHalf)
{
    ElfBuilder elf = ElfBuilder::linux_like();
    elf.set_note(1, u64{0x1000100});
    elf.set_note(3, u64{0});
    ASSERT_TRUE(parse(elf.build())) << log;
    EXPECT_EQ(image.start, 0x1000000u);
    EXPECT_EQ(image.end, 0x1003000u);
}

TEST_F(ElfImage, NamesWhatIsWrong)
{
    EXPECT_TRUE(refused({}, "not an ELF"));
    EXPECT_TRUE(refused(std::vector<u8>(100, 'x'), "not an ELF"));
    auto change = [&](size_t at, u8 value) {
        auto file = ElfBuilder::linux_like().build();
        file[at] = value;
        return file;
    };
    EXPECT_TRUE(refused(change(4, 1), "32-bit"));
    EXPECT_TRUE(refused(change(18, 183), "another kind of CPU"));
    EXPECT_TRUE(refused(change(54, 32), "damaged"));
    auto cut = ElfBuilder::linux_like().build();
    cut.resize(200);
    EXPECT_TRUE(refused(cut, "cut short"));

    auto with = [](auto&& f) {
        ElfBuilder elf = ElfBuilder::linux_like();
        f(elf);
        return elf.build();
    };
    EXPECT_TRUE(refused(with([](auto& e) { e.notes.clear(); }), "not a PV kernel"));
    EXPECT_TRUE(refused(with([](auto& e) { e.remove_note(1); }), "no entry point"));
    EXPECT_TRUE(refused(with([](auto& e) { e.segments.clear(); }), "nothing to load"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(8, "special"); }), "generic"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(5, "xen-2.0"); }), "xen-3.0"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(10, "!supervisor_mode_kernel"); }), "feature"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(1, u64{0xffffffff80000000}); }), "entry point"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(2, u64{0xffffffff81000800}); }), "hypercall page"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(2, u64{0xffffffff81003000}); }), "hypercall page"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(3, u64{0x800000000000}); }), "addresses"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(3, u64{0x7fffff000000}); }), "addresses"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(3, u64{0xffff87fffffff000}); }), "addresses"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(3, u64{0}); }), "entry point"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(3, u64{0xffffffffff000000}); }), "addresses"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(4, u64{0x2000000}); }), "addresses"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(15, u64{0xffff800000000000}); }), "p2m"));
    EXPECT_TRUE(refused(with([](auto& e) { e.set_note(15, u64{0x8000000001}); }), "p2m"));
    EXPECT_TRUE(refused(with([](auto& e) { e.segments[1].paddr = 0x1000800; }), "overlap"));
    EXPECT_TRUE(refused(with([](auto& e) { e.segments[1].memory_bytes = 0x700; }), "impossible"));
    EXPECT_TRUE(refused(with([](auto& e) { e.segments[1].memory_bytes = ~u64{0}; }), "impossible"));
    EXPECT_TRUE(refused(with([](auto& e) { e.segments[1].paddr = ~u64{0} - 100; }), "impossible"));
    EXPECT_TRUE(refused(with([](auto& e) { e.segments[1].extra_file_bytes = 1 << 20; }), "cut short"));
    EXPECT_TRUE(refused(with([](auto& e) {
                            for (u64 i = 0; i < 20; i++)
                                e.segments.push_back({0x2000000 + i * 0x1000, 16, 0x1000, 0});
                        }),
                        "too many"));
}

TEST_F(ElfImage, ToleratesOddNotes)
{
    ElfBuilder elf = ElfBuilder::linux_like();
    elf.set_note(19, "later");
    elf.set_note(6, "a name that is much longer than the place for it");
    elf.set_note(16, "");
    elf.set_note(10, "||unheard_of|!also_unheard_of||dom0");
    ASSERT_TRUE(parse(elf.build()));
    EXPECT_FALSE(image.mod_start_pfn);
    EXPECT_FALSE(image.is_not_pv);
}

TEST_F(ElfImage, DamagedFilesNeverHarm)
{
    auto good = ElfBuilder::linux_like().build();
    int accepted = 0;
    for (unsigned seed = 0; seed < 5000; seed++) {
        std::mt19937 random(seed);
        auto file = good;
        for (unsigned n = random() % 6 + 1; n; n--) {
            size_t at = random() % 3 ? random() % 0x300 : random() % file.size();
            file[at % file.size()] = random() % 2 ? u8(random()) : u8(0xff);
        }
        if (random() % 4 == 0)
            file.resize(random() % file.size());
        if (!parse(file))
            continue;
        accepted++;
        u64 sum = 0; // what is accepted can be read
        for (auto& s : image.segments()) {
            ASSERT_LE(s.data.size(), s.memory_bytes);
            ASSERT_GE(image.address_of(s), image.start);
            ASSERT_LE(image.address_of(s) + s.memory_bytes, image.end);
            sum += s.memory_bytes;
        }
        ASSERT_LE(sum, image.end - image.start);
        ASSERT_GE(*image.entry, image.start);
    }
    EXPECT_GT(accepted, 0);
}

} // namespace
