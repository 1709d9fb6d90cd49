// Runs of words by string instructions: one instruction a word, and the CPU's own fast path for long runs.
// Both leave the pointers behind the last word. The direction flag is clear in all of the hypervisor.
#pragma once

namespace tenon::x86 {

/// Ascending: also right when the ranges overlap and `to` is the lower one.
inline void copy_words(unsigned char*& to, const unsigned char*& from, unsigned long words)
{
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
}
inline void fill_words(unsigned char*& to, unsigned long pattern, unsigned long words)
{
    asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
}

} // namespace tenon::x86
