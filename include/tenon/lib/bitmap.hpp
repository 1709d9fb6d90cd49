// A fixed set of small numbers.
#pragma once
#include <atomic>
#include <tenon/lib/types.hpp>

namespace tenon {

template <unsigned N> class Bitmap {
public:
    static constexpr unsigned words = (N + 63) / 64;
    constexpr bool test(unsigned i) const { return word_[i / 64] >> (i % 64) & 1; }
    constexpr void set(unsigned i) { word_[i / 64] |= bit(i % 64); }
    constexpr void clear(unsigned i) { word_[i / 64] &= ~bit(i % 64); }
    constexpr void assign(unsigned i, bool on) { on ? set(i) : clear(i); }
    void atomic_set(unsigned i) { std::atomic_ref(word_[i / 64]).fetch_or(bit(i % 64)); }
    constexpr bool any() const { return next(0) < N; }
    constexpr unsigned count() const
    {
        unsigned n = 0;
        for_each([&](unsigned) { n++; });
        return n;
    }
    constexpr void fill(unsigned n)
    {
        for (unsigned i = 0; i < n; i++)
            set(i);
    }
    constexpr void set_word(unsigned i, u64 v) { word_[i] = v; }
    constexpr Bitmap operator&(const Bitmap& o) const
    {
        Bitmap r;
        for (unsigned i = 0; i < words; i++)
            r.word_[i] = word_[i] & o.word_[i];
        return r;
    }
    /// Calls f(i) for each member in ascending order.
    template <class F> constexpr void for_each(F&& f) const
    {
        for (unsigned w = 0; w < words; w++)
            for (u64 v = word_[w]; v; v &= v - 1)
                f(w * 64 + unsigned(__builtin_ctzll(v)));
    }
    /// The lowest member at or after `from`, or N.
    constexpr unsigned next(unsigned from) const
    {
        for (unsigned i = from; i < N; i = (i / 64 + 1) * 64)
            if (u64 v = word_[i / 64] >> (i % 64))
                return i + unsigned(__builtin_ctzll(v));
        return N;
    }

private:
    u64 word_[words]{};
};

} // namespace tenon
