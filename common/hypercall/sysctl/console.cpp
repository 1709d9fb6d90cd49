// sysctl: the log that dom0 reads, and keys that make Tenon write something into it.
#include "request.hpp"
#include <tenon/console.hpp>

namespace tenon::sysctls {

CallResult read_console(Request& r)
{
    auto& request = r.op.u.readconsole;
    char text[256];
    u32 from = request.incremental ? request.index : console::ring_start(), done = 0;
    while (done < request.count) {
        auto part = console::read_ring(from, text, min(request.count - done, u32{sizeof text}));
        if (!part.count)
            break;
        TRY(GuestPtr<char>(request.buffer + done).write_array(text, part.count));
        done += part.count;
        from = part.next;
    }
    if (request.clear)
        console::clear_ring(from);
    request.index = from;
    request.count = done;
    return s64{0};
}

CallResult debug_keys(Request& r)
{
    const auto& request = r.op.u.debug_keys;
    constexpr u32 most = 16;
    char keys[most];
    if (request.nr_keys > most)
        return Error::toobig;
    TRY(GuestPtr<char>(request.keys).read_array(keys, request.nr_keys));
    for (u32 i = 0; i < request.nr_keys; i++)
        console::press_key(keys[i]);
    return s64{0};
}

} // namespace tenon::sysctls
