// The domain builder: from a configuration to a paused domain, complete but for its devices. Runs in a thread
// of its own, since unpacking a kernel takes seconds, and touches nothing of the daemon's.
#pragma once

#include "config.hpp"

namespace tenon::tools {

struct BuiltDomain {
    DomainId id;
    EventPort store_port, console_port;
    Mfn store_frame, console_frame;
};

/// Whatever fails, throws Error naming it, and leaves no half-built domain behind.
BuiltDomain build_domain(const DomainConfig& config);

} // namespace tenon::tools
