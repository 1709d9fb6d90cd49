// tenon create, tenon console
#include "client.hpp"
#include "commands.hpp"
#include "terminal.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace tenon::tools {

namespace {

struct CreateOptions {
    std::string file;
    bool console = false, paused = false, quiet = false;
};

void show_console(Client& client)
{
    fmt::print(stderr, "(console attached; Ctrl-] leaves it)\n");
    std::string first;
    auto fd = client.take_fd(first);
    run_console(std::move(fd), first);
    fmt::print(stderr, "\n(console left)\n");
}

void create(const CreateOptions& options, const GlobalOptions& global)
{
    std::ifstream file(options.file);
    std::stringstream text;
    if (!(text << file.rdbuf()))
        throw Error(fmt::format("{}: can not be read, or is empty", options.file), ExitCode::usage);
    Client client(global.socket);
    auto answer = client.ask({{"command", "create"},
                              {"config", text.str()},
                              {"file", options.file},
                              {"directory", std::filesystem::current_path().string()},
                              {"paused", options.paused},
                              {"console", options.console}});
    for (const auto& warning : answer.value("warnings", std::vector<std::string>{}))
        fmt::print(stderr, "warning: {}\n", warning);
    if (!options.quiet)
        fmt::print("{} is domain {}\n", answer.value("name", ""), answer.value("id", 0));
    std::fflush(stdout);
    if (options.console)
        show_console(client);
}

} // namespace

void add_create(CLI::App& app, const GlobalOptions& global)
{
    auto options = std::make_shared<CreateOptions>();
    auto command = app.add_subcommand("create", "Start a guest from a configuration file");
    command->add_option("CONFIG", options->file, "The configuration file, see tenon.cfg(5)")->required();
    command->add_flag("-c,--console", options->console, "Attach to its console");
    command->add_flag("-p,--paused", options->paused, "Leave it paused");
    command->add_flag("-q,--quiet", options->quiet, "Print nothing if all goes well");
    command->callback([options, &global] { create(*options, global); });
}

void add_console(CLI::App& app, const GlobalOptions& global)
{
    auto domain = std::make_shared<std::string>();
    auto command = app.add_subcommand("console", "Attach to a guest's console (Ctrl-] leaves it)");
    command->add_option("DOMAIN", *domain, "Name or number of the guest")->required();
    command->callback([domain, &global] {
        Client client(global.socket);
        client.ask({{"command", "console"}, {"domain", *domain}});
        show_console(client);
    });
}

} // namespace tenon::tools
