// sysctl: the list of domains.
#include "../domctl/request.hpp"
#include "request.hpp"

namespace tenon::sysctls {

CallResult list_domains(Request& r)
{
    auto& request = r.op.u.getdomaininfolist;
    constexpr u32 most = 1024; // a longer list comes in pieces
    u32 count = 0, limit = min(request.max_domains, most);
    for (u32 first = request.first_domain; count < limit; count++) {
        DomainRef domain = domains::next(first);
        if (!domain)
            break;
        TRY((GuestPtr<xen_domctl_getdomaininfo>(request.buffer) + count).write(domctls::describe(*domain)));
        first = domain->id.raw() + 1u;
    }
    request.num_domains = count;
    return s64{0};
}

} // namespace tenon::sysctls
