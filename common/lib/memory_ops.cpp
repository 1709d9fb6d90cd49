// The memory functions that compilers call by name. Short runs are plain loops over words, long ones the string
// instructions of the architecture; the flag on each keeps the optimiser from
// turning a loop back into a call of itself.
#include <tenon/lib/types.hpp>
#include <tenon_arch/words.hpp>

#define NO_SELF_CALL [[gnu::optimize("no-tree-loop-distribute-patterns")]]
#ifdef __clang__
#undef NO_SELF_CALL
#define NO_SELF_CALL [[clang::no_builtin]]
#endif

using std::size_t;

namespace {
using Word [[gnu::may_alias, gnu::aligned(1)]] = unsigned long;
using ConstWord [[gnu::may_alias, gnu::aligned(1)]] = const unsigned long; // `const Word` would lose the attributes
constexpr size_t word = sizeof(Word), long_run = 8 * word;

/// Ascending.
NO_SELF_CALL inline void* copy(void* to, const void* from, size_t n)
{
    auto* d = static_cast<unsigned char*>(to);
    auto* s = static_cast<const unsigned char*>(from);
    if (n >= long_run) {
        tenon::x86::copy_words(d, s, n / word);
        n %= word;
    }
    for (; n >= word; n -= word, d += word, s += word)
        *reinterpret_cast<Word*>(d) = *reinterpret_cast<ConstWord*>(s);
    while (n--)
        *d++ = *s++;
    return to;
}
} // namespace

extern "C" {

NO_SELF_CALL void* memcpy(void* __restrict to, const void* __restrict from, size_t n) { return copy(to, from, n); }

NO_SELF_CALL void* memmove(void* to, const void* from, size_t n)
{
    auto* d = static_cast<unsigned char*>(to);
    auto* s = static_cast<const unsigned char*>(from);
    if (size_t(d - s) >= n) // also when d < s: an ascending copy reads each byte before it is overwritten
        return copy(to, from, n);
    while (n--) // rare
        d[n] = s[n];
    return to;
}

NO_SELF_CALL void* memset(void* to, int value, size_t n)
{
    auto* d = static_cast<unsigned char*>(to);
    const unsigned long pattern = 0x0101010101010101ul * static_cast<unsigned char>(value);
    if (n >= long_run) {
        tenon::x86::fill_words(d, pattern, n / word);
        n %= word;
    }
    for (; n >= word; n -= word, d += word)
        *reinterpret_cast<Word*>(d) = pattern;
    while (n--)
        *d++ = static_cast<unsigned char>(value);
    return to;
}

NO_SELF_CALL int memcmp(const void* left, const void* right, size_t n)
{
    auto* a = static_cast<const unsigned char*>(left);
    auto* b = static_cast<const unsigned char*>(right);
    for (; n; n--, a++, b++) // nobody compares much
        if (*a != *b)
            return *a - *b;
    return 0;
}

NO_SELF_CALL void* memchr(const void* in, int value, size_t n)
{
    for (auto* p = static_cast<const unsigned char*>(in); n; n--, p++)
        if (*p == static_cast<unsigned char>(value))
            return const_cast<unsigned char*>(p);
    return nullptr;
}

NO_SELF_CALL size_t strlen(const char* s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

} // extern "C"
