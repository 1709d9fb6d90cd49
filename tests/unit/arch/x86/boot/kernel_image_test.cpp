// Real compressors (xz, zstd, gzip, lz4) on one side, the linked decoders on the other.
#include "elf_builder.hpp"
#include <cstdio>
#include <cstdlib>
#include <fake/machine.hpp>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <unistd.h>

using namespace tenon;
using test::bzimage;

namespace {

std::vector<u8> read_file(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// An ELF file of some megabytes: code-like (for the branch filter), repetitive and random parts.
std::vector<u8> kernel_like()
{
    test::ElfBuilder elf = test::ElfBuilder::linux_like();
    elf.segments[1].file_bytes = 9 << 20;
    elf.segments[1].memory_bytes = 10 << 20;
    auto file = elf.build();
    std::mt19937 random(1);
    for (size_t i = 0x3000; i + 5 < file.size() / 2; i += 5 + random() % 40) {
        file[i] = 0xe8; // call
        u32 target = u32(random() % 4096 * 64 - i);
        std::memcpy(&file[i + 1], &target, 4);
    }
    for (size_t i = file.size() / 2; i < file.size() * 5 / 8; i++)
        file[i] = u8(random());
    return file;
}

std::vector<u8> compress(const std::vector<u8>& data, const std::string& command)
{
    std::string base = testing::TempDir() + "kernel_image_test." + std::to_string(getpid());
    std::ofstream(base, std::ios::binary).write(reinterpret_cast<const char*>(data.data()), std::streamsize(data.size()));
    EXPECT_EQ(std::system((command + " <" + base + " >" + base + ".out 2>/dev/null").c_str()), 0) << command;
    auto out = read_file(base + ".out");
    unlink(base.c_str());
    unlink((base + ".out").c_str());
    return out;
}

struct KernelFile : testing::Test {
    KernelFile() { fake::reset(); }

    /// Empty when refused; the reason is in `log`.
    std::vector<u8> unpack(const std::vector<u8>& file, u64 memory = 34 << 20)
    {
        auto exact = std::make_unique<u8[]>(file.size());
        std::copy(file.begin(), file.end(), exact.get());
        std::span<const u8> view(exact.get(), file.size());
        std::vector<u8> result;
        if (auto kernel = look_into(view); kernel.ok() && !kernel->decoder) {
            result.assign(kernel->data.begin(), kernel->data.end());
        } else if (kernel.ok()) {
            auto out = std::make_unique_for_overwrite<u8[]>(kernel->unpacked_bytes);
            auto scratch = std::make_unique_for_overwrite<u8[]>(memory);
            Arena arena{{scratch.get(), memory}};
            std::span<u8> elf{out.get(), kernel->unpacked_bytes};
            if (unpack_kernel(*kernel, elf, arena).ok())
                result.assign(elf.begin(), elf.end());
        }
        log = fake::take_log();
        EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), result.empty() ? 1 : 0) << log;
        return result;
    }
    bool refused(const std::vector<u8>& file, const char* why) { return unpack(file).empty() && log.find(why) != log.npos; }
    std::string log;
};

struct Format {
    const char* command;
    bool append_size;
};
constexpr Format formats[] = {
    {"xz --check=crc32 --x86 --lzma2=preset=6,dict=32MiB", true},
    {"xz --check=crc64 -1", true},
    {"zstd -19 --ultra --long=27", true},
    {"zstd -3", true},
    {"gzip -9 -n", false},
    {"lz4 -l -9", true},
};

TEST_F(KernelFile, UnpacksEveryFormat)
{
    auto elf = kernel_like();
    for (auto& f : formats) {
        auto payload = compress(elf, f.command);
        ASSERT_FALSE(payload.empty());
        ASSERT_LT(payload.size(), elf.size());
        EXPECT_TRUE(unpack(bzimage(payload, f.append_size, u32(elf.size()))) == elf) << f.command << ": " << log;
    }
    EXPECT_TRUE(unpack(elf) == elf);
    EXPECT_TRUE(unpack(bzimage(elf, true, u32(elf.size()))).size() >= elf.size()); // not compressed
}

