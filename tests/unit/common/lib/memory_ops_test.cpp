// The functions under other names: the originals belong to the C library and the sanitizers here.
#define memcpy tenon_memcpy
#define memmove tenon_memmove
#define memset tenon_memset
#define memcmp tenon_memcmp
#define memchr tenon_memchr
#define strlen tenon_strlen
#include "../../../../common/lib/memory_ops.cpp"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace {

int sign(int v) { return (v > 0) - (v < 0); }

TEST(MemoryOps, AgreeWithTheCLibraryAtEverySizeAndAlignment)
{
    std::mt19937 random(1);
    std::vector<unsigned char> source(400);
    for (auto& b : source)
        b = static_cast<unsigned char>(random());
    for (size_t n = 0; n < 130; n++)
        for (size_t a = 0; a < 9; a++)
            for (size_t b = 0; b < 9; b += 3) {
                auto ours = source, theirs = source;
                ASSERT_EQ(tenon_memcpy(&ours[200 + a], &source[b], n), &ours[200 + a]);
                std::memcpy(&theirs[200 + a], &source[b], n);
                ASSERT_EQ(ours, theirs);
                ASSERT_EQ(tenon_memset(&ours[a], int(n + 200), n), &ours[a]);
                std::memset(&theirs[a], int(n + 200), n);
                ASSERT_EQ(ours, theirs);
                ASSERT_EQ(tenon_memcmp(&ours[a], &theirs[a], n), 0);
            }
}

TEST(MemoryOps, MoveHandlesEveryOverlap)
{
    std::vector<unsigned char> source(200);
    for (size_t i = 0; i < source.size(); i++)
        source[i] = static_cast<unsigned char>(i * 7);
    for (size_t n = 0; n < 60; n++)
        for (size_t from = 40; from < 60; from++)
            for (size_t to = 0; to < 120; to++) {
                auto ours = source, theirs = source;
                tenon_memmove(&ours[to], &ours[from], n);
                std::memmove(&theirs[to], &theirs[from], n);
                ASSERT_EQ(ours, theirs) << n << " " << from << " " << to;
            }
}

TEST(MemoryOps, ComparisonsAndSearches)
{
    std::mt19937 random(2);
    for (int i = 0; i < 20000; i++) {
        char a[24], b[24];
        size_t n = random() % 20;
        for (size_t j = 0; j < n; j++)
            a[j] = char('a' + random() % 3), b[j] = random() % 8 ? a[j] : char(random() % 255 + 1);
        a[n] = b[n] = 0;
        ASSERT_EQ(sign(tenon_memcmp(a, b, n)), sign(std::memcmp(a, b, n)));
        ASSERT_EQ(tenon_strlen(a), std::strlen(a));
        ASSERT_EQ(tenon_memchr(a, 'c', n), std::memchr(a, 'c', n));
    }
}

} // namespace
