// The screen's font: printable ASCII in cells of 5 by 8 points, drawn for this program. One number a glyph: eight rows of five bits, the
// top row in the highest bits, the left point highest in its row.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::screen {

/// ' ' to '~'
inline constexpr u64 font_glyphs[95] = {
    0x0000000000, 0x2108420080, 0x5294000000, 0x52beafa940, 0x23e8e2f880, 0xc644444c60, 0x45288ac9a0, 0x2110000000, 0x1110841040,
    0x4104211100, 0x055df75400, 0x0109f21000, 0x0000003088, 0x0001f00000, 0x0000003180, 0x0844444200, 0x74675cc5c0, 0x23284213e0,
    0x74426443e0, 0xf042e087c0, 0x11952f8840, 0xfc3c10c5c0, 0x3221e8c5c0, 0xf844221080, 0x7462e8c5c0, 0x7462f08980, 0x0318063000,
    0x0318061100, 0x0888820820, 0x003e0f8000, 0x8208222200, 0x7442220080, 0x746f5bc1c0, 0x22a31fc620, 0xf463e8c7c0, 0x74610845c0,
    0xf46318c7c0, 0xfc21e843e0, 0xfc21e84200, 0x746138c5e0, 0x8c63f8c620, 0x71084211c0, 0x3884214980, 0x8ca98a4a20, 0x84210843e0,
    0x8eeb58c620, 0x8e7359ce20, 0x746318c5c0, 0xf463e84200, 0x74631ac9a0, 0xf463ea4a20, 0x7c20e087c0, 0xf908421080, 0x8c6318c5c0,
    0x8c63152880, 0x8c635aee20, 0x8c54454620, 0x8c54421080, 0xf8444443e0, 0x72108421c0, 0x8410410420, 0x70842109c0, 0x22a2000000,
    0x000000001f, 0x4100000000, 0x001c17c5e0, 0x843d18c7c0, 0x001f0841e0, 0x085f18c5e0, 0x001d1fc1c0, 0x323c842100, 0x001f18bc2e,
    0x843d18c620, 0x20184211c0, 0x100c210a4c, 0x84254c5240, 0x61084211c0, 0x00355ad6a0, 0x003d18c620, 0x001d18c5c0, 0x003d18fa10,
    0x001f18bc21, 0x002d884200, 0x001f0707c0, 0x423c8420c0, 0x002318c5e0, 0x002318a880, 0x00235ad540, 0x0022a22a20, 0x002318bc2e,
    0x003e2223e0, 0x1908821060, 0x2108421080, 0xc108221300, 0x0013590000,
};

inline constexpr u32 cell_width = 8, cell_height = 16;

/// Row `y` (0-15) of a character's cell, the left point in bit 7: the glyph's rows are drawn twice, with margins of one and two points.
constexpr u8 cell_row(char c, u32 y)
{
    const u64 glyph = font_glyphs[c >= ' ' && c <= '~' ? c - ' ' : '?' - ' '];
    return u8((glyph >> (5 * (7 - y / 2)) & 0x1f) << 2);
}

} // namespace tenon::screen
