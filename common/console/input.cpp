// Characters from the serial line: for dom0, or, after Ctrl-A three times, for Tenon's own keys.
#include <abi/shared_info.h>
#include <tenon/console.hpp>
#include <tenon/event/channels.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon::console {
namespace {

constexpr char switch_key = 'A' & 0x1f;
constexpr unsigned switch_presses = 3, buffer_size = 512, max_keys = 32;

char buffer[buffer_size];
u32 head, tail; ///< positions; head - tail characters wait
SpinLock<Rank::console> lock;
bool keys_are_ours;
unsigned presses;
struct Key {
    char key;
    const char* what;
    KeyHandler handler;
} keys[max_keys];
unsigned key_count;

void show_help()
{
    log_info("h: this list");
    for (unsigned i = 0; i < key_count; i++)
        log_info("%c: %s", keys[i].key, keys[i].what);
}

void handle_key(char c)
{
    for (unsigned i = 0; i < key_count; i++)
        if (keys[i].key == c)
            return keys[i].handler();
    if (c == 'h')
        show_help();
}

/// True when the character counts towards the switch; at the third one it switches.
bool is_switch(char c)
{
    if (c != switch_key) {
        presses = 0;
        return false;
    }
    if (++presses < switch_presses)
        return true;
    presses = 0;
    keys_are_ours = !keys_are_ours;
    log_info("the keyboard is %s now (Ctrl-A three times switches back)", keys_are_ours ? "Tenon's, h for help" : "dom0's");
    return true;
}

} // namespace

void receive(char c)
{
    // The presses themselves reach dom0 too, except the last: a lone Ctrl-A must work there.
    if (is_switch(c) && presses == 0)
        return;
    if (keys_are_ours) {
        if (c != switch_key)
            handle_key(c);
        return;
    }
    {
        Guard guard(lock);
        if (head - tail == buffer_size)
            return;
        buffer[head++ % buffer_size] = c;
    }
    events::send_global_virq(VIRQ_CONSOLE);
}

u32 read_input(char* to, u32 size)
{
    Guard guard(lock);
    u32 count = min(size, head - tail);
    for (u32 i = 0; i < count; i++)
        to[i] = buffer[tail++ % buffer_size];
    return count;
}

bool add_key(char key, const char* what, KeyHandler handler)
{
    if (key_count == max_keys)
        return false;
    keys[key_count++] = {key, what, handler};
    return true;
}

} // namespace tenon::console
