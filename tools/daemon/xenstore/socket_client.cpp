// Reading requests and writing replies on a socket, without ever waiting for the peer.
#include "socket_client.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

namespace tenon::tools::xenstore {

namespace {

constexpr std::size_t output_pause = 64 * 1024; // a peer that does not read gets no further answers

} // namespace

SocketClient::SocketClient(Loop& loop, Service& service, UniqueFd fd, Mode mode, std::function<void()> closed)
    : Client(Caller{}, mode), loop_(loop), service_(service), fd_(std::move(fd)), closed_(std::move(closed)),
      source_(loop, fd_.get(), EPOLLIN, [this](std::uint32_t events) { on_events(events); })
{}

SocketClient::~SocketClient() { service_.forget(*this); }

void SocketClient::send(const Message& message)
{
    output_ += message.encode();
    flush();
}

void SocketClient::watch_event(std::string_view path, std::string_view token)
{
    Service::send_event(*this, service_.store().limits, path, token);
}

void SocketClient::fail()
{
    if (failed_)
        return;
    failed_ = true;
    source_.set_events(0);
    loop_.post(closed_);
}

void SocketClient::flush()
{
    while (!output_.empty() && !failed_) {
        auto sent = ::send(fd_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return fail();
        if (sent < 0)
            break;
        output_.erase(0, static_cast<std::size_t>(sent));
    }
    if (!failed_)
        source_.set_events((output_.size() < output_pause ? EPOLLIN : 0u) | (output_.empty() ? 0u : EPOLLOUT));
}

void SocketClient::on_events(std::uint32_t events)
{
    if (events & EPOLLOUT)
        flush();
    if (failed_ || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    char buffer[8192];
    auto got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        return fail();
    if (got > 0)
        reader_.add({buffer, static_cast<std::size_t>(got)});
    while (auto message = reader_.next())
        service_.handle(*this, *message);
    if (reader_.is_broken())
        fail();
}

} // namespace tenon::tools::xenstore
