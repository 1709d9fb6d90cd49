// A fixed set of small numbers, with atomic single-bit operations where a name says so.
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
    void atomic_clear(unsigned i) { std::atomic_ref(word_[i / 64]).fetch_and(~bit(i % 64)); }
    bool atomic_test_and_set(unsigned i) { return std::atomic_ref(word_[i / 64]).fetch_or(bit(i % 64)) >> (i % 64) & 1; }
    bool atomic_test_and_clear(unsigned i) { return std::atomic_ref(word_[i / 64]).fetch_and(~bit(i % 64)) >> (i % 64) & 1; }
    constexpr bool any() const
    {
        for (u64 w : word_)
            if (w)
                return true;
        return false;
    }
    constexpr unsigned count() const
    {
        unsigned n = 0;
        for (u64 w : word_)
            for (; w; w &= w - 1) // few members, and no help from a library
                n++;
        return n;
    }
    constexpr void fill(unsigned n)
    {
        for (unsigned i = 0; i < n; i++)
            set(i);
    }
    constexpr void reset() { *this = Bitmap{}; }
    constexpr u64 word(unsigned i) const { return word_[i]; }
    constexpr void set_word(unsigned i, u64 v) { word_[i] = v; }
    constexpr Bitmap operator&(const Bitmap& o) const
    {
        Bitmap r;
        for (unsigned i = 0; i < words; i++)
            r.word_[i] = word_[i] & o.word_[i];
        return r;
    }
    constexpr Bitmap operator|(const Bitmap& o) const
    {
        Bitmap r;
        for (unsigned i = 0; i < words; i++)
            r.word_[i] = word_[i] | o.word_[i];
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
        for (unsigned i = from; i < N;) {
            u64 v = word_[i / 64] >> (i % 64);
            if (v)
                return i + unsigned(__builtin_ctzll(v));
            i = (i / 64 + 1) * 64;
        }
        return N;
    }

  private:
    u64 word_[words]{};
};

} // namespace tenon
