// The orders.
#include "connection.hpp"

#include <tools/daemon/log.hpp>

namespace tenon::tools {

using nlohmann::json;

Control::Control(Context& context, Manager& manager, const std::string& socket_path)
    : context_(context), manager_(manager), listener_(context.loop, socket_path, 0600, [this](UniqueFd fd) { accept(std::move(fd)); })
{}

Control::Control(Context& context, Manager& manager, UniqueFd socket)
    : context_(context), manager_(manager), listener_(context.loop, std::move(socket), [this](UniqueFd fd) { accept(std::move(fd)); })
{}

void Control::accept(UniqueFd fd)
{
    Connection::start(context_.loop, std::move(fd), [this](const Peer& peer, const std::string& line) { execute(peer, line); });
}

void Control::execute(const Peer& peer, const std::string& line)
{
    try {
        auto request = json::parse(line);
        auto command = request.at("command").get<std::string>();
        if (command == "create")
            create(peer, request);
        else if (command == "list")
            list(peer);
        else if (command == "console")
            console(peer, request);
        else if (command == "poweroff" || command == "reboot")
            request_end(peer, request, command);
        else if (command == "destroy")
            manager_.find(request.at("domain")).destroy(peer->when_done());
        else if (command == "pause" || command == "unpause") {
            auto id = manager_.find_domain(request.at("domain"));
            if (id == dom0_id)
                throw Error("the control domain can not be paused");
            command == "pause" ? context_.hypervisor.pause(id) : context_.hypervisor.unpause(id);
            peer->answer({{"ok", true}});
        } else
            throw Error(fmt::format("unknown command '{}'", command), ExitCode::usage);
    } catch (const Error& error) {
        peer->refuse(error);
    } catch (const json::exception& error) {
        peer->refuse(Error(fmt::format("malformed request: {}", error.what()), ExitCode::usage));
    }
}

void Control::create(const Peer& peer, const json& request)
{
    auto config =
        DomainConfig::parse(request.at("config").get<std::string>(), request.value("file", "config"), request.value("directory", "/"));
    auto warnings = config.warnings;
    auto name = config.name;
    bool console = request.value("console", false);
    auto done = [this, peer, name, warnings, console](const Error* error) {
        if (error)
            return peer->refuse(*error);
        auto& guest = manager_.find(name);
        peer->answer({{"ok", true}, {"id", guest.id()}, {"name", name}, {"warnings", warnings}});
        if (console)
            guest.console().attach(peer->take_fd());
    };
    manager_.create(std::move(config), request.value("paused", false), done);
}

void Control::list(const Peer& peer)
{
    auto domains = json::array();
    for (const auto& domain : manager_.list())
        domains.push_back({{"name", domain.name},
                           {"id", domain.id},
                           {"memory_mib", domain.memory_mib},
                           {"vcpus", domain.vcpus},
                           {"state", domain.state},
                           {"cpu_seconds", domain.cpu_seconds}});
    peer->answer({{"ok", true}, {"domains", domains}});
}

void Control::request_end(const Peer& peer, const json& request, const std::string& command)
{
    auto& guest = manager_.find(request.at("domain"));
    guest.request(command);
    if (!request.value("wait", false))
        peer->answer({{"ok", true}});
    else if (command == "poweroff")
        guest.when_ended(peer->when_done());
    else
        guest.when_restarted(peer->when_done());
}

void Control::console(const Peer& peer, const json& request)
{
    auto& guest = manager_.find(request.at("domain"));
    peer->answer({{"ok", true}, {"name", guest.config().name}});
    guest.console().attach(peer->take_fd());
}

} // namespace tenon::tools
