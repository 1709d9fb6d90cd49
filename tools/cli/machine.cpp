// tenon dmesg, tenon info: straight from the hypervisor, so they work without the daemon.
#include "commands.hpp"
#include <tools/lib/hypervisor.hpp>

#include <nlohmann/json.hpp>

namespace tenon::tools {

void show_info(bool as_json)
{
    Hypervisor hypervisor;
    auto version = hypervisor.version();
    auto machine = hypervisor.machine();
    auto mib = [](std::uint64_t pages) { return pages >> 8; };
    nlohmann::ordered_json facts{
        {"version", fmt::format("{}.{}{}", version.major, version.minor, version.extra)},
        {"capabilities", version.capabilities},
        {"compiler", version.compiler},
        {"compile_date", version.compile_date},
        {"changeset", version.changeset},
        {"command_line", version.command_line},
        {"cpus", machine.cpus},
        {"cpu_mhz", machine.cpu_khz / 1000},
        {"nodes", machine.nodes},
        {"total_memory_mib", mib(machine.total_pages)},
        {"free_memory_mib", mib(machine.free_pages)},
        {"free_pages", machine.free_pages},
        {"domains", hypervisor.domains().size()},
    };
    if (as_json) {
        fmt::print("{}\n", facts.dump(2));
        return;
    }
    for (const auto& [key, value] : facts.items())
        fmt::print("{:<18}: {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
}

void show_log(const std::string& keys, bool clear)
{
    Hypervisor hypervisor;
    if (!keys.empty())
        hypervisor.press_keys(keys);
    auto log = hypervisor.console_log(clear);
    std::fwrite(log.data(), 1, log.size(), stdout);
}

} // namespace tenon::tools
