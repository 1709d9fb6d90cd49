// tenon shutdown, reboot, pause, unpause, destroy
#include "client.hpp"
#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

namespace tenon::tools {

namespace {

struct LifecycleOptions {
    std::string domain;
    bool wait = false;
};

void add(CLI::App& app, const GlobalOptions& global, const char* name, const char* order, const char* help,
         const char* wait_help)
{
    auto options = std::make_shared<LifecycleOptions>();
    auto command = app.add_subcommand(name, help);
    command->add_option("DOMAIN", options->domain, "Name or number of the guest")->required();
    if (wait_help)
        command->add_flag("-w,--wait", options->wait, wait_help);
    command->callback([options, order, &global] {
        Client(global.socket).ask({{"command", order}, {"domain", options->domain}, {"wait", options->wait}});
    });
}

} // namespace

void add_lifecycle(CLI::App& app, const GlobalOptions& global)
{
    add(app, global, "shutdown", "poweroff", "Ask a guest to power off", "Wait until it has");
    add(app, global, "reboot", "reboot", "Ask a guest to reboot", "Wait until it has started again");
    add(app, global, "pause", "pause", "Stop the CPUs of a guest", nullptr);
    add(app, global, "unpause", "unpause", "Let a paused guest go on", nullptr);
    add(app, global, "destroy", "destroy", "End a guest at once, as if by pulling the plug", nullptr);
}

} // namespace tenon::tools
