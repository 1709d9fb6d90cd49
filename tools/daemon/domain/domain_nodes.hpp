// The nodes that every domain has in the store, beside its devices.
#pragma once

#include "builder.hpp"
#include <tools/daemon/xenstore/store.hpp>

namespace tenon::tools {

void write_own_nodes(xenstore::Store& store);
void write_domain_nodes(xenstore::Store& store, const DomainConfig& config, const BuiltDomain& domain);
void remove_domain_nodes(xenstore::Store& store, const DomainConfig& config, DomainId id);

} // namespace tenon::tools
