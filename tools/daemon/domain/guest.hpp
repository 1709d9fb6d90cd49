// Guest: one configured guest through all its lives. Every step that takes time is a state; the loop brings
// it forward. A guest that ends by itself is destroyed, restarted or kept, as its configuration says.
#pragma once

#include "builder.hpp"
#include <tools/daemon/console/console.hpp>
#include <tools/daemon/context.hpp>
#include <tools/daemon/device/split_device.hpp>

namespace tenon::tools {

class Guest {
public:
    enum class State { building, connecting, running, ended, destroying, gone };
    /// Called once, with an Error if it went wrong.
    using Done = std::function<void(const Error*)>;

    /// `gone` is called when nothing is left of the guest; it may delete it.
    Guest(Context& context, DomainConfig config, std::function<void()> gone);
    ~Guest();

    void start(bool paused, Done done);
    void destroy(Done done);
    /// Asks the guest's kernel, by "poweroff" or "reboot".
    void request(const std::string& what);
    /// `done` when the guest has next ended, or has started again.
    void when_ended(Done done) { ended_.push_back(std::move(done)); }
    void when_restarted(Done done) { restarted_.push_back(std::move(done)); }
    /// How the domain is now; nothing if there is none any more.
    void observe(const std::optional<DomainInfo>& info);

    const DomainConfig& config() const { return config_; }
    State state() const { return state_; }
    DomainId id() const { return domain_.id; } ///< 0 while there is no domain
    Console& console() { return console_; }
    std::string state_name() const;

private:
    void build();
    void built(const BuiltDomain& domain);
    void connect_devices();
    void check_ready();
    void check_closed();
    void fail(const Error& error);
    void end(ShutdownReason reason);
    bool restarts_too_fast();
    void tear_down();
    void destroy_domain();
    void wait_for_end(unsigned polls_left);
    void finish();
    void after(unsigned milliseconds, Loop::Function function);
    static void settle(std::vector<Done>& waiting, const Error* error);

    Context& context_;
    DomainConfig config_;
    std::function<void()> gone_;
    Console console_;
    State state_ = State::building;
    BuiltDomain domain_{};
    std::vector<std::unique_ptr<SplitDevice>> devices_;
    bool start_paused_ = false, restart_ = false;
    std::optional<ShutdownReason> reason_;
    std::vector<Loop::Clock::time_point> starts_;
    std::vector<Done> started_, ended_, restarted_, destroyed_;
    std::optional<Error> failure_;
    std::unique_ptr<Loop::Timer> timer_;
};

} // namespace tenon::tools
