// Measures one counter's rate by another. Both are read from outside an unknown world: each reading of the reference is enclosed between
// two of the unknown counter, and the width of that window bounds the error.
#include <tenon/device/counter.hpp>

namespace tenon {
namespace {

/// A counter's full count across its wraps; a wrap takes longer than any step between two looks at it.
struct Running {
    const Counter& counter;
    u64 last = counter.read(), total = 0;

    u64 look()
    {
        const u64 now = counter.read();
        total += (now - last) & counter.mask;
        last = now;
        return total;
    }
};

struct Point {
    u64 unknown, reference;
};

/// Of a few tries the one in the narrowest window.
Point take_point(Running& unknown, Running& reference)
{
    Point best{};
    u64 least = ~u64{0};
    for (unsigned tries = 0; tries < 12; tries++) {
        const u64 before = unknown.look(), middle = reference.look(), width = unknown.look() - before;
        if (width < least) {
            least = width;
            best = {before + width / 2, middle};
        }
    }
    return best;
}

} // namespace

u64 measure_rate(const Counter& unknown_counter, const Counter& reference_counter, u64 milliseconds)
{
    constexpr u64 stuck_reads = 1'000'000;
    Running unknown{unknown_counter}, reference{reference_counter};
    const Point begin = take_point(unknown, reference);
    const u64 end = begin.reference + max<u64>(reference_counter.hz * milliseconds / 1000, 1);
    u64 reads = 0;
    while (reference.total < end) {
        const u64 seen = reference.total;
        reads = reference.look() == seen ? reads + 1 : 0;
        unknown.look();
        if (reads > stuck_reads)
            return 0;
    }
    const Point last = take_point(unknown, reference);
    return (last.unknown - begin.unknown) * reference_counter.hz / (last.reference - begin.reference);
}

} // namespace tenon
