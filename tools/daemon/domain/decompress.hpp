// Decompression of a kernel's payload by the well-kept libraries: gzip, XZ and LZMA, Zstandard, LZ4 in the
// legacy framing that kernel builds use.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tenon::tools {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// Does the data begin like one of the known formats, or like one that is known not to be supported?
bool is_compressed(ByteView data);

/// `data` may have a few bytes behind the stream. Throws Error naming the format.
Bytes decompress(ByteView data, std::size_t size_hint);

} // namespace tenon::tools
