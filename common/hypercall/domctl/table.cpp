// domctl: a domain is made and described; its memory, clock and hypercall page; and the table of all operations. One domctl runs at a
// time.
#include "request.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/log.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon {
namespace domctls {
namespace {

using hypercall::on, hypercall::only_if;

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

void get_info(Request& r)
{
    r.u.getdomaininfo = describe(r.target);
    r.op.domain = r.target.id.raw();
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
    Frame* frame = get_frame(mfn, r.target.id);
    if (!frame)
        return Error::access;
    Status written = Error::access; // a page table is not written to
    if (arch::get_writable(*frame)) {
        written = arch::write_hypercall_page(r.target, mfn);
        arch::put_writable(*frame);
    }
    frame->put();
    return written;
}

void max_mem(Request& r)
{
    constexpr u64 kib_per_page = page_size / 1024;
    Guard guard(r.target.pages_lock);
    r.target.max_pages = r.u.max_mem.max_memkb / kib_per_page;
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
        u64 answer = XEN_DOMCTL_PFINFO_XTAB;
        if (Frame* frame = get_frame(Mfn{TRY((list + i).read())}, r.target.id)) {
            TypeWord word = frame->type_word();
            bool is_table = is_page_table(word.type()) && word.count();
            answer = (is_table ? u64{level_of(word.type())} << XEN_DOMCTL_PFINFO_LTAB_SHIFT : XEN_DOMCTL_PFINFO_NOTAB) |
                     (word.pinned() ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
            frame->put();
        }
        TRY((list + i).write(answer));
    }
    return success;
}

enum class Needs : u8 {
    nothing, ///< names no domain that exists
    domain,  ///< any, also a dying one
    next,    ///< the first one with this number or a higher one: so tools go through all of them
    alive,   ///< not dying
    other,   ///< not the caller's own, may be dying
    other_alive,
};

struct Row {
    u32 command;
    Needs needs;
    Status (*run)(Request&);
};

/// Of the machine's interrupts, memory and ports: a guest has none and can be given none without an IOMMU; taking away what it
/// does not have succeeds. The control domain's own access stays.
Status permit(const Request& r, bool allow) { return only_if(allow == r.target.arch.has_hardware, Error::notsup); }

Status set_address_size(Request& r)
{
    if (r.u.address_size.size == 64)
        return success;
    log_warning("d%u: 32-bit PV guests are not supported", r.target.id.raw());
    return Error::inval;
}

using R = Request&;
constexpr Row rows[] = {
    {XEN_DOMCTL_createdomain, Needs::nothing, create},
    // Error::restart while there is more to do: the tool executes the call again without seeing it.
    {XEN_DOMCTL_destroydomain, Needs::other, [](R r) { return domains::destroy(r.target); }},
    {XEN_DOMCTL_pausedomain, Needs::other, on<[](R r) { domains::pause_by_tools(r.target); }>},
    {XEN_DOMCTL_unpausedomain, Needs::other, [](R r) { return domains::unpause_by_tools(r.target); }},
    {XEN_DOMCTL_getdomaininfo, Needs::next, on<get_info>},
    {XEN_DOMCTL_setvcpuaffinity, Needs::alive, set_affinity},
    // A PV guest runs on its own page tables: there is no shadow to turn off, and no log of dirty frames yet.
    {XEN_DOMCTL_shadow_op, Needs::alive, [](R r) { return only_if(r.u.shadow_op.op == XEN_DOMCTL_SHADOW_OP_OFF, Error::notsup); }},
    {XEN_DOMCTL_max_mem, Needs::alive, on<max_mem>},
    {XEN_DOMCTL_setvcpucontext, Needs::other_alive, set_context},
    {XEN_DOMCTL_getvcpucontext, Needs::other, get_context},
    {XEN_DOMCTL_getvcpuinfo, Needs::domain, get_vcpu_info},
    // The number was given to createdomain; it cannot change.
    {XEN_DOMCTL_max_vcpus, Needs::other_alive,
     [](R r) { return r.u.max_vcpus.max == r.target.max_vcpus ? domains::create_vcpus(r.target) : Error::inval; }},
    {XEN_DOMCTL_scheduler_op, Needs::alive, scheduler_op},
    {XEN_DOMCTL_setdomainhandle, Needs::alive,
     on<[](R r) { __builtin_memcpy(r.target.handle, r.u.setdomainhandle.handle, sizeof r.target.handle); }>},
    // There is no debugger interface to turn on.
    {XEN_DOMCTL_setdebugging, Needs::other_alive, [](R r) { return only_if(!r.u.setdebugging.enable, Error::nosys); }},
    {XEN_DOMCTL_irq_permission, Needs::alive, [](R r) { return permit(r, r.u.irq_permission.allow_access); }},
    {XEN_DOMCTL_iomem_permission, Needs::alive, [](R r) { return permit(r, r.u.iomem_permission.allow_access); }},
    {XEN_DOMCTL_ioport_permission, Needs::alive, [](R r) { return permit(r, r.u.ioport_permission.allow_access); }},
    {XEN_DOMCTL_hypercall_init, Needs::alive, hypercall_init},
    {XEN_DOMCTL_settimeoffset, Needs::alive, set_time_offset},
    {XEN_DOMCTL_getvcpuaffinity, Needs::domain, get_affinity},
    {XEN_DOMCTL_resumedomain, Needs::other_alive, [](R r) { return domains::resume(r.target); }},
    // The triggers but NMI are an emulated machine's buttons.
    {XEN_DOMCTL_sendtrigger, Needs::alive,
     [](R r) -> Status {
         TRY(only_if(r.u.sendtrigger.trigger == XEN_DOMCTL_SENDTRIGGER_NMI, Error::nosys));
         notify_vcpu(*TRY(r.vcpu(r.u.sendtrigger.vcpu)), mail_nmi);
         return success;
     }},
    {XEN_DOMCTL_set_address_size, Needs::alive, set_address_size},
    {XEN_DOMCTL_get_address_size, Needs::domain, on<[](R r) { r.u.address_size.size = 64; }>},
    {XEN_DOMCTL_gettscinfo, Needs::domain, on<get_tsc_info>},
    {XEN_DOMCTL_settscinfo, Needs::other_alive, set_tsc_info},
    {XEN_DOMCTL_getpageframeinfo3, Needs::domain, get_frame_info},
    {XEN_DOMCTL_set_virq_handler, Needs::alive,
     [](R r) { return events::set_global_virq_handler(r.u.set_virq_handler.virq, r.target.id); }},
    {XEN_DOMCTL_setnodeaffinity, Needs::alive, set_node_affinity},
    {XEN_DOMCTL_getnodeaffinity, Needs::domain, get_node_affinity},
    {XEN_DOMCTL_get_cpu_policy, Needs::domain, get_cpu_policy},
    {XEN_DOMCTL_set_cpu_policy, Needs::other_alive, set_cpu_policy},
};

static_assert(hypercall::rows_differ(rows));

/// Set while a domctl runs. Another one asks its guest to try again, so that nobody waits with interrupts off.
constinit std::atomic<bool> is_running;

Result<DomainRef> find_target(const Call& call, Needs needs, u16 id)
{
    auto target =
        needs == Needs::next ? domains::next(id) : domains::find_for(call.vcpu, needs == Needs::nothing ? dom_self : DomainId{id});
    if (!target)
        return Error::srch;
    bool other = needs == Needs::other || needs == Needs::other_alive, alive = needs == Needs::alive || needs == Needs::other_alive;
    if ((other && &*target == &call.domain) || (alive && target->is_dying()))
        return Error::inval;
    return target;
}

} // namespace

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

} // namespace domctls

CallResult hypercall::domctl(Call& call, Privileged, u64 argument)
{
    return control_call<xen_domctl>(call, argument, XEN_DOMCTL_INTERFACE_VERSION, [&](xen_domctl& op) -> Status {
        using namespace domctls;
        const Row* row = find_row(rows, op.cmd);
        if (!row)
            return Error::nosys;
        hypercall::Turn turn(is_running);
        if (!turn.taken)
            return Error::restart;
        DomainRef target = TRY(find_target(call, row->needs, op.domain));
        Request request{GuestPtr<xen_domctl>(argument), op, op.u, *target};
        return row->run(request);
    });
}

} // namespace tenon
