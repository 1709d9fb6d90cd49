// Context: the parts of the daemon that a guest is made of and with.
#pragma once

#include "domain/builder.hpp"
#include "worker.hpp"
#include "xenstore/server.hpp"
#include <tools/lib/hypervisor.hpp>

namespace tenon::tools {

struct Context {
    Loop& loop;
    Hypervisor& hypervisor;
    EventChannels& events;
    GrantDevice& grants;
    xenstore::Server& xenstore;
    Worker& worker;
    Builder& builder; ///< for the worker's jobs only
    std::string log_directory;

    xenstore::Store& store() const { return xenstore.store(); }
};

} // namespace tenon::tools
