// tenon sched: a domain's share of the CPUs. The daemon knows its number; the rest is between us and the hypervisor.
#include "client.hpp"
#include "commands.hpp"
#include <tools/lib/hypervisor.hpp>

namespace tenon::tools {

void schedule(const std::string& socket, const ScheduleOptions& options)
{
    nlohmann::json found;
    auto answer = Client(socket).ask({{"command", "list"}});
    for (const auto& domain : answer.at("domains"))
        if (domain.at("name") == options.domain || domain.at("id").dump() == options.domain)
            found = domain;
    if (found.is_null())
        throw Error(fmt::format("there is no domain '{}'", options.domain), ExitCode::no_such_domain);
    auto id = found.at("id").get<DomainId>();
    Hypervisor hypervisor;
    auto share = hypervisor.cpu_share(id);
    if (options.weight || options.cap) {
        share = {options.weight.value_or(share.weight), options.cap.value_or(share.cap)};
        hypervisor.set_cpu_share(id, share);
    }
    if (options.json)
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"name", found.at("name")}, {"id", id}, {"weight", share.weight}, {"cap", share.cap}}.dump(2));
    else if (!options.weight && !options.cap)
        fmt::print("weight {}, {}\n", share.weight, share.cap ? fmt::format("cap {} %", share.cap) : "no cap");
}

} // namespace tenon::tools
