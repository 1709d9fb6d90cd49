// What this is: what a micro-guest says and judges with. Every check is counted; a failed one prints where,
// what it got and what it wanted, and the run goes on. The framework prints the verdict when test() returns.
#pragma once

#include "abi.hpp"

namespace guest {

void print(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// A failed check that makes the rest of the guest pointless: prints, gives the verdict FAIL, shuts down.
[[noreturn]] void give_up(const char* format, ...) __attribute__((format(printf, 1, 2)));

bool check_equal(const char* file, int line, const char* what, u64 got, u64 want);
bool check_true(const char* file, int line, const char* what, bool holds);
/// Any negative number will do; one that is not real Xen's is noted.
bool check_refusal(const char* file, int line, const char* what, long got, long on_xen);
bool check_text(const char* file, int line, const char* what, const char* got, const char* want);

/// Something that this machine cannot test: said aloud, counted apart.
void skip(const char* why);

/// True on Tenon; for the few places where its answer differs from real Xen's on purpose.
bool on_tenon();

/// What test() must look like in every guest.
void test();

inline u64 number(auto value)
{
    return (u64)value; // pointers and integers alike
}

} // namespace guest

#define CHECK(condition) ::guest::check_true(__FILE__, __LINE__, #condition, static_cast<bool>(condition))
#define CHECK_EQ(got, want) ::guest::check_equal(__FILE__, __LINE__, #got, ::guest::number(got), ::guest::number(want))
#define CHECK_REFUSED(got, on_xen) ::guest::check_refusal(__FILE__, __LINE__, #got, static_cast<long>(got), on_xen)
#define CHECK_TEXT(got, want) ::guest::check_text(__FILE__, __LINE__, #got, got, want)
#define REQUIRE_EQ(got, want)                                         \
    do {                                                              \
        if (!CHECK_EQ(got, want))                                     \
            ::guest::give_up("cannot go on after line %d", __LINE__); \
    } while (0)
