// ELF segments and Xen notes of a PV kernel. [System V ABI, chapter 5; public header elfnote.h]
#include "kernel_image.hpp"
#include <abi/start_info.h>
#include <abi/version.h>
#include <string_view>
#include <tenon/log.hpp>

namespace tenon {
namespace {

struct ElfHeader {
    u8 magic[4], elf_class, encoding, ident_version, padding[9];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 header_bytes, program_header_bytes, program_header_count, section_header_bytes, section_header_count, names;
};
static_assert(sizeof(ElfHeader) == 64);

struct ProgramHeader {
    u32 type, flags;
    u64 offset, vaddr, paddr, file_bytes, memory_bytes, align;
};
static_assert(sizeof(ProgramHeader) == 56);

constexpr u32 type_load = 1, type_note = 4;
constexpr u64 size_limit = u64{1} << 30;
constexpr u64 lowest_kernel = 0xffff'8800'0000'0000; // above the hypervisor's own range

template <class T> bool read(std::span<const u8> data, u64 offset, T& value)
{
    if (offset > data.size() || sizeof(T) > data.size() - offset)
        return false;
    __builtin_memcpy(&value, data.data() + offset, sizeof(T));
    return true;
}

Error refuse(const char* name, const char* why)
{
    log_error("%s: %s", name, why);
    return Error::inval;
}

u64 number(std::span<const u8> value)
{
    u64 n = 0;
    __builtin_memcpy(&n, value.data(), min(value.size(), sizeof(n)));
    return n;
}

/// Strings end with a NUL or with the note.
std::string_view text(std::span<const u8> value)
{
    std::size_t n = 0;
    while (n < value.size() && value[n])
        n++;
    return {reinterpret_cast<const char*>(value.data()), n};
}

template <std::size_t N> void copy_text(char (&to)[N], std::span<const u8> value)
{
    auto from = text(value);
    std::size_t n = min(from.size(), N - 1);
    __builtin_memcpy(to, from.data(), n);
    to[n] = 0;
}

constexpr struct {
    std::string_view name;
    unsigned feature;
} feature_names[] = {
    {"writable_page_tables", XENFEAT_writable_page_tables},
    {"writable_descriptor_tables", XENFEAT_writable_descriptor_tables},
    {"auto_translated_physmap", XENFEAT_auto_translated_physmap},
    {"supervisor_mode_kernel", XENFEAT_supervisor_mode_kernel},
    {"pae_pgdir_above_4gb", XENFEAT_pae_pgdir_above_4gb},
    {"dom0", XENFEAT_dom0},
};

/// A list like "!a|b": '!' marks what the kernel cannot do without.
void read_feature_list(std::string_view list, KernelImage& image)
{
    for (std::size_t at = 0; at < list.size();) {
        std::size_t end = min(list.find('|', at), list.size());
        std::string_view item(list.data() + at, end - at);
        bool required = item.starts_with('!');
        if (required)
            item.remove_prefix(1);
        for (auto& f : feature_names)
            if (item == f.name) {
                image.features |= 1u << f.feature;
                image.required_features |= required ? 1u << f.feature : 0;
            }
        at = end + 1;
    }
}

struct NotesSeen {
    bool any = false, entry = false;
};

void read_note(u32 type, std::span<const u8> value, KernelImage& image, NotesSeen& seen)
{
    seen.any = true;
    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        image.entry = number(value);
        seen.entry = true;
        break;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        image.hypercall_page = number(value);
        image.has_hypercall_page = true;
        break;
    case XEN_ELFNOTE_VIRT_BASE: image.virt_base = number(value); break;
    case XEN_ELFNOTE_PADDR_OFFSET: image.paddr_offset = number(value); break;
    case XEN_ELFNOTE_XEN_VERSION: copy_text(image.interface, value); break;
    case XEN_ELFNOTE_GUEST_OS: copy_text(image.guest_os, value); break;
    case XEN_ELFNOTE_GUEST_VERSION: copy_text(image.guest_version, value); break;
    case XEN_ELFNOTE_LOADER: copy_text(image.loader, value); break;
    case XEN_ELFNOTE_FEATURES: read_feature_list(text(value), image); break;
    case XEN_ELFNOTE_SUPPORTED_FEATURES: image.features |= u32(number(value)); break;
    case XEN_ELFNOTE_HV_START_LOW: image.hv_start_low = number(value); break;
    case XEN_ELFNOTE_SUSPEND_CANCEL: image.suspend_cancel = number(value) != 0; break;
    case XEN_ELFNOTE_MOD_START_PFN: image.mod_start_pfn = number(value) != 0; break;
    case XEN_ELFNOTE_INIT_P2M:
        image.init_p2m = number(value);
        image.has_init_p2m = true;
        break;
    default: break; // types of later days and of other kinds of guest
    }
}

/// Notes: name length, value length, type, then both padded to 4 bytes.
void read_notes(std::span<const u8> notes, KernelImage& image, NotesSeen& seen)
{
    struct {
        u32 name_bytes, value_bytes, type;
    } header;
    for (u64 at = 0; read(notes, at, header);) {
        u64 name_at = at + sizeof(header), value_at = name_at + align_up(u64{header.name_bytes}, 4);
        if (value_at > notes.size() || header.value_bytes > notes.size() - value_at)
            return;
        if (header.name_bytes == 4 && __builtin_memcmp(notes.data() + name_at, "Xen", 4) == 0)
            read_note(header.type, notes.subspan(value_at, header.value_bytes), image, seen);
        at = value_at + align_up(u64{header.value_bytes}, 4);
    }
}

Result<Unit> add_segment(std::span<const u8> elf, const ProgramHeader& ph, KernelImage& image, const char* name)
{
    if (ph.memory_bytes == 0)
        return success;
    if (ph.offset > elf.size() || ph.file_bytes > elf.size() - ph.offset)
        return refuse(name, "the ELF file is cut short: a segment lies beyond its end");
    if (ph.file_bytes > ph.memory_bytes || ph.memory_bytes > size_limit || ph.paddr > size_limit * 4)
        return refuse(name, "an ELF segment has an impossible size or address");
    if (image.segment_count == KernelImage::max_segments)
        return refuse(name, "the ELF file has too many segments");
    for (auto& s : image.segments())
        if (ph.paddr < s.paddr + s.memory_bytes && s.paddr < ph.paddr + ph.memory_bytes)
            return refuse(name, "two ELF segments overlap");
    image.segment_list[image.segment_count++] = {ph.paddr, ph.memory_bytes, elf.subspan(ph.offset, ph.file_bytes)};
    return success;
}

/// What the notes and the segments must say together.
Result<Unit> check(KernelImage& image, const NotesSeen& seen, const char* name)
{
    if (!seen.any)
        return refuse(name, "not a PV kernel: it carries no notes for a paravirtual start");
    if (!seen.entry)
        return refuse(name, "the PV notes name no entry point");
    if (image.segment_count == 0)
        return refuse(name, "the ELF file has nothing to load");
    if (image.loader[0] && std::string_view(image.loader) != "generic")
        return refuse(name, "the kernel wants another loader than the generic one");
    if (image.interface[0] && std::string_view(image.interface) != "xen-3.0")
        return refuse(name, "the kernel wants another interface than xen-3.0");
    if (image.required_features & (1u << XENFEAT_auto_translated_physmap | 1u << XENFEAT_supervisor_mode_kernel))
        return refuse(name, "the kernel requires a feature that PV guests do not have here");

    u64 low = ~u64{0}, high = 0;
    for (auto& s : image.segments()) {
        low = min(low, s.paddr);
        high = max(high, s.paddr + s.memory_bytes);
    }
    if (low < image.paddr_offset || image.virt_base < lowest_kernel || (image.virt_base & page_mask) ||
        high - image.paddr_offset > ~image.virt_base)
        return refuse(name, "the kernel's addresses do not fit where a PV kernel may lie");
    image.start = low - image.paddr_offset + image.virt_base;
    image.end = high - image.paddr_offset + image.virt_base;
    auto inside = [&](u64 va, u64 bytes) { return va >= image.start && va <= image.end && bytes <= image.end - va; };
    if (!inside(image.entry, 1))
        return refuse(name, "the entry point lies outside of the kernel");
    if (image.has_hypercall_page && ((image.hypercall_page & page_mask) || !inside(image.hypercall_page, page_size)))
        return refuse(name, "the hypercall page lies outside of the kernel");
    constexpr u64 low_end = u64{1} << 47, p2m_room = u64{1} << 38;
    if (image.has_init_p2m && ((image.init_p2m & page_mask) || (image.init_p2m < lowest_kernel && image.init_p2m > low_end - p2m_room) ||
                               image.init_p2m > ~u64{0} - p2m_room))
        return refuse(name, "the notes put the p2m list at an impossible address");
    return success;
}

} // namespace

