// The console: a ring of everything written, sinks (serial, screen) that show it, and the keyboard's way to dom0 or to us.
#pragma once
#include <tenon/log.hpp>

namespace tenon::console {

/// Shows text; called with the console lock held, on any CPU. '\n' ends a line.
using Sink = void (*)(const char* text, std::size_t length);
/// Adds a sink (at most four) and shows it what was written so far. False when there is no room.
bool add_sink(Sink sink);

/// Text that is somebody's: the log with what guests print, what was typed for dom0, a guest's unfinished line. It lies in pages that no
/// address space has, once domains run; a view shows a piece of it while it is copied.
struct Store {
    u32 start, size; ///< among all of this text

    /// A position runs round. The caller locks.
    void write(u32 position, const char* from, u32 length) const;
    void read(u32 position, char* to, u32 length) const;
};
inline constexpr Store ring_store{0, 32 * 1024}, input_store{ring_store.size, 512}, line_store{input_store.start + input_store.size, 160};
inline constexpr u32 store_bytes = line_store.start + line_store.size;
/// Before the first domain runs: takes the text out of the image, which every domain's tables map.
void hide_text();

/// From now on nothing waits for the console lock. Its holder may be the CPU that died. The ring ends here.
void enter_panic();
/// Formats "(TEN) <prefix><text>\n" and writes it.
void write_line(const char* prefix, const char* format, va_list args);

/// Positions in the ring only grow (modulo 2^32); what is older than the ring's size is gone.
struct RingRead {
    u32 count; ///< characters copied
    u32 next;  ///< position behind them
};
/// Copies from position `from`, or from the oldest character when that one is gone (or was never written).
RingRead read_ring(u32 from, char* to, u32 size);
/// Position of the first character that was not cleared.
u32 ring_start();
/// Forgets what lies before `position`.
void clear_ring(u32 position);

/// A character came from the serial line. Ctrl-A three times switches the keyboard between dom0 and Tenon's own keys.
void receive(char c);
/// What dom0 reads by console_io: takes up to `size` characters.
u32 read_input(char* to, u32 size);
/// One of Tenon's own keys, `h` lists them; also by sysctl debug_keys. In any context, without locks.
void press_key(char key);

} // namespace tenon::console
