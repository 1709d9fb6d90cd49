// The file's outer layers: bzImage, compression. [Linux/x86 boot protocol, real-mode kernel header]
#include "decoders.hpp"
#include <tenon/log.hpp>

namespace tenon {
namespace {

constexpr u64 size_limit = u64{1} << 30; // of a decompressed kernel

bool is_elf(std::span<const u8> data) { return data.size() >= 4 && __builtin_memcmp(data.data(), "\x7f" "ELF", 4) == 0; }

u32 read_u32(std::span<const u8> data, u64 offset)
{
    u32 value;
    __builtin_memcpy(&value, data.data() + offset, sizeof(value));
    return value;
}

/// The compressed part of a kernel file.
struct Packed {
    const decoders::Decoder* decoder = nullptr; ///< nullptr: the file is ELF as it is
    std::span<const u8> stream;
    u64 unpacked_bytes = 0;
};

Result<std::span<const u8>> payload_of(std::span<const u8> file, const char* name)
{
    constexpr u64 header_end = 0x250, magic_at = 0x202, setup_sectors_at = 0x1f1, version_at = 0x206;
    if (decoders::find(file))
        return file; // a compressed ELF file without the bzImage around it
    if (file.size() < header_end || __builtin_memcmp(file.data() + magic_at, "HdrS", 4) != 0) {
        log_error("%s: not a kernel: neither bzImage nor ELF", name);
        return Error::inval;
    }
    u32 version = file[version_at] | u32(file[version_at + 1]) << 8;
    if (version < 0x208) {
        log_error("%s: bzImage of boot protocol %x.%02x is too old, 2.08 has the payload fields", name, version >> 8, version & 0xff);
        return Error::inval;
    }
    u64 sectors = file[setup_sectors_at] ? file[setup_sectors_at] : 4;
    u64 start = (sectors + 1) * 512 + read_u32(file, 0x248), bytes = read_u32(file, 0x24c);
    if (bytes < 8 || start > file.size() || bytes > file.size() - start) {
        log_error("%s: bzImage is cut short: its payload (%lu bytes at %lu) lies beyond the %lu bytes of the file", name, bytes, start,
                  file.size());
        return Error::inval;
    }
    return file.subspan(start, bytes);
}

Result<Packed> look_into(std::span<const u8> file, const char* name)
{
    if (is_elf(file))
        return Packed{nullptr, file, 0};
    auto payload = TRY(payload_of(file, name));
    if (is_elf(payload))
        return Packed{nullptr, payload, 0};
    const auto* decoder = decoders::find(payload);
    if (!decoder) {
        log_error("%s: the kernel's compression is not known (it begins with %02x %02x %02x %02x)", name, payload[0], payload[1], payload[2],
                  payload[3]);
        return Error::inval;
    }
    if (decoder->size_follows && payload.data() == file.data()) {
        log_error("%s: a %s file that is not a bzImage does not say how large it becomes", name, decoder->name);
        return Error::inval;
    }
    if (payload.size() < 16)
        return Error::inval;
    u64 size = read_u32(payload, payload.size() - 4);
    if (size < 64 || size > size_limit) {
        log_error("%s: the kernel claims to decompress to %lu bytes", name, size);
        return Error::inval;
    }
    return Packed{decoder, payload.first(payload.size() - (decoder->size_follows ? 4 : 0)), size};
}

} // namespace

void* Arena::take(u64 bytes)
{
    u64 start = align_up(used_, 16);
    if (start > memory_.size() || bytes > memory_.size() - start)
        return nullptr;
    used_ = start + bytes;
    return memory_.data() + start;
}

std::span<u8> Arena::take_pages(u64 bytes)
{
    u64 start = align_up(used_, page_size);
    if (start > memory_.size() || bytes > memory_.size() - start)
        return {};
    used_ = start + bytes;
    return memory_.subspan(start, bytes);
}

Result<u64> memory_to_unpack(std::span<const u8> file, const char* name)
{
    Packed packed = TRY(look_into(file, name));
    if (!packed.decoder)
        return u64{0};
    u64 scratch = packed.decoder->scratch(packed.stream);
    if (scratch > size_limit) {
        log_error("%s: %s would need %lu MiB of memory to decompress", name, packed.decoder->name, scratch >> 20);
        return Error::inval;
    }
    return align_up(packed.unpacked_bytes + scratch, page_size) + page_size;
}

Result<std::span<const u8>> unpack_kernel(std::span<const u8> file, Arena& arena, const char* name)
{
    Packed packed = TRY(look_into(file, name));
    if (!packed.decoder)
        return packed.stream;
    auto out = arena.take_pages(packed.unpacked_bytes);
    if (out.empty()) {
        log_error("%s: not enough memory to decompress %lu MiB", name, packed.unpacked_bytes >> 20);
        return Error::nomem;
    }
    if (!packed.decoder->unpack(packed.stream, out, arena)) {
        log_error("%s: the kernel's %s data is damaged", name, packed.decoder->name);
        return Error::inval;
    }
    return std::span<const u8>(out);
}

} // namespace tenon
