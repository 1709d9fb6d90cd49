// 16550 UART: registers, polled output, interrupt or timer input. [PC16550D datasheet]
#include <tenon/arch/cpu.hpp>
#include <tenon/device/io.hpp>
#include <tenon/device/pci.hpp>
#include <tenon/device/serial.hpp>
#include <tenon/irq/line.hpp>
#include <tenon/log.hpp>
#include <tenon/time/timer.hpp>
#include <tenon_arch/layout.hpp>

namespace tenon::serial {
namespace {

enum Register : u8 { data = 0, interrupt_enable = 1, fifo_control = 2, line_control = 3, modem_control = 4, line_status = 5 };
constexpr u8 ier_received = 1, lcr_divisor = 0x80, fcr_enable_and_clear = 0x07, mcr_dtr_rts_out2 = 0x0b;
constexpr u8 lsr_received = 1, lsr_can_send = 0x20, lsr_all_sent = 0x40;
constexpr unsigned fifo_size = 16;
constexpr u64 poll_period_ns = 10'000'000;

struct Uart {
    u16 port = 0; ///< 0: memory-mapped, or none
    void* registers = nullptr;
    u32 irq = 0; ///< GSI; 0: poll
    bool present = false;
    unsigned room = 0; ///< characters the FIFO takes without another look at its status

    u8 get(Register r) const { return registers ? io::read_at<u8>(registers, r) : io::in8(u16(port + r)); }
    void put(Register r, u8 value) const { registers ? io::write_at<u8>(registers, r, value) : io::out8(u16(port + r), value); }
    bool setup(const Options& options)
    {
        put(interrupt_enable, 0);
        if (get(line_status) == 0xff) // nothing there: the bus floats
            return present = false;
        if (options.baud) {
            const u32 divisor = max(115200u / options.baud, 1u);
            put(line_control, u8(options.line_control | lcr_divisor));
            put(data, u8(divisor));
            put(interrupt_enable, u8(divisor >> 8));
            put(line_control, options.line_control);
        }
        put(fifo_control, fcr_enable_and_clear);
        put(modem_control, mcr_dtr_rts_out2); // OUT2 connects the interrupt on a PC
        room = 0;
        return present = true;
    }
    /// Lets what is in the FIFO leave before the UART is set up anew.
    void drain() const
    {
        for (unsigned tries = 0; present && tries < 200'000 && !(get(line_status) & lsr_all_sent); tries++)
            io::relax();
    }
    void send(char c)
    {
        // A lost or hung UART must not stop the machine: wait for at most some hundred milliseconds, then drop the character.
        for (unsigned tries = 0; room == 0 && tries < 200'000; tries++)
            if (get(line_status) & lsr_can_send)
                room = fifo_size;
        if (room) {
            room--;
            put(data, u8(c));
        }
    }
};

constinit Uart uart;
void (*receiver)(char) = nullptr;
constinit Timer poll_timer;

void take_input()
{
    for (unsigned n = 0; n < 4 * fifo_size && (uart.get(line_status) & lsr_received); n++)
        receiver(char(uart.get(data)));
}

void poll(void*)
{
    take_input();
    timers::set(poll_timer, arch::now_ns() + poll_period_ns, poll_timer.cpu);
}

Status find_on_pci(const Options& options, Uart& found)
{
    constexpr u32 serial_controller = 0x0700, functions = 0x10000;
    const auto function = [](u32 number) { return pci::Function{0, u8(number >> 8), u8(number)}; };
    u32 number = options.names_device ? u32(options.bus << 8 | options.devfn) : 0;
    while (!options.names_device && number < functions && pci::read(function(number), pci::reg_class, 4) >> 16 != serial_controller)
        number++;
    const pci::Function f = function(number);
    if (number == functions || !pci::exists(f))
        return Error::nodev;
    const u32 bar = pci::read(f, pci::reg_bar0, 4);
    if (bar & 1)
        found.port = u16(bar & ~3u);
    else if (const u64 address = pci::memory_bar(f, 0))
        found.registers = x86::map_device(MachineAddr{address}, 8);
    if (!found.port && !found.registers)
        return Error::nodev;
    const u32 command = pci::read(f, pci::reg_command, 2);
    pci::write(f, pci::reg_command, 2, command | (bar & 1 ? pci::command_io : pci::command_memory));
    return success;
}

} // namespace

void early_init()
{
    uart.port = 0x3f8;
    uart.setup(Options{});
}

Status init(const Options& options)
{
    Uart wanted;
    if (options.is_pci)
        TRY(find_on_pci(options, wanted));
    else
        wanted.port = options.port;
    wanted.irq = options.irq;
    uart.drain();
    if (!wanted.setup(options))
        return Error::nodev;
    uart = wanted;
    return success;
}

void write(const char* text, std::size_t length)
{
    if (!uart.present)
        return;
    for (std::size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            uart.send('\r');
        uart.send(text[i]);
    }
}

void start_receive(void (*to)(char))
{
    if (!uart.present)
        return;
    receiver = to;
    if (uart.irq && irq::claim_gsi(uart.irq, take_input).ok()) {
        uart.put(interrupt_enable, ier_received);
        take_input(); // what came before would raise no edge
        return;
    }
    poll_timer.handler = poll;
    timers::set(poll_timer, arch::now_ns() + poll_period_ns, arch::this_cpu_id());
}

bool owns_port(u16 port) { return uart.present && uart.port && port >= uart.port && port < uart.port + 8; }

} // namespace tenon::serial
