// bzImage container, ELF64 headers, notes. Every offset of the file is checked before it is used.
#include "kernel_image.hpp"

#include <tools/lib/error.hpp>

#include <abi/start_info.h>
#include <algorithm>
#include <elf.h>
#include <map>

namespace tenon::tools {

namespace {

template <class T> T read_at(ByteView data, std::size_t offset, const char* what)
{
    if (offset > data.size() || data.size() - offset < sizeof(T))
        throw Error(fmt::format("the kernel file is cut short: no {}", what));
    T value;
    std::memcpy(&value, data.data() + offset, sizeof value);
    return value;
}

bool is_elf(ByteView data) { return data.size() > SELFMAG && std::memcmp(data.data(), ELFMAG, SELFMAG) == 0; }

/// Linux boot protocol: the payload lies in the protected-mode part; its last word is the unpacked size.
Bytes unpack_bzimage(ByteView file)
{
    if (read_at<std::uint32_t>(file, 0x202, "setup header") != 0x53726448) // "HdrS"
        throw Error("the kernel is neither an ELF file nor a bzImage");
    if (read_at<std::uint16_t>(file, 0x206, "protocol version") < 0x0208)
        throw Error("the bzImage is older than boot protocol 2.08");
    auto sectors = read_at<std::uint8_t>(file, 0x1f1, "setup size");
    std::size_t start = (std::size_t{sectors ? sectors : 4u} + 1) * 512;
    std::size_t offset = start + read_at<std::uint32_t>(file, 0x248, "payload offset");
    std::size_t length = read_at<std::uint32_t>(file, 0x24c, "payload length");
    if (length < 8 || offset > file.size() || length > file.size() - offset)
        throw Error("the bzImage's payload lies outside of the file");
    auto payload = file.subspan(offset, length);
    if (is_elf(payload))
        return {payload.begin(), payload.end()};
    return decompress(payload, read_at<std::uint32_t>(payload, length - 4, "payload size"));
}

struct Notes {
    std::map<std::uint32_t, std::uint64_t> numbers;
    std::map<std::uint32_t, std::string> strings;

    std::optional<std::uint64_t> number(std::uint32_t type) const
    {
        auto found = numbers.find(type);
        return found == numbers.end() ? std::nullopt : std::optional(found->second);
    }
};

/// Notes of owner "Xen". A note of 4 or 8 bytes counts as a number, too; which it is depends on its type.
void read_notes(ByteView area, Notes& notes)
{
    auto padded = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
    while (area.size() >= sizeof(Elf64_Nhdr)) {
        auto header = read_at<Elf64_Nhdr>(area, 0, "note");
        auto name = sizeof header;
        auto value = name + padded(header.n_namesz);
        if (value > area.size() || header.n_descsz > area.size() - value)
            return;
        if (header.n_namesz == 4 && std::memcmp(area.data() + name, "Xen", 4) == 0) {
            auto text = reinterpret_cast<const char*>(area.data() + value);
            notes.strings[header.n_type] = std::string(text, strnlen(text, header.n_descsz));
            if (header.n_descsz == 4)
                notes.numbers[header.n_type] = read_at<std::uint32_t>(area, value, "note");
            else if (header.n_descsz >= 8)
                notes.numbers[header.n_type] = read_at<std::uint64_t>(area, value, "note");
        }
        area = area.subspan(std::min(area.size(), value + padded(header.n_descsz)));
    }
}

ByteView part(const Bytes& elf, const Elf64_Phdr& header, const char* what)
{
    if (header.p_offset > elf.size() || header.p_filesz > elf.size() - header.p_offset)
        throw Error(fmt::format("a {} of the kernel lies outside of the file", what));
    return ByteView(elf).subspan(header.p_offset, header.p_filesz);
}

void take_notes(KernelImage& image, const Notes& notes)
{
    auto text = [&](std::uint32_t type) {
        auto found = notes.strings.find(type);
        return found == notes.strings.end() ? std::string() : found->second;
    };
    if (notes.strings.empty())
        throw Error("the kernel has no Xen PV notes: it was built without support for paravirtual guests");
    if (text(XEN_ELFNOTE_XEN_VERSION) != "xen-3.0")
        throw Error(fmt::format("the kernel asks for interface '{}', not xen-3.0", text(XEN_ELFNOTE_XEN_VERSION)));
    if (auto loader = text(XEN_ELFNOTE_LOADER); !loader.empty() && loader != "generic")
        throw Error(fmt::format("the kernel asks for loader '{}', not generic", loader));
    if (auto entry = notes.number(XEN_ELFNOTE_ENTRY))
        image.entry = *entry;
    image.virtual_base = notes.number(XEN_ELFNOTE_VIRT_BASE).value_or(0);
    image.hypercall_page = notes.number(XEN_ELFNOTE_HYPERCALL_PAGE);
    image.p2m_address = notes.number(XEN_ELFNOTE_INIT_P2M);
    image.initrd_by_frame = notes.number(XEN_ELFNOTE_MOD_START_PFN).value_or(0) != 0;
    if ((image.virtual_base | image.p2m_address.value_or(0)) & (page_size - 1))
        throw Error("the kernel's notes ask for an address within a page");
}

} // namespace

KernelImage KernelImage::parse(Bytes file)
{
    KernelImage image;
    image.elf = is_elf(file) ? std::move(file) : unpack_bzimage(file);
    if (!is_elf(image.elf))
        throw Error("the kernel's payload is no ELF file");
    auto header = read_at<Elf64_Ehdr>(image.elf, 0, "ELF header");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        throw Error("the kernel is not for x86-64; 32-bit guests are not supported");
    image.entry = header.e_entry;

    std::vector<Elf64_Phdr> loads;
    Notes notes;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        auto at = header.e_phoff + std::uint64_t{i} * header.e_phentsize;
        auto segment = read_at<Elf64_Phdr>(image.elf, at, "program header");
        if (segment.p_type == PT_NOTE)
            read_notes(part(image.elf, segment, "note segment"), notes);
        if (segment.p_type == PT_LOAD && segment.p_memsz != 0)
            loads.push_back(segment);
    }
    take_notes(image, notes);

    // By physical address: Linux has a segment whose virtual address is 0.
    auto physical_offset = notes.number(XEN_ELFNOTE_PADDR_OFFSET).value_or(0);
    constexpr std::uint64_t most = 2ull << 30; // the initial mapping ends where a kernel's addresses do
    for (const auto& load : loads) {
        auto data = part(image.elf, load, "load segment");
        auto address = load.p_paddr - physical_offset;
        if (load.p_paddr < physical_offset || address >= most || load.p_memsz > most - address || load.p_memsz < data.size())
            throw Error(
                fmt::format("the kernel has a segment at {:#x} of {:#x} bytes, which can not be right", load.p_paddr, load.p_memsz));
        image.segments.push_back({address, load.p_offset, data.size(), load.p_memsz});
        image.end = std::max(image.end, address + load.p_memsz);
    }
    if (image.segments.empty())
        throw Error("the kernel has nothing to load");
    return image;
}

} // namespace tenon::tools
