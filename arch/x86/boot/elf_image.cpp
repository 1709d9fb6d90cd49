// ELF segments and Xen notes of a PV kernel. [System V ABI, chapter 5; public header elfnote.h]
#include "kernel_image.hpp"
#include <abi/start_info.h>
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

struct ProgramHeader {
    u32 type, flags;
    u64 offset, vaddr, paddr, file_bytes, memory_bytes, align;
};
static_assert(sizeof(ProgramHeader) == 56);

constexpr u32 type_load = 1, type_note = 4;
constexpr u32 xen_name = 0x006e6558; // "Xen"
constexpr u64 size_limit = u64{1} << 30;
constexpr u64 lowest_kernel = 0xffff'8800'0000'0000; // above the hypervisor's own range
constexpr u64 low_end = u64{1} << 47;

Error refuse(const char* why)
{
    log_error("dom0's kernel: %s", why);
    return Error::inval;
}

u64 number(const Bytes& value) { return value.size() < 8 ? value.get<u32>(0) : value.get<u64>(0); }

/// Strings end with a NUL or with the note.
std::string_view text(const Bytes& value)
{
    std::string_view all{reinterpret_cast<const char*>(value.data()), value.size()};
    return {all.data(), min(all.find('\0'), all.size())};
}

/// A list like "!a|b": '!' marks what the kernel cannot do without. What PV guests do not have here:
bool needs_another_guest(std::string_view features)
{
    return features.find("!auto_translated_physmap") != features.npos || features.find("!supervisor_mode_kernel") != features.npos;
}

void read_note(u32 type, const Bytes& value, KernelImage& image)
{
    switch (type) {
    case XEN_ELFNOTE_ENTRY: image.entry = number(value); break;
    case XEN_ELFNOTE_HYPERCALL_PAGE: image.hypercall_page = number(value); break;
    case XEN_ELFNOTE_INIT_P2M: image.init_p2m = number(value); break;
    case XEN_ELFNOTE_VIRT_BASE: image.virt_base = number(value); break;
    case XEN_ELFNOTE_PADDR_OFFSET: image.paddr_offset = number(value); break;
    case XEN_ELFNOTE_XEN_VERSION: image.interface = text(value); break;
    case XEN_ELFNOTE_LOADER: image.loader = text(value); break;
    case XEN_ELFNOTE_FEATURES: image.is_not_pv = needs_another_guest(text(value)); break;
    case XEN_ELFNOTE_MOD_START_PFN: image.mod_start_pfn = number(value) != 0; break;
    default: break; // what Tenon does not need, types of later days and of other kinds of guest
    }
}

/// Notes: name length, value length, type, then both padded to 4 bytes. True when one of them speaks of a PV start.
bool read_notes(const Bytes& notes, KernelImage& image)
{
    bool any = false;
    for (u64 at = 0; notes.has(at, 12);) {
        const u64 name_bytes = notes.get<u32>(at), value_bytes = notes.get<u32>(at + 4), value_at = at + 12 + align_up(name_bytes, 4);
        if (!notes.has(value_at, value_bytes))
            break;
        if (name_bytes == 4 && notes.get<u32>(at + 12) == xen_name) {
            read_note(notes.get<u32>(at + 8), notes.part(value_at, value_bytes), image);
            any = true;
        }
        at = value_at + align_up(value_bytes, 4);
    }
    return any;
}

Status add_segment(const Bytes& elf, const ProgramHeader& ph, KernelImage& image)
{
    if (ph.memory_bytes == 0)
        return success;
    if (!elf.has(ph.offset, ph.file_bytes))
        return refuse("the ELF file is cut short: a segment lies beyond its end");
    if (ph.file_bytes > ph.memory_bytes || ph.memory_bytes > size_limit || ph.paddr > size_limit * 4)
        return refuse("an ELF segment has an impossible size or address");
    if (image.segment_count == KernelImage::max_segments)
        return refuse("the ELF file has too many segments");
    for (auto& s : image.segments())
        if (ph.paddr < s.paddr + s.memory_bytes && s.paddr < ph.paddr + ph.memory_bytes)
            return refuse("two ELF segments overlap");
    image.segment_list[image.segment_count++] = {ph.paddr, ph.memory_bytes, elf.subspan(ph.offset, ph.file_bytes)};
    return success;
}

