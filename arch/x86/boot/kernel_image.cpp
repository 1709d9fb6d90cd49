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

/// One compression format. `unpack` fills `out` completely or returns false; `scratch` says how much of the arena it takes.
struct Decoder {
    const char* name;
    std::string_view magic;
    bool size_follows; ///< the last 4 bytes of the payload are not part of the stream
    bool (*unpack)(std::span<const u8> in, std::span<u8> out, Arena& arena);
    u64 (*scratch)(std::span<const u8> in);
};

lzma_ret run_xz(std::span<const u8> in, std::span<u8> out, u64& memory_limit, std::size_t& produced, Arena& arena)
{
    lzma_allocator allocator{[](void* a, std::size_t count, std::size_t size) { return static_cast<Arena*>(a)->take(count * size); },
                             [](void*, void*) {}, &arena};
    std::size_t consumed = 0;
    return lzma_stream_buffer_decode(&memory_limit, 0, &allocator, in.data(), &consumed, in.size(), out.data(), &produced, out.size());
}

bool unpack_xz(std::span<const u8> in, std::span<u8> out, Arena& arena)
{
    u64 limit = ~u64{0};
    std::size_t produced = 0;
    return run_xz(in, out, limit, produced, arena) == LZMA_OK && produced == out.size();
}

/// The decoder says itself what it needs when it may use nothing.
u64 scratch_xz(std::span<const u8> in)
{
    alignas(16) u8 little[4096];
    Arena arena(little);
    u64 limit = 1;
    std::size_t produced = 0;
    u8 nowhere[1];
    return run_xz(in, nowhere, limit, produced, arena) == LZMA_MEMLIMIT_ERROR ? limit + 0x10000 : 0x10000;
}

bool unpack_zstd(std::span<const u8> in, std::span<u8> out, Arena& arena)
{
    std::size_t size = ZSTD_estimateDCtxSize();
    ZSTD_DCtx* context = ZSTD_initStaticDCtx(arena.take(size), size);
    return context && ZSTD_decompressDCtx(context, out.data(), out.size(), in.data(), in.size()) == out.size();
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
    if (in.size() >> 32 || out.size() >> 32 || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return false;
    return inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
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

constexpr Decoder decoders[] = {
    {"XZ",
     {"\xfd"
      "7zXZ\0",
      6},
     true,
     unpack_xz,
     scratch_xz},
    {"Zstandard", {"\x28\xb5\x2f\xfd", 4}, true, unpack_zstd, [](std::span<const u8>) -> u64 { return ZSTD_estimateDCtxSize() + 64; }},
    {"gzip", {"\x1f\x8b", 2}, false, unpack_gzip, [](std::span<const u8>) -> u64 { return 0x10000; }},
    {"LZ4", {"\x02\x21\x4c\x18", 4}, true, unpack_lz4, [](std::span<const u8>) -> u64 { return 0; }},
};

/// The decoder for data that begins like this, or nullptr.
const Decoder* find_decoder(const Bytes& data)
{
    for (const Decoder& d : decoders)
        if (std::string_view(reinterpret_cast<const char*>(data.data()), data.size()).starts_with(d.magic))
            return &d;
    return nullptr;
}

/// The compressed part of a kernel file.
struct Packed {
    const Decoder* decoder = nullptr; ///< nullptr: the file is ELF as it is
    std::span<const u8> stream;
    u64 unpacked_bytes = 0;
};

Result<Bytes> payload_of(const Bytes& file)
{
    constexpr u64 header_end = 0x250;
    constexpr u32 header_magic = 0x5372'6448; // "HdrS"
    if (find_decoder(file))
        return file; // a compressed ELF file without the bzImage around it
    if (file.size() < header_end || file.get<u32>(0x202) != header_magic)
        return log_error("dom0's kernel: neither bzImage nor ELF"), Error::inval;
    const u32 version = file.get<u16>(0x206), sectors = file.get<u8>(0x1f1) ? file.get<u8>(0x1f1) : 4;
    if (version < 0x208)
        return log_error("dom0's kernel: bzImage of boot protocol %x.%02x, older than 2.08, has no payload fields", version >> 8,
                         version & 0xff),
               Error::inval;
    const u64 start = (sectors + 1) * 512 + u64{file.get<u32>(0x248)}, bytes = file.get<u32>(0x24c);
    if (bytes < 16 || !file.has(start, bytes))
        return log_error("dom0's kernel: bzImage is cut short: its payload (%lu bytes at %lu) lies beyond the %lu bytes of the file", bytes,
                         start, file.size()),
               Error::inval;
    return file.part(start, bytes);
}

Result<Packed> look_into(const Bytes& file)
{
    const Bytes payload = file.get<u32>(0) == elf_magic ? file : TRY(payload_of(file));
    if (payload.get<u32>(0) == elf_magic)
        return Packed{nullptr, payload, 0};
    const auto* decoder = find_decoder(payload);
    if (!decoder)
        return log_error("dom0's kernel: its compression is not known (it begins with %02x %02x %02x %02x)", payload[0], payload[1],
                         payload[2], payload[3]),
               Error::inval;
    if (decoder->size_follows && payload.data() == file.data())
        return log_error("dom0's kernel: a %s file that is not a bzImage does not say how large it becomes", decoder->name), Error::inval;
    const u32 size = payload.size() < 16 ? 0 : payload.get<u32>(payload.size() - 4);
    if (size < 64 || size > size_limit)
        return log_error("dom0's kernel: it claims to decompress to %u bytes", size), Error::inval;
    return Packed{decoder, payload.first(payload.size() - (decoder->size_follows ? 4 : 0)), size};
}

} // namespace

void* Arena::take(u64 bytes, u64 alignment)
{
    const u64 start = align_up(used_, alignment);
    if (start > memory_.size() || bytes > memory_.size() - start)
        return nullptr;
    used_ = start + bytes;
    return memory_.data() + start;
}

Result<u64> memory_to_unpack(std::span<const u8> file)
{
    const Packed packed = TRY(look_into(file));
    const u64 scratch = packed.decoder ? packed.decoder->scratch(packed.stream) : 0;
    if (scratch > size_limit)
        return log_error("dom0's kernel: %s would need %lu MiB of memory to decompress", packed.decoder->name, scratch >> 20), Error::inval;
    return packed.decoder ? align_up(packed.unpacked_bytes + scratch, page_size) + page_size : 0;
}

Result<std::span<const u8>> unpack_kernel(std::span<const u8> file, Arena& arena)
{
    const Packed packed = TRY(look_into(file));
    if (!packed.decoder)
        return packed.stream;
    auto* memory = static_cast<u8*>(arena.take(packed.unpacked_bytes, page_size));
    if (!memory)
        return log_error("dom0's kernel: not enough memory to decompress %lu MiB", packed.unpacked_bytes >> 20), Error::nomem;
    const std::span<u8> out{memory, packed.unpacked_bytes};
    if (!packed.decoder->unpack(packed.stream, out, arena))
        return log_error("dom0's kernel: its %s data is damaged", packed.decoder->name), Error::inval;
    return std::span<const u8>(out);
}

} // namespace tenon
