// Small structures of the current guest's, read and written word by word: no call, one fix-up for a fault. For guest/handle.hpp.
#pragma once
#include <tenon_arch/layout.hpp>
#include <type_traits>

namespace tenon::arch {

/// STAC and CLAC, which boot takes away where there is no SMAP, as in the entry code.
[[gnu::always_inline]] inline void open_user_pages()
{
    asm volatile("1: stac; .pushsection .rodata.smap_sites, \"a\"; .long 1b - ., 3; .popsection" ::: "memory");
}
[[gnu::always_inline]] inline void close_user_pages()
{
    asm volatile("1: clac; .pushsection .rodata.smap_sites, \"a\"; .long 1b - ., 3; .popsection" ::: "memory");
}

/// What the instruction at label 1 leads to when it faults.
#define ON_FAULT(label) ".pushsection .fixups, \"a\"\n .long 1b - ., %l[" #label "] - .\n .popsection"

/// One word; pages are open. False on a fault.
template <class Word> [[gnu::always_inline]] inline bool load_word(Word& value, u64 from)
{
    asm goto("1: mov %1, %0\n" ON_FAULT(bad) : "=r"(value) : "m"(*reinterpret_cast<const Word*>(from)) : : bad);
    return true;
bad:
    return false;
}
template <class Word> [[gnu::always_inline]] inline bool store_word(u64 to, Word value)
{
    asm goto("1: mov %0, %1\n" ON_FAULT(bad) : : "r"(value), "m"(*reinterpret_cast<Word*>(to)) : "memory" : bad);
    return true;
bad:
    return false;
}

/// Sizes that are a few words.
constexpr bool is_few_words(u64 bytes) { return bytes == 2 || bytes == 4 || (bytes % 8 == 0 && bytes <= 40); }

template <u64 bytes> using PartOfWord = std::conditional_t<bytes == 2, u16, u32>;

/// A range of constant size: one comparison, as the lower half follows the upper one where addresses wrap around.
template <u64 bytes> [[gnu::always_inline]] inline bool few_words_ok(u64 va)
{
    constexpr u64 start = x86::hypervisor_end, last = (u64{1} << 47) - bytes;
    return va - start <= last - start;
}

/// `bytes` at a guest's address that is in range. False on a fault; `to` is then undefined.
template <u64 bytes> [[gnu::always_inline]] inline bool load_few_words(void* to, u64 from)
{
    bool good = true;
    open_user_pages();
    if constexpr (bytes < 8) {
        PartOfWord<bytes> value = 0;
        good = load_word(value, from);
        __builtin_memcpy(to, &value, bytes);
    } else {
#pragma GCC unroll 5
        for (u64 at = 0; at < bytes && good; at += 8) {
            u64 value = 0;
            good = load_word(value, from + at);
            __builtin_memcpy(static_cast<char*>(to) + at, &value, 8);
        }
    }
    close_user_pages();
    return good;
}
template <u64 bytes> [[gnu::always_inline]] inline bool store_few_words(u64 to, const void* from)
{
    bool good = true;
    open_user_pages();
    if constexpr (bytes < 8) {
        PartOfWord<bytes> value;
        __builtin_memcpy(&value, from, bytes);
        good = store_word(to, value);
    } else {
#pragma GCC unroll 5
        for (u64 at = 0; at < bytes && good; at += 8) {
            u64 value;
            __builtin_memcpy(&value, static_cast<const char*>(from) + at, 8);
            good = store_word(to + at, value);
        }
    }
    close_user_pages();
    return good;
}

} // namespace tenon::arch
