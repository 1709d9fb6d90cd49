// What this is: print() over CONSOLEIO_write, the check counters and the verdict line.
#include "check.hpp"
#include "hypercall.hpp"
#include "runtime.hpp"

#include <stdarg.h>

namespace guest {

extern const char guest_name[];

namespace {

u64 checks, failures, skips;

struct Line {
    char text[512];
    size_t used = 0;

    void put(char c)
    {
        if (used < sizeof text)
            text[used++] = c;
    }
    void put_number(u64 value, unsigned base, unsigned width, char pad)
    {
        char digits[24];
        unsigned count = 0;
        do
            digits[count++] = "0123456789abcdef"[value % base];
        while (value /= base);
        for (; width > count; width--)
            put(pad);
        while (count)
            put(digits[--count]);
    }
    void format(const char* format, va_list args);
};

void Line::format(const char* format, va_list args)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        char pad = *++format == '0' ? '0' : ' ';
        unsigned width = 0;
        while (*format >= '0' && *format <= '9')
            width = width * 10 + (*format++ - '0');
        bool wide = false;
        while (*format == 'l' || *format == 'z')
            wide = true, format++;
        switch (*format) {
        case 'd': {
            long value = wide ? va_arg(args, long) : va_arg(args, int);
            if (value < 0)
                put('-');
            put_number(value < 0 ? 0 - static_cast<u64>(value) : static_cast<u64>(value), 10, width, pad);
            break;
        }
        case 'u': put_number(wide ? va_arg(args, u64) : va_arg(args, u32), 10, width, pad); break;
        case 'x': put_number(wide ? va_arg(args, u64) : va_arg(args, u32), 16, width, pad); break;
        case 'p': put_number(va_arg(args, u64), 16, 16, '0'); break;
        case 'c': put(static_cast<char>(va_arg(args, int))); break;
        case 's':
            for (const char* text = va_arg(args, const char*); *text; text++)
                put(*text);
            break;
        default: put(*format);
        }
    }
}

void write(Line& line)
{
    for (size_t done = 0; done < line.used;) {
        long count = hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, line.used - done, line.text + done);
        if (count < 0)
            return;
        done += count ? count : line.used - done; // Xen answers 0 for "all of it"
    }
}

} // namespace

void print(const char* format, ...)
{
    Line line;
    va_list args;
    va_start(args, format);
    line.format(format, args);
    va_end(args);
    write(line);
}

[[noreturn]] void verdict()
{
    if (skips)
        print("GUEST %s: %lu skipped\n", guest_name, skips);
    if (failures)
        print("GUEST %s: FAIL (%lu of %lu checks)\n", guest_name, failures, checks);
    else
        print("GUEST %s: PASS (%lu checks)\n", guest_name, checks);
    shut_down(SHUTDOWN_poweroff);
}

void give_up(const char* format, ...)
{
    Line line;
    for (const char* text = "CHECK gave up: "; *text; text++)
        line.put(*text);
    va_list args;
    va_start(args, format);
    line.format(format, args);
    va_end(args);
    line.put('\n');
    write(line);
    failures++, checks++;
    verdict();
}

bool check_equal(const char* file, int line, const char* what, u64 got, u64 want)
{
    checks++;
    if (got == want)
        return true;
    failures++;
    auto is_small = [](u64 value) { return value + 4096 < 8192; };
    if (is_small(got) && is_small(want))
        print("CHECK %s:%d %s: got %ld want %ld\n", file, line, what, static_cast<long>(got), static_cast<long>(want));
    else
        print("CHECK %s:%d %s: got 0x%lx want 0x%lx\n", file, line, what, got, want);
    return false;
}

bool check_true(const char* file, int line, const char* what, bool holds)
{
    checks++;
    if (!holds)
        failures++, print("CHECK %s:%d %s: got false want true\n", file, line, what);
    return holds;
}

bool check_refusal(const char* file, int line, const char* what, long got, long on_xen)
{
    checks++;
    if (got >= 0)
        failures++, print("CHECK %s:%d %s: got %ld want an error (Xen: %ld)\n", file, line, what, got, on_xen);
    else if (got != on_xen)
        print("NOTE %s:%d %s: %ld where Xen says %ld\n", file, line, what, got, on_xen);
    return got < 0;
}

bool check_text(const char* file, int line, const char* what, const char* got, const char* want)
{
    checks++;
    bool same = strcmp(got, want) == 0;
    if (!same)
        failures++, print("CHECK %s:%d %s: got \"%s\" want \"%s\"\n", file, line, what, got, want);
    return same;
}

void skip(const char* why)
{
    skips++;
    print("SKIP %s: %s\n", guest_name, why);
}

} // namespace guest
