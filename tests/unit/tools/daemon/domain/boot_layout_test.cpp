// Kernel images, the initial layout, and the page tables that go with it.
#include <tools/daemon/domain/page_tables.hpp>

#include <tools/lib/error.hpp>

#include <elf.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

using namespace tenon::tools;

namespace {

constexpr std::uint64_t base = 0xffffffff80000000, p2m_at = 0x8000000000;

void put(Bytes& to, const void* data, std::size_t size)
{
    auto bytes = static_cast<const std::byte*>(data);
    to.insert(to.end(), bytes, bytes + size);
}

template <class T> void put_note(Bytes& to, std::uint32_t type, const T& value)
{
    Elf64_Nhdr header{4, sizeof value, type};
    put(to, &header, sizeof header);
    put(to, "Xen", 4);
    put(to, &value, sizeof value);
}

/// One segment at 16 MiB, as Linux has it.
Bytes make_elf(std::uint64_t load_address = 0x1000000)
{
    Bytes notes;
    put_note(notes, 1, base + 0x1000040);
    put_note(notes, 3, base);
    put_note(notes, 5, std::array<char, 8>{'x', 'e', 'n', '-', '3', '.', '0'});
    put_note(notes, 15, p2m_at);
    put_note(notes, 16, std::uint32_t{1});
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    Elf64_Phdr load{.p_type = PT_LOAD,
                    .p_flags = 7,
                    .p_offset = 0,
                    .p_vaddr = 0,
                    .p_paddr = load_address,
                    .p_filesz = 64,
                    .p_memsz = 0x300000,
                    .p_align = 4096};
    Elf64_Phdr note{.p_type = PT_NOTE,
                    .p_flags = 4,
                    .p_offset = sizeof header + 2 * sizeof load,
                    .p_vaddr = 0,
                    .p_paddr = 0,
                    .p_filesz = notes.size(),
                    .p_memsz = notes.size(),
                    .p_align = 4};
    Bytes elf;
    put(elf, &header, sizeof header);
    put(elf, &load, sizeof load);
    put(elf, &note, sizeof note);
    put(elf, notes.data(), notes.size());
    return elf;
}

Bytes make_bzimage(const Bytes& packed, std::uint32_t unpacked_size)
{
    Bytes file(1024 + 16);
    auto set = [&](std::size_t at, auto value) { std::memcpy(file.data() + at, &value, sizeof value); };
    set(0x1f1, std::uint8_t{1});
    set(0x202, std::uint32_t{0x53726448});
    set(0x206, std::uint16_t{0x20f});
    set(0x248, std::uint32_t{16});
    set(0x24c, static_cast<std::uint32_t>(packed.size() + 4));
    put(file, packed.data(), packed.size());
    put(file, &unpacked_size, 4);
    return file;
}

TEST(KernelImage, ReadsNotesAndSegments)
{
    auto image = KernelImage::parse(make_elf());
    EXPECT_EQ(image.entry, base + 0x1000040);
    EXPECT_EQ(image.virtual_base, base);
    EXPECT_EQ(image.p2m_address, p2m_at);
    EXPECT_TRUE(image.initrd_by_frame);
    EXPECT_FALSE(image.hypercall_page);
    EXPECT_EQ(image.end, 0x1300000u);
}

TEST(KernelImage, UnpacksABzImage)
{
    auto elf = make_elf();
    Bytes packed(ZSTD_compressBound(elf.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), elf.data(), elf.size(), 1));
    auto image = KernelImage::parse(make_bzimage(packed, static_cast<std::uint32_t>(elf.size())));
    EXPECT_EQ(image.elf, elf);
}

