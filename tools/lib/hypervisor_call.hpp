// The plumbing that the parts of Hypervisor share. Internal to tools/lib.
#pragma once

#include "hypervisor.hpp"

#include <abi/domctl.h>
#include <abi/hypercall.h>

extern "C" { // the header does not say so itself
#include <xencall.h>
}

namespace tenon::tools {

/// One domctl, prepared for a domain; fill in `op->u`, then call.
struct Hypervisor::Domctl {
    Domctl(xencall_handle* handle, std::uint32_t command, DomainId id)
        : handle(handle), buffer(handle, sizeof(xen_domctl)), op(buffer.as<xen_domctl>())
    {
        op->cmd = command;
        op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
        op->domain = id;
    }

    int try_call() { return xencall1(handle, __HYPERVISOR_domctl, buffer.address()); }

    void call(const char* name)
    {
        if (try_call() < 0)
            throw system_error(fmt::format("{} of domain {}", name, op->domain));
    }

    xencall_handle* handle;
    HypercallBuffer buffer;
    xen_domctl* op;
};

inline Hypervisor::Domctl Hypervisor::domctl(std::uint32_t command, DomainId id) { return {handle_, command, id}; }

} // namespace tenon::tools
