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
        for (auto f : {"%d", "%5d|", "%3d|", "%12d|"})
            same(f, v);
        for (auto f : {"%u", "%x", "%08x", "%02x", "%12u|", "%012u"})
            same(f, unsigned(v));
    }
    for (long v : {0l, -1l, LONG_MAX, LONG_MIN, 0x123456789abcdefl})
        for (auto f : {"%ld", "%lld", "%zd", "%20ld|"})
            same(f, v);
    for (unsigned long v : {0ul, ~0ul, 0xdeadbeefcafeul})
        for (auto f : {"%lx", "%llx", "%zu", "%016lx", "%18lx|", "%lu"})
            same(f, v);
    for (auto s : {"", "a", "hello"})
        for (int most : {0, 2, 5, 9})
            same("%s|%.*s|", s, most, s);
    same("%c%c|", 'a', 'b');
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
    std::memset(b, 'x', sizeof(b));
    format(b, 5, "%s", "too long");
    EXPECT_EQ(b[5], 'x');
    EXPECT_EQ(format(b, 1, "%d", 7), 0u);
    EXPECT_EQ(format(b, 0, "%d", 7), 0u);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
    EXPECT_EQ(format(b, sizeof(b), "%q!"), 3u);
    EXPECT_STREQ(b, "%q!");
    EXPECT_EQ(format(b, sizeof(b), "%-5d"), 4u);
    EXPECT_STREQ(b, "%-5d");
    EXPECT_EQ(format(b, sizeof(b), "end%"), 4u);
#pragma GCC diagnostic pop
    EXPECT_EQ(format(b, sizeof(b), "%9999d", 1), 15u);
}

} // namespace
