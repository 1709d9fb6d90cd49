// SocketClient: a process of the control domain, connected through a Unix socket.
#pragma once

#include "message_reader.hpp"
#include "service.hpp"
#include <tools/daemon/loop.hpp>

namespace tenon::tools::xenstore {

class SocketClient : public Client {
public:
    /// `closed` is called, from the loop, when the peer is gone.
    SocketClient(Loop& loop, Service& service, UniqueFd fd, Mode mode, std::function<void()> closed);
    ~SocketClient() override;

    void send(const Message& message) override;
    void watch_event(std::string_view path, std::string_view token) override;
    std::size_t pending_bytes() const override { return output_.size(); }

private:
    void on_events(std::uint32_t events);
    void flush();
    void fail();

    Loop& loop_;
    Service& service_;
    UniqueFd fd_;
    std::function<void()> closed_;
    MessageReader reader_;
    std::string output_;
    bool failed_ = false;
    Loop::Source source_;
};

} // namespace tenon::tools::xenstore
