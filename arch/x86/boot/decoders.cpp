// XZ, Zstandard, gzip and LZ4 (legacy frame), each in one call from whole input to whole output, so that no window is buffered.
#include "decoders.hpp"
#include <lz4.h>
#include <lzma.h>
#define ZSTD_STATIC_LINKING_ONLY // for a decoder context in memory of ours
#include <zstd.h>
#define ZLIB_CONST
#include <zlib.h>

namespace tenon::decoders {
namespace {

void* take_lzma(void* arena, std::size_t count, std::size_t size) { return static_cast<Arena*>(arena)->take(count * size); }
void keep_lzma(void*, void*) {}
void* take_zlib(void* arena, unsigned count, unsigned size) { return static_cast<Arena*>(arena)->take(u64{count} * size); }
void keep_zlib(void*, void*) {}

lzma_ret run_xz(std::span<const u8> in, std::span<u8> out, u64& memory_limit, std::size_t& produced, Arena& arena)
{
    lzma_allocator allocator{take_lzma, keep_lzma, &arena};
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
u64 scratch_zstd(std::span<const u8>) { return ZSTD_estimateDCtxSize() + 64; }

bool unpack_gzip(std::span<const u8> in, std::span<u8> out, Arena& arena)
{
    z_stream stream{};
    stream.zalloc = take_zlib;
    stream.zfree = keep_zlib;
    stream.opaque = &arena;
    stream.next_in = in.data();
    stream.avail_in = unsigned(in.size());
    stream.next_out = out.data();
    stream.avail_out = unsigned(out.size());
    if (in.size() >> 32 || out.size() >> 32 || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return false;
    return inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
}
u64 scratch_gzip(std::span<const u8>) { return 0x10000; }

/// A magic word, then blocks: a length, and the data of up to 8 MiB. [lz4 documentation, "Legacy frame"]
bool unpack_lz4(std::span<const u8> in, std::span<u8> out, Arena&)
{
    constexpr u64 block_limit = u64{8} << 20;
    u64 read = 4, written = 0;
    while (read + 4 <= in.size() && written < out.size()) {
        u32 length;
        __builtin_memcpy(&length, in.data() + read, sizeof(length));
        read += 4;
        if (length == 0 || length > in.size() - read || length > 0x7fffffff)
            return false;
        int n = LZ4_decompress_safe(reinterpret_cast<const char*>(in.data() + read), reinterpret_cast<char*>(out.data() + written), int(length),
                                    int(min(block_limit, out.size() - written)));
        if (n <= 0)
            return false;
        read += length;
        written += u64(n);
    }
    return written == out.size();
}
u64 scratch_lz4(std::span<const u8>) { return 0; }

constexpr Decoder all[] = {
    {"XZ", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, true, unpack_xz, scratch_xz},
    {"Zstandard", {0x28, 0xb5, 0x2f, 0xfd}, 4, true, unpack_zstd, scratch_zstd},
    {"gzip", {0x1f, 0x8b}, 2, false, unpack_gzip, scratch_gzip},
    {"LZ4", {0x02, 0x21, 0x4c, 0x18}, 4, true, unpack_lz4, scratch_lz4},
};

} // namespace

const Decoder* find(std::span<const u8> data)
{
    for (const Decoder& d : all)
        if (data.size() >= d.magic_bytes && __builtin_memcmp(data.data(), d.magic, d.magic_bytes) == 0)
            return &d;
    return nullptr;
}

} // namespace tenon::decoders
