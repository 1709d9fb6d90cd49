// Log lines: prefix, level, thresholds.
#include <tenon/arch/cpu.hpp>
#include <tenon/boot/option.hpp>
#include <tenon/console.hpp>

namespace tenon {
namespace {

constexpr std::size_t line_size = 400;
LogLevel own_threshold = LogLevel::info, guest_threshold = LogLevel::warning;
bool timestamps;

/// "info", or "info/all" as people write it: the second word was for rate-limited lines and means nothing here.
template <LogLevel& threshold> bool parse_level(std::string_view text)
{
    static constexpr struct {
        std::string_view name;
        LogLevel level;
    } levels[] = {{"none", LogLevel::error}, {"error", LogLevel::error}, {"warning", LogLevel::warning},
                  {"info", LogLevel::info},  {"debug", LogLevel::debug}, {"all", LogLevel::debug}};
    text = text.substr(0, text.find('/'));
    for (auto& l : levels)
        if (l.name == text) {
            threshold = l.level;
            return true;
        }
    return false;
}

TENON_OPTION("loglvl", parse_level<own_threshold>, "none|error|warning|info|debug|all");
TENON_OPTION("guest_loglvl", parse_level<guest_threshold>, "none|error|warning|info|debug|all");
TENON_OPTION("console_timestamps", &timestamps);

} // namespace

namespace console {

void set_thresholds(LogLevel own, LogLevel guest)
{
    own_threshold = own;
    guest_threshold = guest;
}

void write_line(LogLevel level, const char* text, va_list args)
{
    static constexpr const char* names[] = {"error: ", "warning: ", "", "debug: "};
    char line[line_size];
    std::size_t n = format(line, sizeof(line), "(TEN) ");
    if (timestamps) {
        u64 us = arch::now_ns() / 1000;
        n += format(line + n, sizeof(line) - n, "[%5lu.%06lu] ", us / 1'000'000, us % 1'000'000);
    }
    n += format(line + n, sizeof(line) - n, "%s", names[u8(level)]);
    n += vformat(line + n, sizeof(line) - n - 1, text, args);
    if (line[n - 1] != '\n')
        line[n++] = '\n';
    console_write(line, n);
}

} // namespace console

void log(LogLevel level, const char* text, ...)
{
    if (level > own_threshold)
        return;
    va_list args;
    va_start(args, text);
    console::write_line(level, text, args);
    va_end(args);
}

void log_for_guest(LogLevel level, const char* text, ...)
{
    if (level > guest_threshold)
        return;
    va_list args;
    va_start(args, text);
    console::write_line(level, text, args);
    va_end(args);
}

} // namespace tenon
