// printf-style formatting into a buffer: %d %i %u %x %X %c %s %p %%, with h hh l ll z, width and precision (also *), 0 - + # flags.
#include <cstdarg>
#include <tenon/log.hpp>

namespace tenon {
namespace {

struct Output {
    char* buffer;
    std::size_t size, length = 0;
    void put(char c)
    {
        if (length + 1 < size)
            buffer[length++] = c;
    }
    void fill(char c, int count)
    {
        while (count-- > 0)
            put(c);
    }
};

struct Spec {
    bool left = false, zero = false, plus = false, alternate = false;
    int width = 0, precision = -1;
    char size = 0; ///< 0 int, 'l' long, 'h' short, 'c' char
};

void put_text(Output& out, const Spec& spec, const char* text, int length)
{
    int pad = spec.width - length;
    if (!spec.left)
        out.fill(' ', pad);
    for (int i = 0; i < length; i++)
        out.put(text[i]);
    if (spec.left)
        out.fill(' ', pad);
}

void put_number(Output& out, const Spec& spec, u64 value, const char* prefix, unsigned base, bool upper)
{
    const char* alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[24];
    int count = 0, prefix_length = 0;
    for (; value || !count; value /= base)
        digits[count++] = alphabet[value % base];
    while (prefix[prefix_length])
        prefix_length++;
    int zeros = spec.precision >= 0 ? spec.precision - count : spec.zero && !spec.left ? spec.width - prefix_length - count : 0;
    int pad = spec.width - prefix_length - count - max(zeros, 0);
    if (!spec.left)
        out.fill(' ', pad);
    while (*prefix)
        out.put(*prefix++);
    out.fill('0', zeros);
    while (count)
        out.put(digits[--count]);
    if (spec.left)
        out.fill(' ', pad);
}

/// Flags, width, precision and length modifier; returns the conversion character's place.
const char* parse(const char* f, Spec& spec, va_list& args)
{
    for (;; f++) {
        if (*f == '-')
            spec.left = true;
        else if (*f == '0')
            spec.zero = true;
        else if (*f == '+')
            spec.plus = true;
        else if (*f == '#')
            spec.alternate = true;
        else
            break;
    }
    auto number = [&](int& value) {
        value = 0;
        if (*f == '*') {
            value = va_arg(args, int);
            f++;
        }
        for (; *f >= '0' && *f <= '9'; f++)
            value = min(value * 10 + (*f - '0'), 1024);
    };
    number(spec.width);
    if (spec.width < 0) {
        spec.left = true;
        spec.width = -spec.width;
    }
    if (*f == '.') {
        f++;
        number(spec.precision);
    }
    for (; *f == 'l' || *f == 'z' || *f == 'h' || *f == 'j' || *f == 't'; f++)
        spec.size = *f == 'h' ? (spec.size == 'h' ? 'c' : 'h') : 'l';
    return f;
}

u64 unsigned_argument(const Spec& spec, va_list& args)
{
    if (spec.size == 'l')
        return va_arg(args, u64);
    u32 value = va_arg(args, u32);
    return spec.size == 'h' ? u16(value) : spec.size == 'c' ? u8(value) : value;
}

s64 signed_argument(const Spec& spec, va_list& args)
{
    if (spec.size == 'l')
        return va_arg(args, s64);
    s32 value = va_arg(args, s32);
    return spec.size == 'h' ? s16(value) : spec.size == 'c' ? s8(value) : value;
}

void convert(Output& out, char conversion, Spec& spec, va_list& args)
{
    switch (conversion) {
    case 'd':
    case 'i': {
        s64 value = signed_argument(spec, args);
        put_number(out, spec, value < 0 ? -u64(value) : u64(value), value < 0 ? "-" : spec.plus ? "+" : "", 10, false);
        break;
    }
    case 'u':
        put_number(out, spec, unsigned_argument(spec, args), "", 10, false);
        break;
    case 'x':
    case 'X': {
        u64 value = unsigned_argument(spec, args);
        put_number(out, spec, value, spec.alternate && value ? "0x" : "", 16, conversion == 'X');
        break;
    }
    case 'p':
        put_number(out, spec, va_arg(args, u64), "0x", 16, false);
        break;
    case 'c': {
        char c = char(va_arg(args, int));
        put_text(out, spec, &c, 1);
        break;
    }
    case 's': {
        const char* text = va_arg(args, const char*);
        if (!text)
            text = "(null)";
        int length = 0;
        while ((spec.precision < 0 || length < spec.precision) && text[length])
            length++;
        put_text(out, spec, text, length);
        break;
    }
    default: // '%', and whatever is not known shows itself
        if (conversion != '%')
            out.put('%');
        out.put(conversion);
    }
}

} // namespace

std::size_t vformat(char* buffer, std::size_t size, const char* f, va_list caller_args)
{
    if (size == 0)
        return 0;
    Output out{buffer, size};
    va_list args;
    va_copy(args, caller_args);
    for (; *f; f++) {
        if (*f != '%') {
            out.put(*f);
            continue;
        }
        Spec spec;
        f = parse(f + 1, spec, args);
        if (!*f)
            break;
        convert(out, *f, spec, args);
    }
    va_end(args);
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
