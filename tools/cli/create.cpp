// tenon create, tenon console, and the orders that need no more than a name
#include "client.hpp"
#include "commands.hpp"
#include "terminal.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tenon::tools {

namespace {

void show_console(Client& client)
{
    fmt::print(stderr, "(console attached; Ctrl-] leaves it)\n");
    std::string first;
    auto fd = client.take_fd(first);
    run_console(std::move(fd), first);
    fmt::print(stderr, "\n(console left)\n");
}

} // namespace

void create(const std::string& socket, const CreateOptions& options)
{
    std::ifstream file(options.file);
    std::stringstream text;
    if (!(text << file.rdbuf()))
        throw Error(fmt::format("{}: can not be read, or is empty", options.file), ExitCode::usage);
    Client client(socket);
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

void console(const std::string& socket, const DomainOptions& options)
{
    Client client(socket);
    client.ask({{"command", "console"}, {"domain", options.domain}});
    show_console(client);
}

void give_order(const std::string& socket, const std::string& order, const DomainOptions& options)
{
    Client(socket).ask({{"command", order}, {"domain", options.domain}, {"wait", options.wait}});
}

} // namespace tenon::tools