TEST(KernelImage, SaysWhatIsWrong)
{
    auto error_of = [](Bytes file) -> std::string {
        try {
            KernelImage::parse(std::move(file));
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(error_of(Bytes(100)), "");
    EXPECT_NE(error_of(Bytes(2000)).find("neither an ELF file nor a bzImage"), std::string::npos);
    Bytes bzip2{std::byte{'B'}, std::byte{'Z'}, std::byte{'h'}, std::byte{'9'}, std::byte{0}};
    EXPECT_NE(error_of(make_bzimage(bzip2, 1)).find("bzip2"), std::string::npos);
    EXPECT_NE(error_of(make_elf(3ull << 30)).find("can not be right"), std::string::npos);
    auto elf = make_elf();
    for (std::size_t size = 0; size < elf.size(); ++size) // cut short anywhere: an error, never a crash
        EXPECT_NE(error_of(Bytes(elf.begin(), elf.begin() + static_cast<long>(size))), "") << size;
}

TEST(KernelImage, SurvivesDamagedBytes)
{
    auto elf = make_elf();
    for (std::size_t at = 0; at < elf.size(); ++at)
        for (unsigned value : {0x00u, 0x7fu, 0xffu}) {
            auto damaged = elf;
            damaged[at] = static_cast<std::byte>(value);
            try {
                KernelImage::parse(std::move(damaged));
            } catch (const Error&) {
                // as it should be
            }
        }
}

TEST(BootLayout, PutsEverythingInOrderWithoutOverlap)
{
    auto kernel = KernelImage::parse(make_elf());
    auto layout = BootLayout::plan(kernel, 5 << 20, 48 << 8);
    EXPECT_EQ(layout.start_info.first, 0x1300u);
    EXPECT_EQ(layout.store_ring.first, 0x1301u);
    EXPECT_EQ(layout.console_ring.first, 0x1302u);
    EXPECT_EQ(layout.tables.first, 0x1303u);
    EXPECT_EQ(layout.stack.first, layout.tables.end());
    EXPECT_EQ(layout.mapped_end % 1024, 0u);
    EXPECT_GE(layout.mapped_end - layout.stack.end(), 128u);
    EXPECT_EQ(layout.initrd.first, layout.mapped_end);
    EXPECT_EQ(layout.p2m.first, layout.initrd.end());
    EXPECT_EQ(layout.p2m.count, 24u);
    EXPECT_EQ(layout.p2m_tables.count, 3u);
    EXPECT_EQ(layout.tables.count, 1 + table_pages(base, layout.mapped_end << 12));
}

TEST(BootLayout, SaysHowMuchMemoryIsNeeded)
{
    auto kernel = KernelImage::parse(make_elf());
    try {
        BootLayout::plan(kernel, 0, 16 << 8);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("at least 21 MiB"), std::string::npos) << error.what();
    }
}

TEST(BootLayout, MapsInitrdAndP2mWhenTheKernelDoesNotSayOtherwise)
{
    auto kernel = KernelImage::parse(make_elf());
    kernel.p2m_address.reset();
    kernel.initrd_by_frame = false;
    auto layout = BootLayout::plan(kernel, 1 << 20, 48 << 8);
    EXPECT_EQ(layout.initrd.first, 0x1300u);
    EXPECT_EQ(layout.p2m.first, 0x1400u);
    EXPECT_EQ(layout.p2m_address, base + 0x1400000);
    EXPECT_EQ(layout.p2m_tables.count, 0u);
    EXPECT_LT(layout.p2m.end(), layout.mapped_end);
}

TEST(PageTables, MapEveryFrameAndTheTablesReadOnly)
{
    auto kernel = KernelImage::parse(make_elf());
    auto layout = BootLayout::plan(kernel, 0, 48 << 8);
    std::vector<Mfn> frames(layout.pages);
    for (std::size_t i = 0; i < frames.size(); ++i)
        frames[i] = 0x100000 + i * 7 % frames.size(); // a permutation
    PageTables tables(layout, frames);
    std::map<Mfn, const PageTables::Table*> by_frame;
    for (const auto& [frame, table] : tables.tables())
        by_frame[frames[frame]] = &table;
    EXPECT_EQ(by_frame.size(), layout.tables.count + layout.p2m_tables.count);

    auto look_up = [&](std::uint64_t address) {
        Mfn at = frames[layout.tables.first];
        for (unsigned shift : {39, 30, 21})
            at = (*by_frame.at(at))[address >> shift & 511] >> 12;
        return (*by_frame.at(at))[address >> 12 & 511];
    };
    for (Pfn frame = 0; frame < layout.mapped_end; ++frame) {
        auto entry = look_up(layout.address_of(frame));
        bool is_table = frame >= layout.tables.first && frame < layout.tables.end();
        ASSERT_EQ(entry >> 12, frames[frame]);
        ASSERT_EQ((entry & 2) == 0, is_table) << frame;
    }
    for (std::uint64_t i = 0; i < layout.p2m.count; ++i)
        ASSERT_EQ(look_up(p2m_at + (i << 12)) >> 12, frames[layout.p2m.first + i]);
}

} // namespace
