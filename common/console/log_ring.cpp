// The ring of console text, its sinks, and the lock over both.
#include <optional>
#include <tenon/console.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::console {
namespace {

constexpr unsigned max_sinks = 4;
u32 produced, start; // positions; produced - start <= ring_store.size
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

} // namespace

bool add_sink(Sink sink)
{
    MaybeLocked guard;
    if (sink_count == max_sinks)
        return false;
    char text[256];
    for (u32 at = start, n; at != produced; at += n) {
        n = min(u32(sizeof text), produced - at);
        ring_store.read(at, text, n);
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
    ring_store.read(from, to, count);
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
        ring_store.write(produced, text, u32(length));
        produced += u32(length);
        if (produced - start > ring_store.size)
            start = produced - ring_store.size;
    }
    for (unsigned i = 0; i < sink_count; i++)
        sinks[i](text, length);
}

} // namespace tenon
