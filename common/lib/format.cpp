// printf-style formatting into a buffer: %d %i %u %x %X %c %s %p %%, with h hh l ll z, width and precision (also *), 0 - + # flags.
#include <cstdarg>
#include <string_view>
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
    void repeat(char c, int count)
    {
        while (count-- > 0)
            put(c);
    }
};

struct Spec {
    bool left = false, zero = false, plus = false, alternate = false;
    int width = 0, precision = -1;
    unsigned unused_bits = 32; ///< of an integer argument's 64
};

/// The prefix, zeros and the text, in a field of the specified width.
void put_field(Output& out, const Spec& spec, std::string_view prefix, int zeros, std::string_view text)
{
    int pad = spec.width - int(prefix.size() + text.size()) - max(zeros, 0);
    if (!spec.left)
        out.repeat(' ', pad);
    for (char c : prefix)
        out.put(c);
    out.repeat('0', zeros);
    for (char c : text)
        out.put(c);
    if (spec.left)
        out.repeat(' ', pad);
}

void put_number(Output& out, const Spec& spec, u64 value, std::string_view prefix, unsigned base, const char* alphabet = "0123456789abcdef")
{
    char digits[20], *first = digits + sizeof(digits);
    do
        *--first = alphabet[value % base];
    while (value /= base);
    int count = int(digits + sizeof(digits) - first);
    int zeros = spec.precision >= 0 ? spec.precision - count : spec.zero && !spec.left ? spec.width - int(prefix.size()) - count : 0;
    put_field(out, spec, prefix, zeros, {first, std::size_t(count)});
}

/// Flags, width, precision and length modifier; returns the conversion character's place.
const char* parse(const char* f, Spec& spec, va_list& args)
{
    for (;; f++) {
        bool* flag = *f == '-' ? &spec.left : *f == '0' ? &spec.zero : *f == '+' ? &spec.plus : *f == '#' ? &spec.alternate : nullptr;
        if (!flag)
            break;
        *flag = true;
    }
    auto number = [&](int& value) {
        value = 0;
        if (*f == '*') {
            value = min(va_arg(args, int), 1024);
            f++;
        }
        for (; *f >= '0' && *f <= '9'; f++)
            value = min(value * 10 + (*f - '0'), 1024);
    };
    number(spec.width);
    if (spec.width < 0) {
        spec.left = true;
        spec.width = -max(spec.width, -1024);
    }
    if (*f == '.') {
        f++;
        number(spec.precision);
    }
    for (; *f == 'l' || *f == 'z' || *f == 'h' || *f == 'j' || *f == 't'; f++)
        spec.unused_bits = *f != 'h' ? 0 : spec.unused_bits == 48 ? 56 : 48;
    return f;
}

void convert(Output& out, char conversion, const Spec& spec, va_list& args)
{
    // The promoted argument, in the upper bits: shifted back it is cut to its type, with or without its sign.
    auto integer = [&] { return (spec.unused_bits ? va_arg(args, u32) : va_arg(args, u64)) << spec.unused_bits; };
    switch (conversion) {
    case 'd':
    case 'i': {
        s64 value = s64(integer()) >> spec.unused_bits;
        return put_number(out, spec, value < 0 ? -u64(value) : u64(value), value < 0 ? "-" : spec.plus ? "+" : "", 10);
    }
    case 'u': return put_number(out, spec, integer() >> spec.unused_bits, "", 10);
    case 'x':
    case 'X': {
        u64 value = integer() >> spec.unused_bits;
        return put_number(out, spec, value, spec.alternate && value ? "0x" : "", 16,
                          conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef");
    }
    case 'p': return put_number(out, spec, va_arg(args, u64), "0x", 16);
    case 'c': {
        char c = char(va_arg(args, int));
        return put_field(out, spec, "", 0, {&c, 1});
    }
    case 's': {
        const char* text = va_arg(args, const char*);
        std::size_t length = 0, most = spec.precision < 0 ? ~std::size_t{0} : std::size_t(spec.precision);
        for (text = text ? text : "(null)"; length < most && text[length];)
            length++;
        return put_field(out, spec, "", 0, {text, length});
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
