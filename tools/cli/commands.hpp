// The commands of `tenon`. Each adds itself to the command-line parser, with its options and help, and is
// then run by it; failures are thrown as Error.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tenon::tools {

struct GlobalOptions {
    std::string socket = "/run/tenon/tenond.sock";
};

void add_create(CLI::App& app, const GlobalOptions& global);
void add_console(CLI::App& app, const GlobalOptions& global);
void add_list(CLI::App& app, const GlobalOptions& global);
/// shutdown, reboot, pause, unpause, destroy
void add_lifecycle(CLI::App& app, const GlobalOptions& global);
void add_dmesg(CLI::App& app);
void add_info(CLI::App& app);

} // namespace tenon::tools
