// tenon list
#include "client.hpp"
#include "commands.hpp"

namespace tenon::tools {

void list(const std::string& socket, const ListOptions& options)
{
    auto domains = Client(socket).ask({{"command", "list"}}).at("domains");
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
    fmt::print("{:<28} {:>5} {:>8} {:>5}  {:<6} {:>10}\n", "Name", "ID", "Mem(MiB)", "VCPUs", "State", "Time(s)");
    for (const auto& domain : domains)
        fmt::print("{:<28} {:>5} {:>8} {:>5}  {:<6} {:>10.1f}\n", domain.at("name").get<std::string>(), domain.at("id").get<unsigned>(),
                   domain.at("memory_mib").get<std::uint64_t>(), domain.at("vcpus").get<unsigned>(), domain.at("state").get<std::string>(),
                   domain.at("cpu_seconds").get<double>());
}

} // namespace tenon::tools