TEST_F(KernelFile, UnpacksWhatDebianShips)
{
    int found = 0;
    for (auto name : {"6.1", "6.12", "cloud"}) {
        auto file = read_file(std::string("build/cache/kernel/") + name + "/vmlinuz");
        if (file.empty())
            continue;
        found++;
        auto elf = unpack(file);
        ASSERT_FALSE(elf.empty()) << log;
        KernelImage image;
        ASSERT_TRUE(parse_elf(elf, image).ok()) << fake::take_log();
        EXPECT_EQ(image.virt_base, 0xffffffff80000000u);
        EXPECT_EQ(image.loader, "generic");
        EXPECT_TRUE(image.mod_start_pfn);
    }
    if (!found)
        GTEST_SKIP() << "no kernel packages were fetched";
}

TEST_F(KernelFile, NamesWhatIsWrong)
{
    auto elf = kernel_like();
    EXPECT_TRUE(refused({}, "neither bzImage nor ELF"));
    EXPECT_TRUE(refused(std::vector<u8>(4096, 0), "kernel: neither bzImage nor ELF"));
    auto payload = compress(elf, "xz --x86 --lzma2");
    auto good = bzimage(payload, true, u32(elf.size()));
    auto old = good;
    old[0x206] = 7;
    EXPECT_TRUE(refused(old, "older than 2.08"));
    auto cut = good;
    cut.resize(good.size() - 1);
    EXPECT_TRUE(refused(cut, "cut short"));
    cut.resize(700);
    EXPECT_TRUE(refused(cut, "cut short"));
    cut.resize(300);
    EXPECT_TRUE(refused(cut, "neither bzImage nor ELF"));
    auto unknown = good;
    unknown[(3 + 1) * 512 + 0x100] = 'B';
    EXPECT_TRUE(refused(unknown, "compression is not known (it begins with 42"));
    EXPECT_TRUE(refused(payload, "neither bzImage nor ELF"));
    EXPECT_TRUE(refused(bzimage(payload, true, 0xffffffff), "claims to decompress to 4294967295"));
    EXPECT_TRUE(refused(bzimage(payload, true, 0), "claims to decompress to 0"));
    EXPECT_TRUE(refused(bzimage(payload, true, u32(elf.size() + 1)), "XZ data is damaged"));
    EXPECT_TRUE(refused(bzimage(payload, true, u32(elf.size() - 1)), "XZ data is damaged"));
    EXPECT_TRUE(unpack(good, 4 << 20).empty());
    EXPECT_NE(log.find("not enough memory"), log.npos);
}

TEST_F(KernelFile, DamagedStreamsNeverHarm)
{
    test::ElfBuilder builder = test::ElfBuilder::linux_like();
    builder.segments[1].file_bytes = 0x10000;
    builder.segments[1].memory_bytes = 0x20000;
    auto elf = builder.build();
    for (Format f : {Format{"xz --x86 --lzma2=preset=1,dict=64KiB", true}, {"zstd -19", true}, {"gzip", false}, {"lz4 -l", true}}) {
        auto payload = compress(elf, f.command);
        int survived = 0;
        for (unsigned seed = 0; seed < 150; seed++) {
            std::mt19937 random(seed);
            auto damaged = payload;
            for (unsigned n = random() % 4 + 1; n; n--)
                damaged[8 + random() % (damaged.size() - 8)] ^= u8(1 + random() % 255);
            if (random() % 4 == 0)
                damaged.resize(std::max<size_t>(16, random() % damaged.size()));
            survived += !unpack(bzimage(damaged, f.append_size, u32(elf.size())), 1 << 20).empty();
        }
        EXPECT_LT(survived, 150) << f.command; // LZ4's legacy frame has no checksum: some damage is not seen
    }
}

} // namespace
