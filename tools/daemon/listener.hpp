// Listener: a Unix socket that hands each connection to a function.
#pragma once

#include "loop.hpp"

#include <string>

namespace tenon::tools {

class Listener {
public:
    using Accept = std::function<void(UniqueFd)>;

    /// Makes the socket, and missing folders on the way. `mode` is the file's.
    Listener(Loop& loop, const std::string& path, unsigned mode, Accept accept);
    /// Takes over a socket that the service manager has opened.
    Listener(Loop& loop, UniqueFd fd, Accept accept);
    ~Listener();

private:
    void accept_all();

    std::string path_; ///< to remove at the end; empty if not ours
    UniqueFd fd_;
    Accept accept_;
    Loop::Source source_;
};

} // namespace tenon::tools
