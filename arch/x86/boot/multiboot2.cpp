// [Multiboot2 specification 3.6, boot information format]
#include "multiboot2.hpp"
#include <tenon/log.hpp>

namespace tenon::multiboot2 {
namespace {

enum Tag : u32 {
    tag_end, tag_command_line, tag_loader_name, tag_module, tag_basic_memory, tag_bios_device, tag_mmap, tag_vbe, tag_framebuffer,
    tag_elf_sections, tag_apm, tag_efi32, tag_efi64, tag_smbios, tag_rsdp_old, tag_rsdp_new, tag_network, tag_efi_mmap,
    tag_efi_boot_services, tag_efi32_handle, tag_efi64_handle, tag_load_base,
};

/// The bytes of one tag, its 8-byte header included. Reads behind the end yield 0: callers check sizes where 0 would mislead.
struct Body {
    std::span<const u8> bytes;

    template <class T> T get(u64 offset) const
    {
        T value{};
        if (offset + sizeof(T) <= bytes.size())
            __builtin_memcpy(&value, bytes.data() + offset, sizeof(T));
        return value;
    }
    bool has(u64 size) const { return bytes.size() >= size; }
    std::span<const u8> from(u64 offset) const { return bytes.subspan(offset); }
    /// A string that ends inside the tag, or nullptr.
    const char* string(u64 offset) const
    {
        for (u64 i = offset; i < bytes.size(); i++)
            if (bytes[i] == 0)
                return reinterpret_cast<const char*>(bytes.data() + offset);
        return nullptr;
    }
};

bool read_module(const Body& tag, BootInfo& info)
{
    u32 start = tag.get<u32>(8), end = tag.get<u32>(12);
    const char* command_line = tag.string(16);
    if (!tag.has(17) || end < start || !command_line)
        return false;
    if (info.module_count == BootInfo::max_modules) {
        log_warning("more than %u modules: the rest is ignored", BootInfo::max_modules);
        return true;
    }
    info.module_list[info.module_count++] = {start, end - start, command_line};
    return true;
}

bool read_mmap(const Body& tag, BootInfo& info)
{
    u32 entry = tag.get<u32>(8);
    if (!tag.has(16) || entry < 24 || entry % 8 || entry > 1024)
        return false;
    info.mmap = tag.from(16);
    info.mmap_entry_bytes = entry;
    return true;
}

bool read_efi_mmap(const Body& tag, BootInfo& info)
{
    u32 entry = tag.get<u32>(8);
    if (!tag.has(16) || entry < 40 || entry % 8 || entry > 1024)
        return false;
    info.efi_map = tag.from(16);
    info.efi_descriptor_bytes = entry;
    info.efi_descriptor_version = tag.get<u32>(12);
    return true;
}

bool read_framebuffer(const Body& tag, BootInfo& info)
{
    if (!tag.has(32))
        return false;
    BootFramebuffer fb;
    fb.address = tag.get<u64>(8);
    fb.pitch = tag.get<u32>(16);
    fb.width = tag.get<u32>(20);
    fb.height = tag.get<u32>(24);
    fb.bits_per_pixel = tag.get<u8>(28);
    switch (tag.get<u8>(29)) {
    case 0: fb.kind = BootFramebuffer::Kind::indexed; break;
    case 1: fb.kind = BootFramebuffer::Kind::rgb; break;
    case 2: fb.kind = BootFramebuffer::Kind::text; break;
    default: return false;
    }
    if (fb.kind == BootFramebuffer::Kind::rgb) {
        if (!tag.has(38)) // the colour fields follow two reserved bytes
            return false;
        fb.red = {tag.get<u8>(32), tag.get<u8>(33)};
        fb.green = {tag.get<u8>(34), tag.get<u8>(35)};
        fb.blue = {tag.get<u8>(36), tag.get<u8>(37)};
        for (auto c : {fb.red, fb.green, fb.blue})
            if (c.size > 16 || c.position + c.size > fb.bits_per_pixel)
                return false;
    }
    u64 line = fb.kind == BootFramebuffer::Kind::text ? u64{fb.width} * 2 : u64{fb.width} * fb.bits_per_pixel / 8;
    if (!fb.address || !fb.width || !fb.height || fb.width > 0x8000 || fb.height > 0x8000 || fb.pitch < line || fb.pitch > 0x40000)
        return false;
    info.framebuffer = fb;
    return true;
}

bool read_rsdp(const Body& tag, BootInfo& info, u32 bytes)
{
    if (!tag.has(8 + bytes))
        return false;
    if (bytes < info.rsdp_bytes)
        return true; // the newer form is known already
    __builtin_memcpy(info.rsdp, tag.bytes.data() + 8, bytes);
    info.rsdp_bytes = bytes;
    return true;
}

bool read_string(const Body& tag, const char*& text)
{
    const char* s = tag.string(8);
    if (s)
        text = s;
    return s != nullptr;
}

/// False when the tag is damaged.
bool read(u32 type, const Body& tag, BootInfo& info)
{
    switch (type) {
    case tag_command_line: return read_string(tag, info.command_line);
    case tag_loader_name: return read_string(tag, info.loader);
    case tag_module: return read_module(tag, info);
    case tag_basic_memory:
        info.lower_kib = tag.get<u32>(8);
        info.upper_kib = tag.get<u32>(12);
        return tag.has(16);
    case tag_mmap: return read_mmap(tag, info);
    case tag_efi_mmap: return read_efi_mmap(tag, info);
    case tag_framebuffer: return read_framebuffer(tag, info);
    case tag_efi64: info.efi_system_table = tag.get<u64>(8); return tag.has(16);
    case tag_rsdp_old: return read_rsdp(tag, info, 20);
    case tag_rsdp_new: return read_rsdp(tag, info, 36);
    case tag_efi_boot_services: info.efi_boot_services_active = true; return true;
    case tag_load_base: info.load_base = tag.get<u32>(8); return tag.has(12);
    default: return true; // nothing we use
    }
}

} // namespace

Result<u64> size_of(const void* information)
{
    u32 bytes;
    __builtin_memcpy(&bytes, information, sizeof(bytes));
    if (bytes < 16 || bytes > max_bytes)
        return Error::inval;
    return u64{bytes};
}

Result<Unit> parse(std::span<const u8> information, BootInfo& info)
{
    if (information.size() < 16)
        return Error::inval;
    u64 total = TRY(size_of(information.data()));
    if (total > information.size())
        return Error::inval;
    Body all{information.first(total)};
    for (u64 at = 8; at + 8 <= total;) {
        u32 type = all.get<u32>(at), size = all.get<u32>(at + 4);
        if (size < 8 || size > total - at) {
            log_warning("boot loader information: tag %u at %lu has a bad size (%u)", type, at, size);
            return Error::inval;
        }
        if (type == tag_end)
            return success;
        if (!read(type, Body{information.subspan(at, size)}, info))
            log_warning("boot loader information: tag %u is damaged and ignored", type);
        at = align_up(at + size, 8);
    }
    log_warning("boot loader information: no end tag");
    return Error::inval;
}

} // namespace tenon::multiboot2
