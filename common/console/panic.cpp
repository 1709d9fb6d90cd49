// The one way to die.
#include <tenon/arch/cpu.hpp>
#include <tenon/arch/panic.hpp>
#include <tenon/console.hpp>

namespace tenon {

void panic(const char* text, ...)
{
    static std::atomic<u32> depth;
    console::enter_panic();
    if (depth.fetch_add(1) < 4) { // printing itself may be what is broken
        char message[300];
        va_list args;
        va_start(args, text);
        vformat(message, sizeof(message), text, args);
        va_end(args);
        char line[360];
        console_write(line, format(line, sizeof(line), "(TEN) panic on CPU %u: %s\n", arch::this_cpu_id().raw(), message));
    }
    arch::dump_state_and_stop();
}

} // namespace tenon
