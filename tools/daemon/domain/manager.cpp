// Finding guests, and following the hypervisor's notices about domains.
#include "manager.hpp"

#include <tools/daemon/log.hpp>
#include <tools/daemon/xenstore/store_error.hpp>

#include <algorithm>
#include <filesystem>
#include <net/if.h>

namespace tenon::tools {

namespace {

constexpr unsigned virq_domain_exception = 3; ///< a domain has ended or gone [xen.h VIRQ_DOM_EXC]

/// The flags of `xl list`, which people can read: running, blocked, paused, shut down, crashed, dying.
std::string flags_of(const DomainInfo& info)
{
    bool crashed = info.shutdown && info.reason == ShutdownReason::crash;
    std::string flags = "------";
    auto set = [&](unsigned at, char letter, bool on) { flags[at] = on ? letter : '-'; };
    set(0, 'r', info.running);
    set(1, 'b', info.blocked);
    set(2, 'p', info.paused);
    set(3, 's', info.shutdown && !crashed);
    set(4, 'c', crashed);
    set(5, 'd', info.dying);
    return flags;
}

std::string canonical(const std::string& path)
{
    std::error_code error;
    auto full = std::filesystem::canonical(path, error);
    return error ? path : full.string();
}

} // namespace

Manager::Manager(Context& context)
    : context_(context), domain_events_(context.events, context.events.bind_virq(virq_domain_exception, [this] { look_at_domains(); }))
{}

void Manager::check(const DomainConfig& config)
{
    if (guests_.contains(config.name))
        throw Error(fmt::format("a guest named '{}' exists already", config.name));
    for (const auto& [what, path] : {std::pair("kernel", config.kernel), std::pair("ramdisk", config.ramdisk)})
        if (!path.empty() && !std::filesystem::is_regular_file(path))
            throw Error(fmt::format("{}: {}: no such file", what, path));
    for (const auto& vif : config.vifs)
        if (!vif.bridge.empty() && ::if_nametoindex(vif.bridge.c_str()) == 0)
            throw Error(fmt::format("vif: there is no bridge '{}'", vif.bridge));
    for (const auto& disk : config.disks) {
        if (!std::filesystem::exists(disk.target))
            throw Error(fmt::format("disk: {}: no such file or device", disk.target));
        for (const auto& [name, guest] : guests_)
            for (const auto& other : guest->config().disks)
                if ((disk.writable || other.writable) && canonical(disk.target) == canonical(other.target))
                    throw Error(fmt::format("disk: {} is in use by guest '{}'", disk.target, name));
    }
}

Guest& Manager::create(DomainConfig config, bool paused, Guest::Done done)
{
    check(config);
    auto name = config.name;
    auto gone = [this, name] { context_.loop.post([this, name] { guests_.erase(name); }); };
    auto& guest = *(guests_[name] = std::make_unique<Guest>(context_, std::move(config), gone));
    guest.start(paused, std::move(done));
    return guest;
}

Guest& Manager::find(const std::string& name_or_id)
{
    if (auto found = guests_.find(name_or_id); found != guests_.end())
        return *found->second;
    for (auto& [name, guest] : guests_)
        if (guest->id() != 0 && std::to_string(guest->id()) == name_or_id)
            return *guest;
    if (find_domain(name_or_id) == dom0_id)
        throw Error("that is the control domain, no guest; what ends it is poweroff or reboot");
    throw Error(fmt::format("'{}' belongs to another toolstack, which made it", name_or_id));
}

DomainId Manager::find_domain(const std::string& name_or_id)
{
    for (const auto& domain : list())
        if (domain.name == name_or_id || std::to_string(domain.id) == name_or_id)
            return domain.id;
    throw Error(fmt::format("there is no domain '{}'", name_or_id), ExitCode::no_such_domain);
}

std::vector<Manager::Listed> Manager::list()
{
    std::vector<Listed> domains;
    std::map<DomainId, const Guest*> ours;
    for (const auto& [name, guest] : guests_)
        ours[guest->id()] = guest.get();
    for (const auto& info : context_.hypervisor.domains()) {
        auto name = context_.store().read(xenstore::domain_path(info.id) + "/name");
        if (!name && info.id != dom0_id && ours.contains(info.id))
            name = ours[info.id]->config().name;
        domains.push_back({.name = name.value_or("(unnamed)"),
                           .state = flags_of(info),
                           .id = info.id,
                           .memory_mib = info.pages >> 8,
                           .vcpus = info.online_vcpus,
                           .cpu_seconds = static_cast<double>(info.cpu_time_ns) / 1e9});
    }
    return domains;
}

void Manager::look_at_domains()
{
    std::map<DomainId, DomainInfo> now;
    for (const auto& info : context_.hypervisor.domains())
        now.emplace(info.id, info);
    auto look_up = [&](DomainId id) {
        auto found = now.find(id);
        return found == now.end() ? std::nullopt : std::optional(found->second);
    };
    std::vector<DomainId> ours;
    for (auto& [name, guest] : guests_) {
        if (guest->id() == 0)
            continue;
        ours.push_back(guest->id());
        guest->observe(look_up(guest->id()));
    }
    // Domains of another toolstack: it watches for this, and clears up by itself.
    for (auto id : context_.xenstore.introduced()) {
        auto info = look_up(id);
        if (std::ranges::find(ours, id) != ours.end())
            continue;
        if (!info || info->dying)
            context_.xenstore.release(id);
        else if (info->shutdown)
            context_.store().announce_special("@releaseDomain");
    }
}

} // namespace tenon::tools
