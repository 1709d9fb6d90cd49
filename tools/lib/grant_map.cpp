// Mapping of granted pages, by libxengnttab.
#include "grant_map.hpp"

#include "error.hpp"

#include <sys/mman.h>

extern "C" { // the header does not say so itself
#include <xengnttab.h>
}

namespace tenon::tools {

GrantDevice::GrantDevice() : handle_(xengnttab_open(nullptr, 0))
{
    if (!handle_)
        throw system_error("opening /dev/xen/gntdev (is the module xen-gntdev loaded?)");
}

GrantDevice::~GrantDevice() { xengnttab_close(handle_); }

GrantMap::GrantMap(GrantDevice& device, DomainId domain, unsigned reference)
    : handle_(device.handle_), address_(xengnttab_map_grant_ref(device.handle_, domain, reference, PROT_READ | PROT_WRITE))
{
    if (!address_)
        throw system_error(fmt::format("mapping grant {} of domain {}", reference, domain));
}

GrantMap::~GrantMap() { xengnttab_unmap(handle_, address_, 1); }

} // namespace tenon::tools
