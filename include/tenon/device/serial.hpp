// The serial console: one 16550-compatible UART, by port or by memory. Works from the first instruction on (early_init), without
// memory management; receiving starts later.
#pragma once
#include <string_view>
#include <tenon/lib/result.hpp>

namespace tenon::serial {

/// What `com1=` says. Fields left out keep the firmware's or the usual setting.
struct Options {
    u32 baud = 115200;      ///< 0: leave the line settings as they are ("auto")
    u8 line_control = 0x03; ///< 8n1
    bool is_pci = false;    ///< the first serial controller on PCI, or the one named
    bool names_device = false;
    u8 bus = 0, devfn = 0;
    u16 port = 0x3f8;
    u32 irq = 4; ///< GSI; 0: poll
};
/// `115200,8n1[,0x3f8[,4]]`, `115200,8n1,pci[,irq[,bus:dev.fn]]`, `none`. Pure.
Result<Options> parse(std::string_view text, u16 default_port, u32 default_irq);

/// 115200 8n1 on port 0x3f8, polled. Harmless when there is no UART.
void early_init();
/// Moves the console to the UART of `options`. Needs x86::map_device only for a memory-mapped PCI UART.
Status init(const Options& options);
/// Polled output; '\n' becomes "\r\n". Nothing happens without a UART. The caller serialises.
void write(const char* text, std::size_t length);
/// Characters are handed to `receiver`, with interrupts off, from the UART's interrupt or from a timer. Needs timers and interrupts.
void start_receive(void (*receiver)(char character));
/// True for ports of the UART in use, which no guest may touch.
bool owns_port(u16 port);

} // namespace tenon::serial
