// The text of `com1=`: baud rate, line format, where the UART is, its interrupt.
#include <iterator>
#include <tenon/boot/known_options.hpp>
#include <tenon/device/serial.hpp>

namespace tenon::serial {
namespace {

using command_line::take;

Result<u32> number(std::string_view text, u32 limit, unsigned base = 10)
{
    const u64 n = TRY(command_line::parse_number(text, base));
    return n <= limit ? Result<u32>(u32(n)) : Error::range;
}

/// "8n1": data bits, parity, stop bits, as the line control register holds them.
Result<u8> line_format(std::string_view text)
{
    constexpr struct {
        char name;
        u8 bits;
    } parities[] = {{'n', 0}, {'o', 0x08}, {'e', 0x18}, {'m', 0x28}, {'s', 0x38}};
    if (text.size() != 3 || text[0] < '5' || text[0] > '8' || (text[2] != '1' && text[2] != '2'))
        return Error::inval;
    for (const auto& parity : parities)
        if (parity.name == text[1])
            return u8(u8(text[0] - '5') | parity.bits | (text[2] == '2' ? 0x04 : 0));
    return Error::inval;
}

/// "bus:dev.fn" in hexadecimal.
Status device_name(std::string_view text, Options& o)
{
    o.bus = u8(TRY(number(take(text, ':'), 0xff, 16)));
    const u32 device = TRY(number(take(text, '.'), 0x1f, 16));
    o.devfn = u8(device << 3 | TRY(number(text, 7, 16)));
    o.names_device = true;
    return success;
}

} // namespace

Result<Options> parse(std::string_view text, u16 default_port, u32 default_irq)
{
    Options o;
    o.port = default_port;
    o.irq = default_irq;
    const auto baud = take(text, ','), format = take(text, ','), place = take(text, ','), irq = take(text, ','), device = take(text, ',');
    if (baud == "none")
        return Error::nodev;
    if (!text.empty())
        return Error::inval;
    if (!baud.empty())
        o.baud = baud == "auto" ? 0 : TRY(number(baud, 115200));
    if (!format.empty())
        o.line_control = TRY(line_format(format));
    if (place == "pci") {
        o.is_pci = true;
        o.irq = 0; // no table that Tenon reads tells a PCI device's line
    } else if (!place.empty()) {
        o.port = u16(TRY(number(place, 0xfff8)));
    }
    if (!irq.empty())
        o.irq = TRY(number(irq, 255));
    if (!device.empty())
        TRY(device_name(device, o));
    return o;
}

} // namespace tenon::serial
