// Copies from and to the current guest's address space. SMAP is opened around them; faults are fixed up.
#include <tenon/guest/handle.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::arch {

bool guest_range_ok(GuestVa va, u64 bytes)
{
    u64 first = va.raw(), last = first + bytes - (bytes != 0);
    if (last < first)
        return false;
    constexpr u64 lower_end = u64{1} << 47, upper_start = x86::hypervisor_end;
    return last < lower_end || first >= upper_start;
}

namespace {

/// Three bytes that boot turns into STAC or CLAC where SMAP is in use, as in the entry code.
[[gnu::always_inline]] inline void open_user_pages()
{
    asm volatile("1: .byte 0x0f, 0x1f, 0x00; .pushsection .rodata.smap_sites, \"a\"; .long 1b - ., 0xcb; .popsection" ::: "memory");
}
[[gnu::always_inline]] inline void close_user_pages()
{
    asm volatile("1: .byte 0x0f, 0x1f, 0x00; .pushsection .rodata.smap_sites, \"a\"; .long 1b - ., 0xca; .popsection" ::: "memory");
}

#define ON_FAULT(label) ".pushsection .fixups, \"a\"\n .long 1b - ., %l[" #label "] - .\n .popsection"

/// One word, the most frequent sizes by far. False on a fault.
template <class Word> [[gnu::always_inline]] inline bool load_word(void* to, u64 from)
{
    Word value;
    open_user_pages();
    asm goto("1: mov %1, %0\n" ON_FAULT(bad) : "=r"(value) : "m"(*reinterpret_cast<const Word*>(from)) : : bad);
    close_user_pages();
    __builtin_memcpy(to, &value, sizeof value);
    return true;
bad:
    close_user_pages();
    return false;
}
template <class Word> [[gnu::always_inline]] inline bool store_word(u64 to, const void* from)
{
    Word value;
    __builtin_memcpy(&value, from, sizeof value);
    open_user_pages();
    asm goto("1: mov %0, %1\n" ON_FAULT(bad) : : "r"(value), "m"(*reinterpret_cast<Word*>(to)) : "memory" : bad);
    close_user_pages();
    return true;
bad:
    close_user_pages();
    return false;
}

/// A fault ends the instruction: execution goes on behind it, and the count register says what is left.
#define COPY(instruction, count)                 \
    asm volatile("1: rep " instruction "\n"      \
                 "2:\n"                          \
                 ".pushsection .fixups, \"a\"\n" \
                 ".long 1b - ., 2b - .\n"        \
                 ".popsection"                   \
                 : "+D"(to), "+S"(from), "+c"(count)::"memory")

[[gnu::always_inline]] inline u64 guarded_copy(void* to, const void* from, u64 bytes)
{
    u64 words = bytes / 8, rest = bytes % 8;
    open_user_pages();
    COPY("movsq", words);
    if (rest && !words) [[unlikely]] {
        COPY("movsb", rest);
    }
    close_user_pages();
    return words * 8 + rest;
}

/// What a fault kept from being copied reads as zero.
[[gnu::noinline, gnu::cold]] u64 clear_rest(void* to, u64 bytes, u64 left)
{
    __builtin_memset(static_cast<u8*>(to) + (bytes - left), 0, left);
    return left;
}

} // namespace

u64 copy_from_guest(void* to, GuestVa from, u64 bytes)
{
    if (bytes == 8 && load_word<u64>(to, from.raw())) [[likely]]
        return 0;
    if (bytes == 4 && load_word<u32>(to, from.raw()))
        return 0;
    u64 left = guarded_copy(to, reinterpret_cast<const void*>(from.raw()), bytes);
    if (left) [[unlikely]]
        return clear_rest(to, bytes, left);
    return 0;
}

u64 copy_to_guest(GuestVa to, const void* from, u64 bytes)
{
    if (bytes == 8 && store_word<u64>(to.raw(), from)) [[likely]]
        return 0;
    if (bytes == 4 && store_word<u32>(to.raw(), from))
        return 0;
    return guarded_copy(reinterpret_cast<void*>(to.raw()), from, bytes);
}

} // namespace tenon::arch
