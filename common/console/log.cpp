// Log lines: prefix, level, threshold. And the one way to die.
#include <atomic>
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/boot/known_options.hpp>
#include <tenon/console.hpp>

namespace tenon {

void console::write_line(const char* prefix, const char* text, va_list args)
{
    char line[400];
    std::size_t n = format(line, sizeof(line), "(TEN) ");
    if (options::console_timestamps) {
        u64 us = arch::now_ns() / 1000;
        n += format(line + n, sizeof(line) - n, "[%5lu.%06lu] ", us / 1'000'000, us % 1'000'000);
    }
    n += format(line + n, sizeof(line) - n, "%s", prefix);
    n += vformat(line + n, sizeof(line) - n - 1, text, args);
    if (line[n - 1] != '\n')
        line[n++] = '\n';
    console_write(line, n);
}

void log(LogLevel level, const char* text, ...)
{
    if (level > options::log_level)
        return;
    static constexpr const char* prefixes[] = {"error: ", "warning: ", "", "debug: "};
    va_list args;
    va_start(args, text);
    console::write_line(prefixes[u8(level)], text, args);
    va_end(args);
}

void panic(const char* text, ...)
{
    static std::atomic<u32> depth;
    console::enter_panic();
    if (depth.fetch_add(1) < 4) { // printing itself may be what is broken
        char prefix[40];
        format(prefix, sizeof(prefix), "panic on CPU %u: ", arch::this_cpu_id().raw());
        va_list args;
        va_start(args, text);
        console::write_line(prefix, text, args);
        va_end(args);
    }
    arch::dump_state_and_stop();
}

} // namespace tenon
