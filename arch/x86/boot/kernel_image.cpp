// The file's outer layers: bzImage, and XZ, Zstandard, gzip or LZ4 (legacy frame), each in one call from whole input to whole output, so
// that no window is buffered. [Linux/x86 boot protocol, real-mode kernel header]
#include "kernel_image.hpp"
#include <lz4.h>
#include <lzma.h>
#define ZSTD_STATIC_LINKING_ONLY // for a decoder context in memory of ours
#include <zstd.h>
#define ZLIB_CONST
#include <tenon/lib/bytes.hpp>
#include <tenon/log.hpp>
#include <zlib.h>

namespace tenon {
namespace {

constexpr u64 size_limit = u64{1} << 30; // of a decompressed kernel

bool unpack_xz(std::span<const u8> in, std::span<u8> out, Arena& arena)
{
    lzma_allocator allocator{[](void* a, std::size_t count, std::size_t size) { return static_cast<Arena*>(a)->take(count * size); },
                             [](void*, void*) {}, &arena};
    u64 limit = ~u64{0};
    std::size_t consumed = 0, produced = 0;
    return lzma_stream_buffer_decode(&limit, 0, &allocator, in.data(), &consumed, in.size(), out.data(), &produced, out.size()) ==
               LZMA_OK &&
           produced == out.size();
}

bool unpack_zstd(std::span<const u8> in, std::span<u8> out, Arena& arena)
{
    const std::size_t size = ZSTD_estimateDCtxSize();
    ZSTD_DCtx* context = ZSTD_initStaticDCtx(arena.take(size), size);
    // Other than the others it takes nothing behind the stream: there is the kernel's size.
    return context && ZSTD_decompressDCtx(context, out.data(), out.size(), in.data(), in.size() - 4) == out.size();
}

bool unpack_gzip(std::span<const u8> in, std::span<u8> out, Arena& arena)
{
    z_stream stream{};
    stream.zalloc = [](void* a, unsigned count, unsigned size) { return static_cast<Arena*>(a)->take(u64{count} * size); };
    stream.zfree = [](void*, void*) {};
    stream.opaque = &arena;
    stream.next_in = in.data();
    stream.avail_in = unsigned(in.size());
    stream.next_out = out.data();
    stream.avail_out = unsigned(out.size());
    return inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
}

/// A magic word, then blocks: a length, and the data of up to 8 MiB. [lz4 documentation, "Legacy frame"]
bool unpack_lz4(std::span<const u8> in, std::span<u8> out, Arena&)
{
    constexpr u64 block_limit = u64{8} << 20;
    const Bytes file(in);
    u64 read = 4, written = 0;
    while (file.has(read, 4) && written < out.size()) {
        const u32 length = file.get<u32>(read);
        read += 4;
        if (length == 0 || length > 0x7fffffff || !file.has(read, length))
            return false;
        const int n = LZ4_decompress_safe(reinterpret_cast<const char*>(in.data() + read), reinterpret_cast<char*>(out.data() + written),
                                          int(length), int(min(block_limit, out.size() - written)));
        if (n <= 0)
            return false;
        read += length;
        written += u64(n);
    }
    return written == out.size();
}

} // namespace

/// One compression format. `unpack` fills `out` completely or returns false.
struct Decoder {
    const char* name;
    u32 magic;
    bool (*unpack)(std::span<const u8> in, std::span<u8> out, Arena& arena);
};

namespace {

constexpr Decoder decoders[] = {
    {"XZ", 0x587a37fd, unpack_xz},
    {"Zstandard", 0xfd2fb528, unpack_zstd},
    {"gzip", 0x00088b1f, unpack_gzip}, // deflated, without a name
    {"LZ4", 0x184c2102, unpack_lz4},
};

/// Logs the reason for a refusal.
template <class... Values> Error refuse(const char* format, Values... values)
{
    log_error(format, values...);
    return Error::inval;
}

Result<Bytes> payload_of(const Bytes& file)
{
    constexpr u64 header_end = 0x250;
    constexpr u32 header_magic = 0x5372'6448; // "HdrS"
    if (file.size() < header_end || file.get<u32>(0x202) != header_magic)
        return refuse("dom0's kernel: neither bzImage nor ELF");
    const u32 version = file.get<u16>(0x206), sectors = file.get<u8>(0x1f1) ? file.get<u8>(0x1f1) : 4;
    if (version < 0x208)
        return refuse("dom0's kernel: bzImage of boot protocol %x.%02x, older than 2.08, has no payload fields", version >> 8,
                      version & 0xff);
    const u64 start = (sectors + 1) * 512 + u64{file.get<u32>(0x248)}, bytes = file.get<u32>(0x24c);
    if (bytes < 16 || !file.has(start, bytes))
        return refuse("dom0's kernel: bzImage is cut short: its payload (%lu bytes at %lu) lies beyond the %lu bytes of the file", bytes,
                      start, file.size());
    return file.part(start, bytes);
}

} // namespace

void* Arena::take(u64 bytes)
{
    bytes = align_up(bytes, 16);
    if (bytes > memory.size()) {
        is_used_up = true;
        return nullptr;
    }
    void* start = memory.data();
    memory = memory.subspan(bytes);
    return start;
}

Result<PackedKernel> look_into(std::span<const u8> file)
{
    const auto magic_of = [](const Bytes& data) { return data.get<u32>(0); };
    const Bytes payload = magic_of(file) == elf_magic ? file : TRY(payload_of(file));
    if (magic_of(payload) == elf_magic)
        return PackedKernel{payload};
    for (const Decoder& d : decoders)
        if (d.magic == magic_of(payload)) {
            const u32 bytes = payload.get<u32>(payload.size() - 4); // gzip's own, or put behind the stream
            if (bytes < 64 || bytes > size_limit)
                return refuse("dom0's kernel: it claims to decompress to %u bytes", bytes);
            return PackedKernel{payload, &d, bytes};
        }
    return refuse("dom0's kernel: its compression is not known (it begins with %02x %02x %02x %02x)", payload[0], payload[1], payload[2],
                  payload[3]);
}

Status unpack_kernel(const PackedKernel& kernel, std::span<u8> out, Arena& arena)
{
    if (kernel.decoder->unpack(kernel.data, out, arena))
        return success;
    if (arena.is_used_up)
        return refuse("dom0's kernel: not enough memory to decompress it");
    return refuse("dom0's kernel: its %s data is damaged", kernel.decoder->name);
}

} // namespace tenon
