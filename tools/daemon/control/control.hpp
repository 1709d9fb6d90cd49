// Control: the socket over which the command line gives orders. A request is one line of JSON with a
// "command"; the answer is one line with "ok" and what was asked for, or "error" and the exit "code". After
// the answer to "console" (and to "create" with one) the connection carries the console's bytes, both ways.
//
// An order, once read, is carried out, whether or not the one who gave it still listens.
#pragma once

#include <tools/daemon/domain/manager.hpp>
#include <tools/daemon/listener.hpp>

#include <nlohmann/json_fwd.hpp>

namespace tenon::tools {

class Control {
public:
    Control(Context& context, Manager& manager, const std::string& socket_path);
    /// On a socket that was opened for us.
    Control(Context& context, Manager& manager, UniqueFd socket);

private:
    class Connection;
    using Peer = std::shared_ptr<Connection>;

    void accept(UniqueFd fd);
    void execute(const Peer& peer, const std::string& line);
    void create(const Peer& peer, const nlohmann::json& request);
    void list(const Peer& peer);
    void request_end(const Peer& peer, const nlohmann::json& request, const std::string& command);
    void console(const Peer& peer, const nlohmann::json& request);

    Context& context_;
    Manager& manager_;
    Listener listener_;
};

} // namespace tenon::tools
