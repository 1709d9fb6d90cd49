// Where the compiler and the header-only library end when something of ours is broken: always panic.
#include <new>
#include <tenon/log.hpp>

namespace std {
#pragma GCC visibility push(default)
void __glibcxx_assert_fail(const char* file, int line, const char*, const char* condition) noexcept
{
    tenon::panic("%s:%d: library assertion failed: %s", file, line, condition);
}
#pragma GCC visibility pop
} // namespace std

extern "C" {
/// A constant: it catches overruns by accident, not by design.
[[gnu::used]] tenon::u64 __stack_chk_guard = 0x595e9fbd94fda766;

[[noreturn, gnu::used]] void __stack_chk_fail() { tenon::panic("stack overrun at %p", __builtin_return_address(0)); }
[[noreturn]] void __cxa_pure_virtual() { tenon::panic("pure virtual call"); }
}

// A class with a virtual destructor names these; objects live on the heap of mm/heap.hpp and die by destroy().
void operator delete(void*) noexcept { tenon::panic("operator delete is not used"); }
void operator delete(void*, std::size_t) noexcept { tenon::panic("operator delete is not used"); }
