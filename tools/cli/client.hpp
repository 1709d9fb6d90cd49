// Client: the command line's end of the daemon's control socket.
#pragma once

#include <tools/lib/error.hpp>
#include <tools/lib/unique_fd.hpp>

#include <nlohmann/json.hpp>

namespace tenon::tools {

class Client {
public:
    /// Throws Error if the daemon does not answer.
    explicit Client(const std::string& socket_path);

    /// The daemon's answer; a refusal is thrown as Error with its exit code.
    nlohmann::json ask(const nlohmann::json& request);
    /// After the answer, the socket carries the console; bytes that came with the answer are in `rest`.
    UniqueFd take_fd(std::string& rest);

private:
    UniqueFd fd_;
    std::string input_;
};

} // namespace tenon::tools
