// The windows of one stack: views nest, so the one that was opened last is closed first. Pure: a unit test opens as many as ever are.
#pragma once
#include "pte.hpp"
#include <tenon/log.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::x86::windows {

/// The most that are open at once: the validation of four levels of a foreign table, the view of the entry that leads there, two of a
/// copy; and, as validation lets interrupts in, one of the log for what an interrupt says.
inline constexpr unsigned worst_nesting = 4 + 1 + 2 + 1;
static_assert(window_count >= 2 * worst_nesting, "whoever nests deeper by mistake must not stop the machine");
static_assert(private_table < private_windows && private_state < private_windows && private_fpu < private_windows);
static_assert(private_windows + window_count <= entries_per_table);

/// Opens the next of them; says which. There was nothing in its entry, which no TLB remembers.
inline unsigned open(Pte* entries, u8& open_now, Mfn mfn)
{
    const unsigned window = open_now++;
    ASSERT(window < window_count);
    entries[window] = Pte::of(mfn, data_flags);
    return window;
}

inline void close(Pte* entries, u8& open_now) { entries[--open_now] = {}; }

} // namespace tenon::x86::windows
