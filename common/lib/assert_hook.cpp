// Where the compiler and the header-only library end when something of ours is broken: always panic.
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
}
