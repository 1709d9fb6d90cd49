// Log lines with a level, printf-style. Sinks: serial, screen, and a ring that dom0 can read.
// Formats: those of common/lib/format.cpp; strong types are printed by raw().
#pragma once
#include <cstdarg>
#include <tenon/lib/types.hpp>

namespace tenon {

enum class LogLevel : u8 { error, warning, info, debug };

/// One line; the newline is added. Shown up to the level that `loglvl=` names.
[[gnu::format(printf, 2, 3)]] void log(LogLevel level, const char* format, ...);

#define log_error(...) ::tenon::log(::tenon::LogLevel::error, __VA_ARGS__)
#define log_warning(...) ::tenon::log(::tenon::LogLevel::warning, __VA_ARGS__)
#define log_info(...) ::tenon::log(::tenon::LogLevel::info, __VA_ARGS__)
#define log_debug(...) ::tenon::log(::tenon::LogLevel::debug, __VA_ARGS__)

/// Writes the line only the first time this place is reached.
#define log_once(level, ...)                  \
    do {                                      \
        static bool said_ = false;            \
        if (!said_) {                         \
            said_ = true;                     \
            ::tenon::log(level, __VA_ARGS__); \
        }                                     \
    } while (0)

/// Raw console output of a guest or of ours, no level, no prefix.
void console_write(const char* text, std::size_t length);

/// snprintf with the formats above; always terminates; returns the length written.
[[gnu::format(printf, 3, 4)]] std::size_t format(char* buffer, std::size_t size, const char* format, ...);
std::size_t vformat(char* buffer, std::size_t size, const char* format, va_list args);

/// A broken invariant of ours: registers, backtrace, then reboot or halt. Nothing a guest sends reaches it.
[[noreturn, gnu::format(printf, 1, 2)]] void panic(const char* format, ...);

#define ASSERT(condition)                                                                  \
    do {                                                                                   \
        if (!(condition)) [[unlikely]]                                                     \
            ::tenon::panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition); \
    } while (0)

} // namespace tenon
