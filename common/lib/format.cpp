// printf-style formatting into a buffer, as much of it as log lines need: %d %u %x with l, ll or z and a width, padded by blanks or
// zeros (not with a sign); %c %s %.*s %p %%.
#include <cstdarg>
#include <tenon/log.hpp>

namespace tenon {
namespace {

struct Formatter {
    char* buffer;
    std::size_t size, length = 0;
    va_list args{};

    void put(char c)
    {
        if (length + 1 < size)
            buffer[length++] = c;
    }
    void put_text(const char* text, std::size_t most)
    {
        for (text = text ? text : "(null)"; most && *text; most--)
            put(*text++);
    }
    void put_number(u64 value, bool is_negative, unsigned base, unsigned width, char padding)
    {
        char digits[24], *const end = digits + sizeof digits, *first = end;
        do
            *--first = "0123456789abcdef"[value % base];
        while (value /= base);
        if (is_negative)
            *--first = '-';
        for (unsigned n = unsigned(end - first); n < width; n++)
            put(padding);
        put_text(first, std::size_t(end - first));
    }
    /// Converts what a '%' in front of `f` begins; returns what comes after it.
    const char* convert(const char* f)
    {
        const char* const begin = f;
        const char padding = *f == '0' ? '0' : ' ';
        unsigned width = 0;
        while (*f >= '0' && *f <= '9')
            width = width * 10 + unsigned(*f++ - '0');
        std::size_t most = ~std::size_t{0};
        if (f[0] == '.' && f[1] == '*') {
            most = std::size_t(va_arg(args, int));
            f += 2;
        }
        bool is_long = false;
        for (; *f == 'l' || *f == 'z'; f++)
            is_long = true;
        const char conversion = *f++;
        switch (conversion) {
        case 'd': {
            const s64 value = is_long ? va_arg(args, s64) : va_arg(args, s32);
            put_number(value < 0 ? -u64(value) : u64(value), value < 0, 10, width, padding);
            return f;
        }
        case 'u':
        case 'x': put_number(is_long ? va_arg(args, u64) : va_arg(args, u32), false, conversion == 'x' ? 16 : 10, width, padding); return f;
        case 'p':
            put_text("0x", most);
            put_number(va_arg(args, u64), false, 16, width, padding);
            return f;
        case 'c': put(char(va_arg(args, int))); return f;
        case 's': put_text(va_arg(args, const char*), most); return f;
        case '%': put('%'); return f;
        default: put('%'); return begin; // what is not known shows itself
        }
    }
};

} // namespace

std::size_t vformat(char* buffer, std::size_t size, const char* f, va_list args)
{
    if (size == 0)
        return 0;
    Formatter out{buffer, size};
    va_copy(out.args, args);
    while (*f)
        if (const char c = *f++; c == '%')
            f = out.convert(f);
        else
            out.put(c);
    va_end(out.args);
    buffer[out.length] = 0;
    return out.length;
}

std::size_t format(char* buffer, std::size_t size, const char* f, ...)
{
    va_list args;
    va_start(args, f);
    std::size_t length = vformat(buffer, size, f, args);
    va_end(args);
    return length;
}

} // namespace tenon
