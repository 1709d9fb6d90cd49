#include <climits>
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <tenon/log.hpp>

using namespace tenon;

namespace {

/// Ours and the C library's agree.
template <class... A> void same(const char* f, A... args)
{
    char ours[300], theirs[300];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    std::size_t n = format(ours, sizeof(ours), f, args...);
    std::snprintf(theirs, sizeof(theirs), f, args...);
#pragma GCC diagnostic pop
    EXPECT_STREQ(ours, theirs) << f;
    EXPECT_EQ(n, std::strlen(theirs)) << f;
}

TEST(Format, AgreesWithTheCLibrary)
{
    same("plain text, 100%% of it");
    for (int v : {0, 1, -1, 42, -123456, INT_MAX, INT_MIN}) {
        for (auto f : {"%d", "%i", "%5d|", "%-8d|", "%08d", "%+d", "%.5d", "%10.4d|", "%hd", "%hhd", "%3d|", "%-012d|"})
            same(f, v);
        for (auto f : {"%u", "%x", "%X", "%08x", "%#x", "%-10x|", "%12u|", "%.8x", "%hx", "%hhu"})
            same(f, unsigned(v));
    }
    for (long v : {0l, -1l, LONG_MAX, LONG_MIN, 0x123456789abcdefl})
        for (auto f : {"%ld", "%lld", "%zd", "%20ld|", "%-22ld|"})
            same(f, v);
    for (unsigned long v : {0ul, ~0ul, 0xdeadbeefcafeul})
        for (auto f : {"%lx", "%llX", "%zu", "%016lx", "%#lx", "%18lx|", "%lu"})
            same(f, v);
    for (auto s : {"", "a", "hello"})
        for (auto f : {"%s", "%3s|", "%10s|", "%-10s|", "%.2s|", "%6.3s|", "%.0s|"})
            same(f, s);
    same("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
    same("%*d|%-*d|%.*s", 6, 1, 6, 2, 3, "abcdef");
    same("%*d|", -6, 1);
    same("%p", reinterpret_cast<void*>(0x1234));
    same("%d %s %lx %c %u%%", 1, "two", 3ul, '4', 5u);
}

TEST(Format, OddCases)
{
    char b[16];
    const char* volatile null = nullptr;
    EXPECT_EQ(format(b, sizeof(b), "%s", null), 6u);
    EXPECT_STREQ(b, "(null)");
    std::memset(b, 'x', sizeof(b));
    EXPECT_EQ(format(b, 5, "%s", "too long"), 4u);
    EXPECT_STREQ(b, "too ");
    volatile int no_positive_counterpart = INT_MIN;
    EXPECT_EQ(format(b, sizeof(b), "%*d", no_positive_counterpart, 7), 15u);
    EXPECT_STREQ(b, "7              ");
    std::memset(b, 'x', sizeof(b));
    format(b, 5, "%s", "too long");
    EXPECT_EQ(b[5], 'x');
    EXPECT_EQ(format(b, 1, "%d", 7), 0u);
    EXPECT_EQ(format(b, 0, "%d", 7), 0u);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
    EXPECT_EQ(format(b, sizeof(b), "%q!"), 3u);
    EXPECT_STREQ(b, "%q!");
    EXPECT_EQ(format(b, sizeof(b), "end%"), 3u);
#pragma GCC diagnostic pop
    EXPECT_EQ(format(b, sizeof(b), "%99999d", 1), 15u);
}

} // namespace
