// The text of `com1=`: baud rate, line format, where the UART is, its interrupt.
#include <tenon/device/serial.hpp>

namespace tenon::serial {
namespace {

struct Text {
    std::string_view rest;
    char peek(std::size_t i = 0) const { return i < rest.size() ? rest.data()[i] : '\0'; }
    void drop(std::size_t n = 1) { rest = {rest.data() + n, rest.size() - n}; }
    bool done() const { return rest.empty(); }
    bool skip(char c) { return peek() == c && !done() ? (drop(), true) : false; }
    /// True, and past the comma, when there is a field here and it is not empty.
    bool next_field() { return skip(',') && !done() && peek() != ','; }
    bool word(std::string_view w)
    {
        if (!rest.starts_with(w) || (rest.size() > w.size() && peek(w.size()) != ','))
            return false;
        drop(w.size());
        return true;
    }
    /// A number in `base`, or in the base that its 0x says when base is 0; at most `limit`.
    Result<u32> number(u32 limit, unsigned base = 0)
    {
        const bool hex = peek() == '0' && (peek(1) | 0x20) == 'x';
        if (hex && base == 0)
            drop(2);
        if (base == 0)
            base = hex ? 16 : 10;
        u64 value = 0;
        unsigned digits = 0;
        for (; !done(); drop(), digits++) {
            const char c = peek();
            const unsigned digit = c >= '0' && c <= '9' ? unsigned(c - '0')
                                   : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? unsigned((c | 0x20) - 'a') + 10
                                                                            : 99;
            if (digit >= base)
                break;
            value = value * base + digit;
            if (value > limit)
                return Error::range;
        }
        if (digits == 0)
            return Error::inval;
        return u32(value);
    }
};

/// "8n1": data bits, parity, stop bits, as the line control register holds them.
Result<u8> line_format(Text& text)
{
    const char bits = text.peek(), parity = text.peek(1), stop = text.peek(2);
    if (bits < '5' || bits > '8')
        return Error::inval;
    u8 value = u8(bits - '5');
    switch (parity) {
    case 'n': break;
    case 'o': value |= 0x08; break;
    case 'e': value |= 0x18; break;
    case 'm': value |= 0x28; break;
    case 's': value |= 0x38; break;
    default: return Error::inval;
    }
    if (stop != '1' && stop != '2')
        return Error::inval;
    text.drop(3);
    return u8(stop == '2' ? value | 0x04 : value);
}

/// "bus:dev.fn" in hexadecimal.
Status device_name(Text& text, Options& o)
{
    o.bus = u8(TRY(text.number(0xff, 16)));
    if (!text.skip(':'))
        return Error::inval;
    const u32 device = TRY(text.number(0x1f, 16));
    if (!text.skip('.'))
        return Error::inval;
    o.devfn = u8(device << 3 | TRY(text.number(7, 16)));
    o.names_device = true;
    return success;
}

} // namespace

Result<Options> parse(std::string_view string, u16 default_port, u32 default_irq)
{
    Options o;
    o.port = default_port;
    o.irq = default_irq;
    Text text{string};
    if (text.word("none"))
        return Error::nodev;
    if (text.word("auto"))
        o.baud = 0;
    else if (!text.done() && text.peek() != ',')
        o.baud = TRY(text.number(115200));
    if (text.next_field())
        o.line_control = TRY(line_format(text));
    if (text.next_field()) {
        if (text.word("pci")) {
            o.is_pci = true;
            o.irq = 0; // no table that Tenon reads tells a PCI device's line
        } else {
            o.port = u16(TRY(text.number(0xfff8)));
        }
    }
    if (text.next_field())
        o.irq = TRY(text.number(255));
    if (text.next_field())
        TRY(device_name(text, o));
    if (!text.done())
        return Error::inval;
    return o;
}

} // namespace tenon::serial
