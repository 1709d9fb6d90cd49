// The ring of console text, its sinks, and the lock over both.
#include <optional>
#include <tenon/console.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::console {
namespace {

constexpr u32 ring_size = 32 * 1024;
constexpr unsigned max_sinks = 4;
char ring[ring_size];
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

/// The ring's text [from, from + length), in at most two pieces.
template <class F> void for_each_piece(u32 from, u32 length, F&& f)
{
    u32 first = min(length, ring_size - from % ring_size);
    f(ring + from % ring_size, first);
    if (length > first)
        f(ring, length - first);
}

} // namespace

bool add_sink(Sink sink)
{
    MaybeLocked guard;
    if (sink_count == max_sinks)
        return false;
    for_each_piece(start, produced - start, sink);
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
    for_each_piece(from, count, [&](const char* text, u32 length) {
        __builtin_memcpy(to, text, length);
        to += length;
    });
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
    for (std::size_t i = 0; i < length; i++)
        ring[produced++ % ring_size] = text[i];
    if (produced - start > ring_size)
        start = produced - ring_size;
    for (unsigned i = 0; i < sink_count; i++)
        sinks[i](text, length);
}

} // namespace tenon
