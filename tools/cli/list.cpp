// tenon list
#include "client.hpp"
#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

namespace tenon::tools {

namespace {

struct ListOptions {
    std::string domain;
    bool json = false;
};

void list(const ListOptions& options, const GlobalOptions& global)
{
    auto domains = Client(global.socket).ask({{"command", "list"}}).at("domains");
    if (!options.domain.empty()) {
        auto one = nlohmann::json::array();
        for (const auto& domain : domains)
            if (domain.at("name") == options.domain || domain.at("id").dump() == options.domain)
                one.push_back(domain);
        if (one.empty())
            throw Error(fmt::format("there is no domain '{}'", options.domain), ExitCode::no_such_domain);
        domains = one;
    }
    if (options.json) {
        fmt::print("{}\n", domains.dump(2));
        return;
    }
    fmt::print("{:<28} {:>5} {:>8} {:>5}  {:<6} {:>10}\n", "Name", "ID", "Mem(MiB)", "VCPUs", "State",
               "Time(s)");
    for (const auto& domain : domains)
        fmt::print("{:<28} {:>5} {:>8} {:>5}  {:<6} {:>10.1f}\n", domain.at("name").get<std::string>(),
                   domain.at("id").get<unsigned>(), domain.at("memory_mib").get<std::uint64_t>(),
                   domain.at("vcpus").get<unsigned>(), domain.at("state").get<std::string>(),
                   domain.at("cpu_seconds").get<double>());
}

} // namespace

void add_list(CLI::App& app, const GlobalOptions& global)
{
    auto options = std::make_shared<ListOptions>();
    auto command = app.add_subcommand("list", "Show the domains");
    command->add_option("DOMAIN", options->domain, "Only this one (name or number)");
    command->add_flag("--json", options->json, "As JSON, for programs");
    command->footer(
        "State: r running, b blocked (waits for something), p paused, s shut down, c crashed, d dying.");
    command->callback([options, &global] { list(*options, global); });
}

} // namespace tenon::tools
