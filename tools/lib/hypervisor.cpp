// Opening the way to the hypervisor, and the calls that concern the machine as a whole.
#include "hypervisor_call.hpp"

#include <abi/sysctl.h>
#include <abi/version.h>

#include <algorithm>

namespace tenon::tools {

HypercallBuffer::HypercallBuffer(xencall_handle* handle, std::size_t size) : handle_(handle), memory_(xencall_alloc_buffer(handle, size))
{
    if (!memory_)
        throw system_error("allocating a hypercall buffer");
    std::memset(memory_, 0, size);
}

HypercallBuffer::~HypercallBuffer() { xencall_free_buffer(handle_, memory_); }

Hypervisor::Hypervisor() : handle_(xencall_open(nullptr, 0))
{
    if (!handle_)
        throw system_error("opening /dev/xen/privcmd (is this the control domain?)");
}

Hypervisor::~Hypervisor() { xencall_close(handle_); }

namespace {

/// A sysctl command; returns the hypercall's result.
int sysctl(xencall_handle* handle, HypercallBuffer& buffer, std::uint32_t command)
{
    buffer.as<xen_sysctl>()->cmd = command;
    buffer.as<xen_sysctl>()->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return xencall1(handle, __HYPERVISOR_sysctl, buffer.address());
}

DomainInfo translate(const xen_domctl_getdomaininfo& raw)
{
    auto has = [&](unsigned bit) { return (raw.flags & bit) != 0; };
    auto reason = raw.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
    return {.id = raw.domain,
            .dying = has(XEN_DOMINF_dying),
            .shutdown = has(XEN_DOMINF_shutdown),
            .paused = has(XEN_DOMINF_paused),
            .blocked = has(XEN_DOMINF_blocked),
            .running = has(XEN_DOMINF_running),
            .reason = static_cast<ShutdownReason>(reason),
            .pages = raw.tot_pages,
            .max_pages = raw.max_pages,
            .shared_info = raw.shared_info_frame,
            .cpu_time_ns = raw.cpu_time,
            .online_vcpus = raw.nr_online_vcpus};
}

} // namespace

std::vector<DomainInfo> Hypervisor::domains()
{
    constexpr unsigned batch = 64;
    HypercallBuffer call(handle_, sizeof(xen_sysctl));
    HypercallBuffer list(handle_, batch * sizeof(xen_domctl_getdomaininfo));
    std::vector<DomainInfo> found;
    for (unsigned first = 0;;) {
        auto& op = call.as<xen_sysctl>()->u.getdomaininfolist;
        op = {.first_domain = static_cast<domid_t>(first), .max_domains = batch, .buffer = list.address(), .num_domains = 0};
        if (sysctl(handle_, call, XEN_SYSCTL_getdomaininfolist) < 0)
            throw system_error("listing the domains");
        for (unsigned i = 0; i < op.num_domains; ++i)
            found.push_back(translate(list.as<xen_domctl_getdomaininfo>()[i]));
        if (op.num_domains < batch)
            return found;
        first = found.back().id + 1u;
    }
}

std::optional<DomainInfo> Hypervisor::domain(DomainId id)
{
    auto op = domctl(XEN_DOMCTL_getdomaininfo, id);
    if (op.try_call() < 0) {
        if (errno == ESRCH)
            return std::nullopt;
        throw system_error(fmt::format("looking at domain {}", id));
    }
    if (op.op->u.getdomaininfo.domain != id)
        return std::nullopt;
    return translate(op.op->u.getdomaininfo);
}

MachineInfo Hypervisor::machine()
{
    HypercallBuffer call(handle_, sizeof(xen_sysctl));
    if (sysctl(handle_, call, XEN_SYSCTL_physinfo) < 0)
        throw system_error("asking about the machine");
    const auto& raw = call.as<xen_sysctl>()->u.physinfo;
    return {.cpus = raw.nr_cpus,
            .cpu_khz = raw.cpu_khz,
            .nodes = raw.nr_nodes,
            .total_pages = raw.total_pages,
            .free_pages = raw.free_pages,
            .scrub_pages = raw.scrub_pages,
            .capabilities = raw.capabilities};
}

VersionInfo Hypervisor::version()
{
    HypercallBuffer buffer(handle_, page_size);
    auto ask = [&](int what) {
        std::memset(buffer.as<char>(), 0, page_size);
        return xencall2(handle_, __HYPERVISOR_xen_version, static_cast<std::uint64_t>(what), buffer.address());
    };
    auto text = [&](int what) { return ask(what) < 0 ? std::string() : std::string(buffer.as<char>()); };

    auto number = xencall2(handle_, __HYPERVISOR_xen_version, XENVER_version, 0);
    if (number < 0)
        throw system_error("asking for the hypervisor's version");
    VersionInfo info{.major = static_cast<unsigned>(number) >> 16,
                     .minor = static_cast<unsigned>(number) & 0xffff,
                     .extra = text(XENVER_extraversion),
                     .compiler = {},
                     .compile_date = {},
                     .capabilities = text(XENVER_capabilities),
                     .command_line = text(XENVER_commandline),
                     .changeset = text(XENVER_changeset)};
    if (ask(XENVER_compile_info) >= 0) {
        info.compiler = buffer.as<xen_compile_info>()->compiler;
        info.compile_date = buffer.as<xen_compile_info>()->compile_date;
    }
    return info;
}

std::string Hypervisor::console_log(bool clear)
{
    constexpr unsigned room = 64 * 1024;
    HypercallBuffer call(handle_, sizeof(xen_sysctl));
    HypercallBuffer text(handle_, room);
    std::string log;
    std::uint32_t index = 0;
    for (bool more = true; more;) {
        auto& op = call.as<xen_sysctl>()->u.readconsole;
        op = {};
        op.incremental = !log.empty();
        op.index = index;
        op.buffer = text.address();
        op.count = room;
        op.clear = clear;
        if (sysctl(handle_, call, XEN_SYSCTL_readconsole) < 0)
            throw system_error("reading the hypervisor's log");
        log.append(text.as<char>(), std::min(op.count, room));
        index = op.index;
        more = op.count == room && !clear;
    }
    return log;
}

void Hypervisor::press_keys(const std::string& keys)
{
    HypercallBuffer call(handle_, sizeof(xen_sysctl));
    HypercallBuffer text(handle_, keys.size());
    keys.copy(text.as<char>(), keys.size());
    call.as<xen_sysctl>()->u.debug_keys = {text.address(), static_cast<std::uint32_t>(keys.size())};
    if (sysctl(handle_, call, XEN_SYSCTL_debug_keys) < 0)
        throw system_error("pressing debug keys");
}

} // namespace tenon::tools
