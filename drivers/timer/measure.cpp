// Measures one counter's rate by another. Both are read from outside an unknown world: each reading of the reference is enclosed between
// two of the unknown counter, and the width of that window bounds the error.
#include <tenon/device/counter.hpp>

namespace tenon {
namespace {

struct Point {
    u64 unknown, reference, doubt;
};

constexpr unsigned points = 5, tries = 12;
constexpr u64 stuck_reads = 1'000'000;

} // namespace

u64 measure_rate(const Counter& unknown, const Counter& reference, u64 milliseconds)
{
    Point point[points];
    u64 total = 0, last = reference.read();
    // Keeps the reference's full count across its wraps; a wrap takes longer than any step between two looks at it.
    const auto advance = [&] {
        const u64 now = reference.read();
        total += (now - last) & reference.mask;
        last = now;
        return total;
    };
    const u64 step = max<u64>(reference.hz * milliseconds / 1000 / (points - 1), 1);
    u64 origin = unknown.read(), seen = 0, unknown_total = 0;
    const auto look = [&] {
        const u64 now = unknown.read();
        unknown_total += (now - origin) & unknown.mask;
        origin = now;
        return unknown_total;
    };
    for (unsigned i = 0; i < points; i++) {
        for (u64 reads = 0; total < i * step; reads++) {
            if (advance() != seen)
                reads = 0;
            seen = total;
            look();
            if (reads > stuck_reads)
                return 0;
        }
        point[i].doubt = ~u64{0};
        for (unsigned n = 0; n < tries; n++) {
            const u64 before = look(), middle = advance(), after = look();
            if (after - before < point[i].doubt)
                point[i] = {before + (after - before) / 2, middle, after - before};
        }
    }
    // The best pair has the least doubt for its length: doubt / length, compared crosswise.
    u64 best_doubt = ~u64{0} >> 32, best_length = 1, best_rate = 0;
    for (unsigned i = 0; i < points; i++)
        for (unsigned j = i + 1; j < points; j++) {
            const u64 length = point[j].reference - point[i].reference;
            const u64 doubt = min(point[i].doubt + point[j].doubt, ~u64{0} >> 32);
            if (length == 0 || doubt * best_length >= best_doubt * length)
                continue;
            best_doubt = doubt;
            best_length = length;
            best_rate = (point[j].unknown - point[i].unknown) * reference.hz / length;
        }
    return best_rate;
}

} // namespace tenon
