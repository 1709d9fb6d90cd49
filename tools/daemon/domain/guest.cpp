// A guest's way up: build, connect the devices, run. Its way down is in guest_end.cpp.
#include "guest.hpp"

#include "domain_nodes.hpp"
#include <tools/daemon/device/vbd.hpp>
#include <tools/daemon/device/vif.hpp>
#include <tools/daemon/log.hpp>
#include <tools/daemon/xenstore/store_error.hpp>

#include <algorithm>

namespace tenon::tools {

Guest::Guest(Context& context, DomainConfig config, std::function<void()> gone)
    : context_(context), config_(std::move(config)), gone_(std::move(gone)),
      console_(context.loop, context.events, context.log_directory, config_.name)
{}

Guest::~Guest() = default;

void Guest::after(unsigned milliseconds, Loop::Function function)
{
    timer_ = std::make_unique<Loop::Timer>(context_.loop, std::chrono::milliseconds(milliseconds), std::move(function));
}

void Guest::settle(std::vector<Done>& waiting, const Error* error)
{
    for (auto& done : std::exchange(waiting, {}))
        done(error);
}

void Guest::start(bool paused, Done done)
{
    start_paused_ = paused;
    started_.push_back(std::move(done));
    build();
}

void Guest::build()
{
    state_ = State::building;
    start_paused_ = start_paused_ && !restart_;
    domain_ = {};
    reason_.reset();
    restart_ = false;
    starts_.push_back(Loop::Clock::now());
    // The guest outlives the job: destroy() waits for it.
    context_.worker.submit([this, config = config_] {
        try {
            auto domain = context_.builder.build(config);
            context_.loop.post([this, domain] { built(domain); });
        } catch (const std::exception& error) {
            context_.loop.post([this, error = Error(error.what())] { fail(error); });
        }
    });
}

void Guest::built(const BuiltDomain& domain)
{
    domain_ = domain;
    log("{}: built as domain {}", config_.name, domain.id);
    if (!destroyed_.empty()) // someone has changed their mind meanwhile
        return tear_down();
    state_ = State::connecting;
    try {
        write_domain_nodes(context_.store(), config_, domain_);
        console_.connect(context_.grants, domain_.id, domain_.console_port);
        context_.xenstore.introduce(domain_.id, domain_.store_frame, domain_.store_port);
        connect_devices();
        check_ready();
    } catch (const Error& error) {
        fail(error);
    } catch (const xenstore::StoreError& error) {
        fail(Error(fmt::format("connecting domain {} to the store: {}", domain_.id, error.what())));
    }
}

void Guest::connect_devices()
{
    auto changed = [this] {
        if (state_ == State::connecting)
            check_ready();
        else if (state_ == State::destroying)
            check_closed();
    };
    for (const auto& disk : config_.disks)
        devices_.push_back(std::make_unique<Vbd>(context_.loop, context_.store(), domain_.id, disk, changed));
    for (unsigned i = 0; i < config_.vifs.size(); ++i)
        devices_.push_back(std::make_unique<Vif>(context_.loop, context_.store(), domain_.id, i, config_.vifs[i], changed));
    for (auto& device : devices_)
        device->start();
    after(20'000, [this] {
        for (auto& device : devices_)
            if (!device->is_ready()) {
                auto said = device->driver_error();
                return fail(Error(said.empty() ? fmt::format("{}: its backend does not answer (is the module {} loaded?)",
                                                             device->describe(), device->module())
                                               : fmt::format("{}: {}: {}", device->describe(), device->module(), said)));
            }
    });
}

void Guest::check_ready()
{
    for (auto& device : devices_)
        if (!device->failure().empty())
            return fail(Error(fmt::format("{}: {}", device->describe(), device->failure())));
    if (!std::ranges::all_of(devices_, [](const auto& device) { return device->is_ready(); }))
        return;
    timer_.reset();
    state_ = State::running;
    try {
        if (!start_paused_)
            context_.hypervisor.unpause(domain_.id);
    } catch (const Error& error) {
        return fail(error);
    }
    log("{}: domain {} runs", config_.name, domain_.id);
    settle(started_, nullptr);
    settle(restarted_, nullptr);
    after(120'000, [this] { context_.worker.submit([&builder = context_.builder] { builder.forget_old_kernel(); }); });
}

void Guest::fail(const Error& error)
{
    log("{}: {}", config_.name, error.what());
    if (!failure_)
        failure_ = error;
    tear_down();
}

void Guest::request(const std::string& what)
{
    if (state_ != State::running)
        throw Error(fmt::format("{} does not run: it is {}", config_.name, state_name()));
    context_.store().write(fmt::format("{}/control/shutdown", xenstore::domain_path(domain_.id)), what);
}

std::string Guest::state_name() const
{
    switch (state_) {
    case State::building: return "being built";
    case State::connecting: return "starting";
    case State::running: return "running";
    case State::ended: return reason_ == ShutdownReason::crash ? "crashed" : "shut down";
    default: return "being destroyed";
    }
}

} // namespace tenon::tools
