// Characters from the serial line: for dom0, or, after Ctrl-A three times, for Tenon's own keys.
#include <abi/shared_info.h>
#include <tenon/arch/guest.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/console.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/hypercall/table.hpp>

namespace tenon::console {
namespace {

constexpr char switch_key = 'A' & 0x1f;
constexpr unsigned switch_presses = 3;

u32 head, tail; ///< positions; head - tail characters wait
SpinLock<Rank::console> lock;
bool keys_are_ours;
unsigned presses;

void show_help();
constexpr struct {
    char key;
    const char* what;
    void (*handler)();
} keys[] = {
    {'h', "this list", show_help},
    {'c', "how often each hypercall was called", call_counts::log_all},
    {'e', "how many instructions were emulated for each domain", arch::log_emulated},
    {'m', "memory, event channels, interrupts and grants of each domain", domains::log_holdings},
    {'R', "reboot the machine at once", [] { arch::reboot(); }},
};

void show_help()
{
    for (auto& k : keys)
        log_info("%c: %s", k.key, k.what);
}

} // namespace

void press_key(char key)
{
    for (auto& k : keys)
        if (k.key == key)
            return k.handler();
    log_info("no debug key '%c'", key >= ' ' && key < 127 ? key : '?');
}

void receive(char c)
{
    presses = c == switch_key ? presses + 1 : 0;
    if (presses == switch_presses) { // the others reached dom0, too: a lone Ctrl-A must work there
        presses = 0;
        keys_are_ours = !keys_are_ours;
        return log_info("the keyboard is %s now (Ctrl-A three times switches back)", keys_are_ours ? "Tenon's, h for help" : "dom0's");
    }
    if (keys_are_ours)
        return c == switch_key ? void() : press_key(c);
    {
        Guard guard(lock);
        if (head - tail == input_store.size)
            return;
        input_store.write(head++, &c, 1);
    }
    events::send_global_virq(VIRQ_CONSOLE);
}

u32 read_input(char* to, u32 size)
{
    Guard guard(lock);
    u32 count = min(size, head - tail);
    input_store.read(tail, to, count);
    tail += count;
    return count;
}

} // namespace tenon::console