Result<Unit> parse_elf(std::span<const u8> elf, KernelImage& image, const char* name)
{
    ElfHeader header;
    if (!read(elf, 0, header) || __builtin_memcmp(header.magic, "\x7f" "ELF", 4) != 0)
        return refuse(name, "what came out is not an ELF file");
    if (header.elf_class != 2)
        return refuse(name, "a 32-bit kernel: only 64-bit PV kernels are supported");
    if (header.encoding != 1 || header.machine != 62)
        return refuse(name, "a kernel for another kind of CPU");
    if (header.program_header_bytes != sizeof(ProgramHeader))
        return refuse(name, "the ELF header is damaged");

    NotesSeen seen;
    for (u32 i = 0; i < header.program_header_count; i++) {
        ProgramHeader ph;
        if (header.program_headers > elf.size() || !read(elf, header.program_headers + u64{i} * sizeof(ph), ph))
            return refuse(name, "the ELF file is cut short: no program headers");
        if (ph.type == type_load)
            TRY(add_segment(elf, ph, image, name));
        else if (ph.type == type_note && ph.offset <= elf.size())
            read_notes(elf.subspan(ph.offset, min(ph.file_bytes, elf.size() - ph.offset)), image, seen);
    }
    return check(image, seen, name);
}

} // namespace tenon
