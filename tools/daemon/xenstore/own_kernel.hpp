// OwnKernelRing: the page over which the kernel of the control domain itself speaks to the store, and the
// event channel that goes with it, as /dev/xen/xenbus_backend gives them out.
#pragma once

#include <tools/lib/ids.hpp>

#include <xen/io/xs_wire.h>

namespace tenon::tools::xenstore {

class OwnKernelRing {
public:
    OwnKernelRing();
    OwnKernelRing(const OwnKernelRing&) = delete;
    ~OwnKernelRing();

    EventPort port() const { return port_; }
    xenstore_domain_interface& ring() const { return *static_cast<xenstore_domain_interface*>(page_); }

private:
    EventPort port_;
    void* page_;
};

} // namespace tenon::tools::xenstore
