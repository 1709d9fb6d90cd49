// domctl: a domain is made and described; its memory, clock and hypercall page.
#include "request.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/log.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon::domctls {
namespace {

constexpr s32 default_grant_frames = 64, most_grant_frames = 1024;
constexpr s32 default_maptrack_frames = 1024, most_maptrack_frames = 16384;

/// The first thing asked for that a PV guest cannot have, or nullptr.
const char* impossible(const xen_domctl_createdomain& c)
{
    const struct {
        bool asked;
        const char* what;
    } wishes[] = {
        {(c.flags & XEN_DOMCTL_CDF_hvm) != 0, "an HVM or PVH guest"},
        {(c.flags & XEN_DOMCTL_CDF_iommu) != 0, "device passthrough"},
        {(c.flags & ~u32{XEN_DOMCTL_CDF_xs_domain}) != 0, "an unknown or HVM-only flag"},
        {c.iommu_opts != 0, "IOMMU options"},
        {c.vmtrace_size != 0, "a processor trace buffer"},
        {c.cpupool_id != 0, "a CPU pool other than 0"},
        {c.arch.emulation_flags || c.arch.misc_flags & ~u32{XEN_X86_MISC_FLAGS_MAX}, "emulated devices"},
        {c.grant_opts < 1 || c.grant_opts > 2, "that grant table version"},
        {c.max_vcpus < 1 || c.max_vcpus > max_vcpus, "that many vCPUs"},
        {c.max_grant_frames > most_grant_frames || c.max_maptrack_frames > most_maptrack_frames, "that large a grant table"},
    };
    for (const auto& wish : wishes)
        if (wish.asked)
            return wish.what;
    return nullptr;
}

} // namespace

Status create(Request& r)
{
    const xen_domctl_createdomain& c = r.u.createdomain;
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
    return success;
}

u64 run_time(Vcpu& vcpu) { return guest_time::runstate_now(vcpu).time[RUNSTATE_running]; }

xen_domctl_getdomaininfo describe(Domain& domain)
{
    xen_domctl_getdomaininfo info{};
    info.domain = domain.id.raw();
    bool running = false, all_blocked = true;
    info.max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    domain.for_each_vcpu([&](Vcpu& vcpu) {
        u32 reasons = vcpu.pause.load(std::memory_order_relaxed);
        info.max_vcpu_id = vcpu.id.raw();
        info.cpu_time += run_time(vcpu);
        if (reasons & pause_down)
            return;
        info.nr_online_vcpus++;
        running |= vcpu.is_on_cpu.load(std::memory_order_relaxed) && !reasons;
        all_blocked &= (reasons & (pause_blocked | pause_polling)) != 0;
    });
    u32 code = domain.shutdown_code; // all ones while there is none, also beyond the field's eight bits
    info.flags = (domain.is_dying() ? XEN_DOMINF_dying : 0) | (domain.is_shut_down ? XEN_DOMINF_shutdown : 0) |
                 (domain.tool_pauses ? XEN_DOMINF_paused : 0) | (all_blocked && info.nr_online_vcpus ? XEN_DOMINF_blocked : 0) |
                 (running ? XEN_DOMINF_running : 0) | (domain.flags & XEN_DOMCTL_CDF_xs_domain ? XEN_DOMINF_xs_domain : 0) |
                 code << XEN_DOMINF_shutdownshift;
    info.tot_pages = domain.total_pages;
    info.max_pages = domain.max_pages;
    info.shared_info_frame = domain.shared ? domain.shared.mfn.raw() : ~u64{0};
    info.ssidref = domain.ssidref;
    __builtin_memcpy(info.handle, domain.handle, sizeof info.handle);
    return info;
}

Status get_info(Request& r)
{
    r.u.getdomaininfo = describe(r.target);
    r.op.domain = r.target.id.raw();
    return success;
}

Status set_time_offset(Request& r)
{
    constexpr s64 most = s64{1} << 33; // as far as a wall clock in seconds goes
    s64 seconds = r.u.settimeoffset.time_offset_seconds;
    if (seconds > most || seconds < -most)
        return Error::inval;
    r.target.wallclock_offset = seconds;
    guest_time::update_wallclock(r.target);
    return success;
}

Status hypercall_init(Request& r)
{
    Mfn mfn{r.u.hypercall_init.gmfn};
    if (!frame_table::covers(mfn) || !is_ram(mfn) || !frame_at(mfn).get(r.target.id))
        return Error::access;
    Frame& frame = frame_at(mfn);
    Status written = Error::access; // a page table is not written to
    if (arch::get_writable(frame)) {
        written = arch::write_hypercall_page(r.target, mfn);
        arch::put_writable(frame);
    }
    frame.put();
    return written;
}

Status max_mem(Request& r)
{
    constexpr u64 kib_per_page = page_size / 1024;
    Guard guard(r.target.pages_lock);
    r.target.max_pages = r.u.max_mem.max_memkb / kib_per_page;
    return success;
}

/// For each frame of the list: its page table level and whether it is pinned. A frame that is not the domain's reads as none.
Status get_frame_info(Request& r)
{
    constexpr u64 most = 1024;
    const auto& request = r.u.getpageframeinfo3;
    if (request.num > most)
        return Error::toobig;
    GuestPtr<u64> list(request.array);
    for (u64 i = 0; i < request.num; i++) {
        Mfn mfn{TRY((list + i).read())};
        u64 answer = XEN_DOMCTL_PFINFO_XTAB;
        if (frame_table::covers(mfn) && is_ram(mfn) && frame_at(mfn).get(r.target.id)) {
            TypeWord word = frame_at(mfn).type_word();
            bool is_table = is_page_table(word.type()) && word.count();
            answer = (is_table ? u64{level_of(word.type())} << XEN_DOMCTL_PFINFO_LTAB_SHIFT : XEN_DOMCTL_PFINFO_NOTAB) |
                     (word.pinned() ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
            frame_at(mfn).put();
        }
        TRY((list + i).write(answer));
    }
    return success;
}

} // namespace tenon::domctls
