// A guest's way down: what its end means, and taking everything away in an order that leaves nothing behind:
// devices first, then our own mappings, then the domain, then its nodes.
#include "guest.hpp"

#include "domain_nodes.hpp"
#include <tools/daemon/log.hpp>
#include <tools/daemon/xenstore/store_error.hpp>

#include <algorithm>

namespace tenon::tools {

namespace {

constexpr unsigned device_patience = 10'000; // ms that a backend has to let go
constexpr unsigned poll_interval = 20;       // ms
constexpr unsigned end_polls = 500;

const char* name_of(ShutdownReason reason)
{
    static constexpr const char* names[] = {"powered off", "rebooted", "suspended", "crashed", "hung", "reset"};
    auto index = static_cast<unsigned>(reason);
    return index < std::size(names) ? names[index] : "ended";
}

} // namespace

void Guest::observe(const std::optional<DomainInfo>& info)
{
    if (state_ != State::running && state_ != State::ended)
        return;
    if (!info || info->dying) {
        log("{}: domain {} was destroyed by someone else", config_.name, domain_.id);
        tear_down();
    } else if (info->shutdown && state_ == State::running) {
        end(info->reason);
    }
}

void Guest::end(ShutdownReason reason)
{
    reason_ = reason;
    bool crashed = reason == ShutdownReason::crash || reason == ShutdownReason::watchdog;
    auto action = crashed ? config_.on_crash : reason == ShutdownReason::reboot ? config_.on_reboot : config_.on_poweroff;
    log("{}: domain {} has {}", config_.name, domain_.id, name_of(reason));
    context_.store().announce_special("@releaseDomain");
    if (action == EndAction::restart && restarts_too_fast()) {
        log("{}: ends again and again; not restarted", config_.name);
        action = EndAction::destroy;
    }
    if (action == EndAction::preserve) {
        state_ = State::ended;
        settle(ended_, nullptr);
        return;
    }
    restart_ = action == EndAction::restart;
    tear_down();
}

bool Guest::restarts_too_fast()
{
    auto now = Loop::Clock::now();
    std::erase_if(starts_, [&](auto start) { return now - start > std::chrono::seconds(60); });
    return starts_.size() > 5;
}

void Guest::destroy(Done done)
{
    destroyed_.push_back(std::move(done));
    restart_ = false;
    if (state_ == State::destroying || state_ == State::building)
        return; // on its way, or will be when it is built
    tear_down();
}

void Guest::tear_down()
{
    if (state_ == State::destroying)
        return;
    state_ = State::destroying;
    if (domain_.id == 0)
        return finish();
    try {
        context_.hypervisor.pause(domain_.id);
    } catch (const Error&) {
        // gone already
    }
    for (auto& device : devices_)
        device->close();
    after(device_patience, [this] {
        for (auto& device : devices_)
            if (!device->is_closed())
                log("{}: {}: its backend does not let go", config_.name, device->describe());
        destroy_domain();
    });
    check_closed();
}

void Guest::check_closed()
{
    if (timer_ && std::ranges::all_of(devices_, [](const auto& device) { return device->is_closed(); }))
        after(0, [this] { destroy_domain(); });
}

void Guest::destroy_domain()
{
    for (auto& device : devices_)
        device->remove();
    devices_.clear();
    console_.disconnect();
    try {
        context_.xenstore.release(domain_.id);
    } catch (const xenstore::StoreError&) {
        // was never introduced
    }
    try {
        if (!context_.hypervisor.destroy_step(domain_.id))
            return after(0, [this] { destroy_domain(); });
    } catch (const Error& error) {
        log("{}: {}", config_.name, error.what());
    }
    remove_domain_nodes(context_.store(), config_, domain_.id);
    wait_for_end(end_polls);
}

/// The last frames come back when the last backend has let go of its grants.
void Guest::wait_for_end(unsigned polls_left)
{
    if (context_.hypervisor.domain(domain_.id)) {
        if (polls_left != 0)
            return after(poll_interval, [this, polls_left] { wait_for_end(polls_left - 1); });
        log("{}: something still holds memory of domain {}", config_.name, domain_.id);
    }
    finish();
}

void Guest::finish()
{
    timer_.reset();
    domain_ = {};
    log("{}: gone", config_.name);
    settle(ended_, nullptr);
    if (restart_ && !failure_)
        return build();
    state_ = State::gone;
    Error unexpected(fmt::format("{} was destroyed meanwhile", config_.name));
    auto error = failure_ ? &*failure_ : &unexpected;
    settle(started_, error);
    settle(restarted_, error);
    settle(destroyed_, nullptr);
    gone_();
}

} // namespace tenon::tools
