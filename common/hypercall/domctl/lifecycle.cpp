// domctl: domains begin, stop, go on and end.
#include "request.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/log.hpp>

namespace tenon::domctls {
namespace {

constexpr s32 default_grant_frames = 64, most_grant_frames = 1024;
constexpr s32 default_maptrack_frames = 1024, most_maptrack_frames = 16384;

/// The first thing asked for that a PV guest cannot have, or nullptr.
const char* impossible(const xen_domctl_createdomain& c)
{
    if (c.flags & XEN_DOMCTL_CDF_hvm)
        return "an HVM or PVH guest";
    if (c.flags & XEN_DOMCTL_CDF_iommu)
        return "device passthrough";
    if (c.flags & ~u32{XEN_DOMCTL_CDF_xs_domain})
        return "an unknown or HVM-only flag";
    if (c.iommu_opts)
        return "IOMMU options";
    if (c.vmtrace_size)
        return "a processor trace buffer";
    if (c.cpupool_id)
        return "a CPU pool other than 0";
    if (c.arch.emulation_flags || c.arch.misc_flags & ~u32{XEN_X86_MISC_FLAGS_MAX})
        return "emulated devices";
    if (u32 version = c.grant_opts; version < 1 || version > 2)
        return "that grant table version";
    if (c.max_vcpus < 1 || c.max_vcpus > max_vcpus)
        return "that many vCPUs";
    if (c.max_grant_frames > most_grant_frames || c.max_maptrack_frames > most_maptrack_frames)
        return "that large a grant table";
    return nullptr;
}

} // namespace

CallResult create(Request& r)
{
    xen_domctl_createdomain& c = r.op.u.createdomain;
    if (const char* what = impossible(c)) {
        log_warning("createdomain: %s is not possible (flags 0x%x)", what, c.flags);
        return Error::inval;
    }
    bool chosen = r.op.domain > 0 && r.op.domain < first_reserved_domain.raw();
    domains::CreateParams params;
    params.id = chosen ? DomainId{r.op.domain} : dom_invalid;
    params.max_vcpus = c.max_vcpus;
    params.max_event_port = c.max_evtchn_port;
    params.grant_frames = u32(c.max_grant_frames < 0 ? default_grant_frames : c.max_grant_frames);
    params.maptrack_frames = u32(c.max_maptrack_frames < 0 ? default_maptrack_frames : c.max_maptrack_frames);
    params.flags = c.flags;
    __builtin_memcpy(params.handle, c.handle, sizeof params.handle);
    DomainRef domain = TRY(domains::create(params));
    domain->ssidref = c.ssidref;
    r.op.domain = domain->id.raw();
    return s64{0};
}

/// Error::restart while there is more to do: the tool executes the call again without seeing it.
CallResult destroy(Request& r)
{
    TRY(domains::destroy(*r.target));
    return s64{0};
}

CallResult pause(Request& r)
{
    domains::pause_by_tools(*r.target);
    return s64{0};
}

CallResult unpause(Request& r)
{
    TRY(domains::unpause_by_tools(*r.target));
    return s64{0};
}

CallResult resume(Request& r)
{
    TRY(domains::resume(*r.target));
    return s64{0};
}

/// The number was given to createdomain; it cannot change.
CallResult make_vcpus(Request& r)
{
    if (r.op.u.max_vcpus.max != r.target->max_vcpus)
        return Error::inval;
    TRY(domains::create_vcpus(*r.target));
    return s64{0};
}

CallResult hypercall_init(Request& r)
{
    Mfn mfn{r.op.u.hypercall_init.gmfn};
    if (!frame_table::covers(mfn) || !is_ram(mfn) || !frame_at(mfn).get(r.target->id))
        return Error::access;
    Frame& frame = frame_at(mfn);
    Status written = Error::access; // a page table is not written to
    if (arch::get_writable(frame)) {
        written = arch::write_hypercall_page(*r.target, mfn);
        arch::put_writable(frame);
    }
    frame.put();
    TRY(written);
    return s64{0};
}

} // namespace tenon::domctls
