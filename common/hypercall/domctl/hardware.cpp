// domctl: access to the machine's interrupts, memory and ports. A guest has none and can be given none without an IOMMU; taking
// away what it does not have succeeds. The control domain's own access stays.
#include "request.hpp"

namespace tenon::domctls {
namespace {

/// Succeeds when the wish is what is so already.
CallResult permit(const Domain& domain, bool allow)
{
    if (allow == domain.arch.has_hardware)
        return s64{0};
    return Error::notsup;
}

} // namespace

CallResult irq_permission(Request& r)
{
    return permit(*r.target, r.op.u.irq_permission.allow_access);
}

CallResult iomem_permission(Request& r)
{
    return permit(*r.target, r.op.u.iomem_permission.allow_access);
}

CallResult ioport_permission(Request& r)
{
    return permit(*r.target, r.op.u.ioport_permission.allow_access);
}

} // namespace tenon::domctls
