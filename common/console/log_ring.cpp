// The ring of console text, its sinks, and the lock over both.
#include "store.hpp"
#include <optional>
#include <tenon/console.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::console {
namespace {

using store::ring_size;
constexpr unsigned max_sinks = 4;
u32 produced, start; // positions; produced - start <= ring_size
Sink sinks[max_sinks];
unsigned sink_count;
SpinLock<Rank::console> lock;
std::atomic<bool> panicking;

/// The console lock, unless somebody panics.
struct MaybeLocked : Pinned {
    MaybeLocked()
    {
        if (!panicking.load(std::memory_order_relaxed))
            held.emplace(lock);
    }
    std::optional<Guard<decltype(lock)>> held;
};

/// The ring's [position, position + length), in at most two pieces: f(place in the store, characters before it, length).
template <class F> void for_each_piece(u32 position, u32 length, F&& f)
{
    const u32 at = position % ring_size, first = min(length, ring_size - at);
    f(store::ring_at + at, 0, first);
    if (length > first)
        f(store::ring_at, first, length - first);
}

void copy_out(u32 position, char* to, u32 length)
{
    for_each_piece(position, length, [&](u32 at, u32 done, u32 n) { store::read(at, to + done, n); });
}

} // namespace

bool add_sink(Sink sink)
{
    MaybeLocked guard;
    if (sink_count == max_sinks)
        return false;
    char text[256];
    for (u32 at = start, n; at != produced; at += n) {
        n = min(u32(sizeof text), produced - at);
        copy_out(at, text, n);
        sink(text, n);
    }
    sinks[sink_count++] = sink;
    return true;
}

void enter_panic() { panicking.store(true, std::memory_order_relaxed); }

RingRead read_ring(u32 from, char* to, u32 size)
{
    MaybeLocked guard;
    if (produced - from > produced - start)
        from = start;
    u32 count = min(size, produced - from);
    copy_out(from, to, count);
    return {count, from + count};
}

u32 ring_start()
{
    MaybeLocked guard;
    return start;
}

void clear_ring(u32 position)
{
    MaybeLocked guard;
    if (produced - position <= produced - start)
        start = position;
}

} // namespace tenon::console

namespace tenon {

void console_write(const char* text, std::size_t length)
{
    using namespace console;
    MaybeLocked guard;
    if (!panicking.load(std::memory_order_relaxed)) { // the stack may be one without windows, and nobody will read it
        const std::size_t skipped = length - min(length, std::size_t{ring_size});
        produced += u32(skipped);
        for_each_piece(produced, u32(length - skipped), [&](u32 at, u32 done, u32 n) { store::write(at, text + skipped + done, n); });
        produced += u32(length - skipped);
        if (produced - start > ring_size)
            start = produced - ring_size;
    }
    for (unsigned i = 0; i < sink_count; i++)
        sinks[i](text, length);
}

} // namespace tenon
