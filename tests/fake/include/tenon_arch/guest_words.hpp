// The fake machine has one way to a guest's memory, whatever the size.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon::arch {

constexpr bool is_few_words(u64) { return false; }
template <u64 bytes> bool few_words_ok(u64) { return false; }
inline void open_user_pages() {}
inline void close_user_pages() {}
template <class Word> bool load_word(Word&, u64) { return false; }
template <u64 bytes> bool load_few_words(void*, u64) { return false; }
template <u64 bytes> bool store_few_words(u64, const void*) { return false; }

} // namespace tenon::arch
