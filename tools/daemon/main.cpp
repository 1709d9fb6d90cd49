// tenond: one process in the control domain that serves the store, keeps the guests' consoles, and builds,
// watches and ends guests. See tenond(8).
#include "control/control.hpp"
#include "domain/domain_nodes.hpp"
#include "log.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>

namespace {

using namespace tenon::tools;

struct Options {
    std::string xenstore_directory = "/var/run/xenstored";
    std::string socket = "/run/tenon/tenond.sock";
    std::string log_directory = "/var/log/tenon";
};

/// Both lists of orders end the daemon in an orderly way; guests go on, but without a store.
UniqueFd ending_signals()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

void serve(const Options& options)
{
    auto signals = ending_signals(); // before any thread, which would inherit the old mask
    Loop loop;
    Hypervisor hypervisor;
    EventChannels events;
    GrantDevice grants;
    xenstore::Server xenstore(loop, events, grants, options.xenstore_directory);
    Builder builder;
    Worker worker;
    Context context{loop, hypervisor, events, grants, xenstore, worker, builder, options.log_directory};

    write_own_nodes(xenstore.store());
    Loop::Source on_event(loop, events.fd(), EPOLLIN, [&](std::uint32_t) { events.dispatch(); });
    Loop::Source on_signal(loop, signals.get(), EPOLLIN, [&](std::uint32_t) { loop.stop(); });
    xenstore.connect_own_kernel();
    Manager manager(context);

    int passed = sd_listen_fds(1);
    auto control = passed > 0 ? std::make_unique<Control>(context, manager, UniqueFd(SD_LISTEN_FDS_START))
                              : std::make_unique<Control>(context, manager, options.socket);
    sd_notify(0, "READY=1");
    log("ready");
    loop.run();
    sd_notify(0, "STOPPING=1");
    log("ends");
}

} // namespace

int main(int argc, char** argv)
{
    Options options;
    CLI::App app("Tenon's daemon: xenstore, consoles and guests");
    app.add_option("--socket", options.socket, "Socket for the command line")->capture_default_str();
    app.add_option("--xenstore-dir", options.xenstore_directory, "Folder of the store's sockets")->capture_default_str();
    app.add_option("--log-dir", options.log_directory, "Folder of the console logs")->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
    }
    try {
        serve(options);
        return 0;
    } catch (const std::exception& error) {
        log("{}", error.what());
        return static_cast<int>(ExitCode::failed);
    }
}
