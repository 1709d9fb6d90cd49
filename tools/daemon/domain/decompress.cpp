// One function per format. Output grows as needed up to a bound, so that a lying size field costs nothing.
#include "decompress.hpp"

#include <tools/lib/error.hpp>

#include <algorithm>
#include <array>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace tenon::tools {

namespace {

constexpr std::size_t output_max = 1ull << 30;
constexpr std::size_t output_step = 16ull << 20;

using Decoder = Bytes (*)(ByteView, std::size_t);

const std::uint8_t* bytes_of(ByteView data) { return reinterpret_cast<const std::uint8_t*>(data.data()); }

void grow(Bytes& out)
{
    if (out.size() >= output_max)
        throw Error("the kernel unpacks to more than 1 GiB");
    out.resize(std::min(out.size() + output_step, output_max));
}

Bytes gunzip(ByteView in, std::size_t hint)
{
    Bytes out(hint);
    z_stream stream{};
    inflateInit2(&stream, 15 + 16); // 16: a gzip header
    stream.next_in = const_cast<Bytef*>(bytes_of(in));
    stream.avail_in = static_cast<uInt>(in.size());
    int result = Z_OK;
    while (result == Z_OK) {
        if (stream.total_out == out.size())
            grow(out);
        stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
        stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
        result = inflate(&stream, Z_NO_FLUSH);
    }
    out.resize(stream.total_out);
    inflateEnd(&stream);
    if (result != Z_STREAM_END)
        throw Error("the kernel's gzip data is damaged");
    return out;
}

Bytes unxz(ByteView in, std::size_t hint)
{
    Bytes out(hint);
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_auto_decoder(&stream, 512ull << 20, 0) != LZMA_OK)
        throw Error("the XZ decoder does not start");
    stream.next_in = bytes_of(in);
    stream.avail_in = in.size();
    lzma_ret result = LZMA_OK;
    while (result == LZMA_OK) {
        if (stream.total_out == out.size())
            grow(out);
        stream.next_out = reinterpret_cast<std::uint8_t*>(out.data()) + stream.total_out;
        stream.avail_out = out.size() - stream.total_out;
        result = lzma_code(&stream, LZMA_RUN);
    }
    out.resize(stream.total_out);
    lzma_end(&stream);
    if (result != LZMA_STREAM_END)
        throw Error(fmt::format("the kernel's XZ data is damaged (code {})", static_cast<int>(result)));
    return out;
}

Bytes unzstd(ByteView in, std::size_t hint)
{
    auto frame = ZSTD_findFrameCompressedSize(in.data(), in.size());
    if (ZSTD_isError(frame))
        throw Error(fmt::format("the kernel's Zstandard data is damaged ({})", ZSTD_getErrorName(frame)));
    Bytes out(hint);
    auto context = ZSTD_createDCtx();
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 31); // kernels use windows of 128 MiB
    auto size = ZSTD_decompressDCtx(context, out.data(), out.size(), in.data(), frame);
    ZSTD_freeDCtx(context);
    if (ZSTD_isError(size))
        throw Error(fmt::format("the kernel's Zstandard data is damaged ({})", ZSTD_getErrorName(size)));
    out.resize(size);
    return out;
}

/// Legacy frame: a magic word, then blocks of at most 8 MiB, each behind its compressed size.
Bytes unlz4(ByteView in, std::size_t hint)
{
    constexpr std::size_t block_max = 8u << 20;
    Bytes out;
    out.reserve(hint);
    in = in.subspan(4);
    while (in.size() > 4 && out.size() < hint) {
        std::uint32_t size;
        std::memcpy(&size, in.data(), sizeof size);
        in = in.subspan(sizeof size);
        if (size > in.size())
            throw Error("the kernel's LZ4 data is cut short");
        auto start = out.size();
        out.resize(start + block_max);
        auto got = LZ4_decompress_safe(reinterpret_cast<const char*>(in.data()), reinterpret_cast<char*>(out.data()) + start,
                                       static_cast<int>(size), block_max);
        if (got < 0)
            throw Error("the kernel's LZ4 data is damaged");
        out.resize(start + static_cast<std::size_t>(got));
        in = in.subspan(size);
    }
    return out;
}

struct Format {
    std::array<std::uint8_t, 4> magic;
    std::size_t length;
    const char* name;
    Decoder decoder; ///< null: known, but not supported
};

constexpr Format formats[] = {
    {{0x1f, 0x8b}, 2, "gzip", gunzip},           {{0xfd, '7', 'z', 'X'}, 4, "XZ", unxz},
    {{0x5d, 0x00, 0x00}, 3, "LZMA", unxz},       {{0x28, 0xb5, 0x2f, 0xfd}, 4, "Zstandard", unzstd},
    {{0x02, 0x21, 0x4c, 0x18}, 4, "LZ4", unlz4}, {{'B', 'Z', 'h'}, 3, "bzip2", nullptr},
    {{0x89, 'L', 'Z', 'O'}, 4, "LZO", nullptr},
};

const Format* format_of(ByteView data)
{
    for (const auto& format : formats)
        if (data.size() > format.length && std::equal(format.magic.begin(), format.magic.begin() + format.length, bytes_of(data)))
            return &format;
    return nullptr;
}

} // namespace

bool is_compressed(ByteView data) { return format_of(data) != nullptr; }

Bytes decompress(ByteView data, std::size_t size_hint)
{
    auto format = format_of(data);
    if (!format)
        throw Error("the kernel is packed in an unknown format");
    if (!format->decoder)
        throw Error(fmt::format("the kernel is packed with {}, which is not supported", format->name));
    return format->decoder(data, std::min(size_hint, output_max));
}

} // namespace tenon::tools
