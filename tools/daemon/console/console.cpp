// Between a guest's ring, its log and the sessions attached.
#include "console.hpp"

#include <algorithm>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace tenon::tools {

namespace {

constexpr std::size_t recent_max = 16 * 1024;  // what a new session is shown
constexpr std::size_t input_pause = 4 * 1024;  // typed, but not yet taken by the guest
constexpr std::size_t output_max = 256 * 1024; // a session further behind loses output

} // namespace

struct Console::Session {
    UniqueFd fd;
    std::string output;
    std::unique_ptr<Loop::Source> source;
    bool gone = false;
};

Console::Console(Loop& loop, EventChannels& events, const std::string& log_directory, const std::string& guest)
    : loop_(loop), events_(events), log_(log_directory, guest)
{}

Console::~Console() = default;

void Console::connect(GrantDevice& grants, DomainId domain, EventPort remote_port)
{
    disconnect();
    page_ = std::make_unique<GrantMap>(grants, domain, 0); // the reference reserved for the console
    ring_ = std::make_unique<ConsoleRing>(*page_->as<xencons_interface>());
    port_ = BoundPort(events_, events_.bind_remote(domain, remote_port, [this] { process(); }));
    process();
}

void Console::disconnect()
{
    if (!ring_)
        return;
    process(); // the last words
    port_ = BoundPort();
    ring_.reset();
    page_.reset();
    input_.clear();
}

void Console::process()
{
    auto bytes = ring_->take_output();
    if (!bytes.empty()) {
        port_.notify(); // there is room again
        log_.write(bytes);
        recent_ += bytes;
        if (recent_.size() > recent_max)
            recent_.erase(0, recent_.size() - recent_max);
        for (auto& session : sessions_) {
            if (session.output.size() < output_max)
                session.output += bytes;
            flush(session);
        }
    }
    feed();
}

/// Gives the guest what was typed, as far as its ring has room.
void Console::feed()
{
    if (input_.empty() || !ring_)
        return;
    auto taken = ring_->give_input(input_);
    if (taken == 0)
        return;
    input_.erase(0, taken);
    port_.notify();
    for (auto& session : sessions_)
        flush(session);
}

bool Console::wants_input() const { return input_.size() < input_pause; }

void Console::attach(UniqueFd fd)
{
    auto& session = sessions_.emplace_back();
    session.fd = std::move(fd);
    session.output = recent_;
    session.source = std::make_unique<Loop::Source>(loop_, session.fd.get(), EPOLLIN,
                                                    [this, &session](std::uint32_t events) { on_session(session, events); });
    flush(session);
}

void Console::drop(Session& session)
{
    session.gone = true; // removed a little later: its handler is running
    session.source->set_events(0);
    reaper_ = std::make_unique<Loop::Timer>(loop_, std::chrono::milliseconds(0),
                                            [this] { sessions_.remove_if([](const Session& s) { return s.gone; }); });
}

void Console::flush(Session& session)
{
    if (session.gone)
        return;
    while (!session.output.empty()) {
        auto sent = ::send(session.fd.get(), session.output.data(), session.output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            break; // full, or gone: then reading will tell
        session.output.erase(0, static_cast<std::size_t>(sent));
    }
    session.source->set_events((wants_input() ? EPOLLIN : 0u) | (session.output.empty() ? 0u : EPOLLOUT));
}

void Console::on_session(Session& session, std::uint32_t events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char buffer[1024];
        auto got = ::recv(session.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return drop(session);
        if (got > 0)
            input_.append(buffer, static_cast<std::size_t>(got));
        feed();
    }
    flush(session);
}

} // namespace tenon::tools
