// [Multiboot2 specification 3.6, boot information format]
#include "multiboot2.hpp"
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>

namespace tenon::multiboot2 {
namespace {

enum Tag : u32 {
    tag_end = 0,
    tag_command_line = 1,
    tag_loader_name = 2,
    tag_module = 3,
    tag_mmap = 6,
    tag_framebuffer = 8,
    tag_efi64 = 12,
    tag_rsdp_old = 14,
    tag_rsdp_new = 15,
};

// A tag is given with its 8-byte header. Reads behind its end yield 0: callers check sizes where 0 would mislead.

/// A string that ends inside the tag; false, and nothing changes, when it does not.
bool read_string(const Bytes& tag, u64 offset, const char*& text)
{
    const char* start = reinterpret_cast<const char*>(tag.data() + offset);
    if (!tag.has(offset, 1) || !__builtin_memchr(start, '\0', tag.size() - offset))
        return false;
    text = start;
    return true;
}

bool read_module(const Bytes& tag, BootInfo& info)
{
    const u32 start = tag.get<u32>(8), end = tag.get<u32>(12);
    BootModule module{start, end - start};
    if (end < start || !read_string(tag, 16, module.command_line))
        return false;
    if (info.module_count == BootInfo::max_modules)
        log_warning("more than %u modules: the rest is ignored", BootInfo::max_modules);
    else
        info.module_list[info.module_count++] = module;
    return true;
}

/// The memory map: entries behind their size and version.
bool read_map(const Bytes& tag, BootInfo& info)
{
    const u32 entry = tag.get<u32>(8);
    if (!tag.has(0, 16) || entry < 24 || entry % 8 || entry > 1024)
        return false;
    info.mmap = tag.subspan(16);
    info.mmap_entry_bytes = entry;
    return true;
}

/// One of colours by their bits, with room for text. What shows text itself, or has a palette, is none for us.
bool read_framebuffer(const Bytes& tag, BootInfo& info)
{
    const bool is_rgb = tag.get<u8>(29) == 1;
    if (!tag.has(0, is_rgb ? 38 : 32))
        return false;
    info.has_graphics = tag.get<u8>(29) != 2;
    if (!is_rgb)
        return true;
    BootFramebuffer fb{tag.get<u64>(8), tag.get<u32>(16), tag.get<u32>(20), tag.get<u32>(24), tag.get<u8>(28), {}, {}, {}};
    for (u64 at = 32; auto* c : {&fb.red, &fb.green, &fb.blue}) { // behind two reserved bytes
        *c = {tag.get<u8>(at), tag.get<u8>(at + 1)};
        if (c->size == 0 || c->size > 8 || c->position + c->size > fb.bits_per_pixel)
            return false;
        at += 2;
    }
    const u32 bits = fb.bits_per_pixel;
    if (!fb.address || (bits != 16 && bits != 24 && bits != 32) || fb.width < 64 || fb.height < 64 || fb.width > 0x8000 ||
        fb.height > 0x8000 || fb.pitch > 0x40000 || fb.pitch < fb.width * bits / 8)
        return false;
    info.framebuffer = fb;
    return true;
}

bool read_rsdp(const Bytes& tag, BootInfo& info, u32 bytes)
{
    if (!tag.has(8, bytes))
        return false;
    if (bytes >= info.rsdp_bytes) { // or the newer form is known already
        __builtin_memcpy(info.rsdp, tag.data() + 8, bytes);
        info.rsdp_bytes = bytes;
    }
    return true;
}

/// False when the tag is damaged.
bool read(u32 type, const Bytes& tag, BootInfo& info)
{
    switch (type) {
    case tag_command_line: return read_string(tag, 8, info.command_line);
    case tag_loader_name: return read_string(tag, 8, info.loader);
    case tag_module: return read_module(tag, info);
    case tag_mmap: return read_map(tag, info);
    case tag_framebuffer: return read_framebuffer(tag, info);
    case tag_efi64: info.efi_system_table = tag.get<u64>(8); return tag.has(8, 8);
    case tag_rsdp_old:
    case tag_rsdp_new: return read_rsdp(tag, info, type == tag_rsdp_new ? 36 : 20);
    default: return true; // nothing we use
    }
}

} // namespace

Status parse(std::span<const u8> information, BootInfo& info)
{
    const u64 total = Bytes(information).get<u32>(0);
    if (total < 16 || total > information.size())
        return Error::inval;
    const Bytes all{information.first(total)};
    for (u64 at = 8; at + 8 <= total;) {
        u32 type = all.get<u32>(at), size = all.get<u32>(at + 4);
        if (size < 8 || size > total - at) {
            log_warning("boot loader information: tag %u at %lu has a bad size (%u)", type, at, size);
            return Error::inval;
        }
        if (type == tag_end)
            return success;
        if (!read(type, all.part(at, size), info))
            log_warning("boot loader information: tag %u is damaged and ignored", type);
        at = align_up(at + size, 8);
    }
    log_warning("boot loader information: no end tag");
    return Error::inval;
}

} // namespace tenon::multiboot2
