// Control::Connection: one peer of the control socket; alive as long as it is read from or an answer is due.
#pragma once

#include "control.hpp"

#include <nlohmann/json.hpp>

namespace tenon::tools {

class Control::Connection : public std::enable_shared_from_this<Connection> {
public:
    using OnLine = std::function<void(const Peer&, const std::string&)>;

    static void start(Loop& loop, UniqueFd fd, OnLine on_line);

    void answer(const nlohmann::json& answer);
    void refuse(const Error& error);
    /// For a Guest to call: an empty answer, or the error.
    Guest::Done when_done();
    /// Stops reading and gives the socket away.
    UniqueFd take_fd();

private:
    Connection(UniqueFd fd, OnLine on_line) : fd_(std::move(fd)), on_line_(std::move(on_line)) {}

    void read();

    UniqueFd fd_;
    OnLine on_line_;
    std::string input_;
    Peer self_; ///< while the loop reads from the socket
    std::unique_ptr<Loop::Source> source_;
};

} // namespace tenon::tools
