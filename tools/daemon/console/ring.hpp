// ConsoleRing: the two byte streams of a guest's console page. The guest owns the page and may write anything
// into it; a wrong index costs output of that guest and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <xen/io/console.h>

namespace tenon::tools {

class ConsoleRing {
public:
    explicit ConsoleRing(xencons_interface& page) : page_(page) {}

    /// Takes what the guest has written; the guest must then be notified.
    std::string take_output();
    /// How many of the bytes found room.
    std::size_t give_input(std::string_view bytes);

private:
    xencons_interface& page_;
};

} // namespace tenon::tools
