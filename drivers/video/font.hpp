// Glyphs and the size of a character on the screen.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::screen {

extern const u64 font_glyphs[95]; ///< ' ' to '~'

inline constexpr u32 cell_width = 8, cell_height = 16;

/// Row `y` (0-15) of a character's cell, the left point in bit 7: the glyph's rows are drawn twice, with margins of one and two points.
constexpr u8 cell_row(char c, u32 y)
{
    const u64 glyph = font_glyphs[c >= ' ' && c <= '~' ? c - ' ' : '?' - ' '];
    return u8((glyph >> (5 * (7 - y / 2)) & 0x1f) << 2);
}

} // namespace tenon::screen
