// One line there, one line back.
#include "client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

namespace tenon::tools {

Client::Client(const std::string& socket_path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (!fd_ || ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        throw Error(fmt::format("can not reach the daemon at {}: {} (is tenond running?)", socket_path, std::strerror(errno)));
}

nlohmann::json Client::ask(const nlohmann::json& request)
{
    auto line = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        auto count = ::send(fd_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (count <= 0)
            throw system_error("sending to the daemon");
        sent += static_cast<std::size_t>(count);
    }
    while (input_.find('\n') == input_.npos) {
        char buffer[4096];
        auto got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (got <= 0)
            throw Error("the daemon has closed the connection without an answer");
        input_.append(buffer, static_cast<std::size_t>(got));
    }
    auto end = input_.find('\n');
    auto answer = nlohmann::json::parse(input_.substr(0, end));
    input_.erase(0, end + 1);
    if (!answer.value("ok", false))
        throw Error(answer.value("error", "the daemon gives no reason"),
                    static_cast<ExitCode>(answer.value("code", static_cast<int>(ExitCode::failed))));
    return answer;
}

UniqueFd Client::take_fd(std::string& rest)
{
    rest = std::exchange(input_, {});
    return std::move(fd_);
}

} // namespace tenon::tools
