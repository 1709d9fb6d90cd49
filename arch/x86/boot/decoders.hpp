// The well-kept decompressors that are linked into the boot stage, behind one shape.
#pragma once
#include "kernel_image.hpp"

namespace tenon::decoders {

/// One compression format. `unpack` fills `out` completely or returns false; `scratch` says how much of the arena it takes.
struct Decoder {
    const char* name;
    u8 magic[6];
    u8 magic_bytes;
    bool size_follows; ///< the last 4 bytes of the payload are not part of the stream
    bool (*unpack)(std::span<const u8> in, std::span<u8> out, Arena& arena);
    u64 (*scratch)(std::span<const u8> in);
};

/// The decoder for data that begins like this, or nullptr.
const Decoder* find(std::span<const u8> data);

} // namespace tenon::decoders
