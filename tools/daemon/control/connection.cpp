// Lines in, lines out.
#include "connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

namespace tenon::tools {

namespace {

constexpr std::size_t line_max = 1 << 20;

} // namespace

void Control::Connection::start(Loop& loop, UniqueFd fd, OnLine on_line)
{
    Peer peer(new Connection(std::move(fd), std::move(on_line)));
    peer->self_ = peer;
    peer->source_ = std::make_unique<Loop::Source>(loop, peer->fd_.get(), EPOLLIN, [raw = peer.get()](std::uint32_t) { raw->read(); });
}

void Control::Connection::read()
{
    auto keep = self_; // until the end of this function
    char buffer[4096];
    auto got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || input_.size() > line_max) {
        source_.reset();
        self_.reset();
        return;
    }
    input_.append(buffer, static_cast<std::size_t>(got));
    for (auto end = input_.find('\n'); end != input_.npos && source_; end = input_.find('\n')) {
        auto line = input_.substr(0, end);
        input_.erase(0, end + 1);
        on_line_(keep, line);
    }
}

void Control::Connection::answer(const nlohmann::json& answer)
{
    auto line = answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    // Answers are short against a socket's buffer; one that does not fit has a peer that never reads.
    ::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Control::Connection::refuse(const Error& error)
{
    answer({{"ok", false}, {"error", error.what()}, {"code", static_cast<int>(error.code())}});
}

Guest::Done Control::Connection::when_done()
{
    return [peer = shared_from_this()](const Error* error) {
        if (error)
            peer->refuse(*error);
        else
            peer->answer({{"ok", true}});
    };
}

UniqueFd Control::Connection::take_fd()
{
    source_.reset();
    self_.reset();
    return std::move(fd_);
}

} // namespace tenon::tools