/// What the notes and the segments must say together.
Status check(KernelImage& image, bool has_notes)
{
    if (!has_notes)
        return refuse("not a PV kernel: it carries no notes for a paravirtual start");
    if (!image.entry)
        return refuse("the PV notes name no entry point");
    if (image.segment_count == 0)
        return refuse("the ELF file has nothing to load");
    if (!image.loader.empty() && image.loader != "generic")
        return refuse("the kernel wants another loader than the generic one");
    if (!image.interface.empty() && image.interface != "xen-3.0")
        return refuse("the kernel wants another interface than xen-3.0");
    if (image.is_not_pv)
        return refuse("the kernel requires a feature that PV guests do not have here");

    u64 low = ~u64{0}, high = 0;
    for (auto& s : image.segments()) {
        low = min(low, s.paddr);
        high = max(high, s.paddr + s.memory_bytes);
    }
    const bool in_lower_half = image.virt_base < low_end;
    const u64 last = in_lower_half ? low_end - 1 : ~u64{0};
    if (low < image.paddr_offset || (image.virt_base & page_mask) || (!in_lower_half && image.virt_base < lowest_kernel) ||
        high - image.paddr_offset > last - image.virt_base)
        return refuse("the kernel's addresses do not fit where a PV kernel may lie");
    image.start = low - image.paddr_offset + image.virt_base;
    image.end = high - image.paddr_offset + image.virt_base;
    auto inside = [&](u64 va, u64 bytes) { return va >= image.start && va <= image.end && bytes <= image.end - va; };
    if (!inside(*image.entry, 1))
        return refuse("the entry point lies outside of the kernel");
    if (image.hypercall_page && ((*image.hypercall_page & page_mask) || !inside(*image.hypercall_page, page_size)))
        return refuse("the hypercall page lies outside of the kernel");
    constexpr u64 p2m_room = u64{1} << 38;
    const u64 p2m = image.init_p2m.value_or(0);
    if ((p2m & page_mask) || (p2m < lowest_kernel && p2m > low_end - p2m_room) || p2m > ~u64{0} - p2m_room)
        return refuse("the notes put the p2m list at an impossible address");
    return success;
}

} // namespace

Status parse_elf(std::span<const u8> file, KernelImage& image)
{
    const Bytes elf(file);
    constexpr u64 header_bytes = 64; // [ABI figure 4-3]
    if (!elf.has(0, header_bytes) || elf.get<u32>(0) != elf_magic)
        return refuse("what came out is not an ELF file");
    if (elf.get<u8>(4) != 2)
        return refuse("a 32-bit kernel: only 64-bit PV kernels are supported");
    if (elf.get<u8>(5) != 1 || elf.get<u16>(18) != 62) // little-endian, x86-64
        return refuse("a kernel for another kind of CPU");
    const u64 table = elf.get<u64>(32), entry_bytes = elf.get<u16>(54), entries = elf.get<u16>(56);
    if (entry_bytes != sizeof(ProgramHeader))
        return refuse("the ELF header is damaged");
    if (!elf.has(table, entries * entry_bytes))
        return refuse("the ELF file is cut short: no program headers");
    bool has_notes = false;
    for (u64 i = 0; i < entries; i++) {
        const auto ph = elf.get<ProgramHeader>(table + i * entry_bytes);
        if (ph.type == type_load)
            TRY(add_segment(elf, ph, image));
        else if (ph.type == type_note && ph.offset <= elf.size())
            has_notes |= read_notes(elf.subspan(ph.offset, min(ph.file_bytes, elf.size() - ph.offset)), image);
    }
    return check(image, has_notes);
}

} // namespace tenon
