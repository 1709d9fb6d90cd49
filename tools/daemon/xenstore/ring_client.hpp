// RingClient: a domain, connected through a page that it shares with us. The page belongs to the domain,
// which may write anything into it at any time: indices are read once and checked, bytes are copied out, then
// used.
#pragma once

#include "message_reader.hpp"
#include "service.hpp"

#include <functional>
#include <xen/io/xs_wire.h>

namespace tenon::tools::xenstore {

class RingClient : public Client {
public:
    /// `notify` wakes the domain.
    RingClient(Service& service, Caller caller, xenstore_domain_interface& ring, std::function<void()> notify);
    ~RingClient() override;

    void send(const Message& message) override;
    void watch_event(std::string_view path, std::string_view token) override;
    std::size_t pending_bytes() const override { return output_.size(); }

    /// The domain has signalled: moves bytes, answers requests. True if there is more to do and it
    /// should be called again, after others had their turn.
    bool process();

private:
    bool read_requests();
    bool write_replies();
    void reconnect();
    void fail(std::uint32_t error);

    Service& service_;
    xenstore_domain_interface& ring_;
    std::function<void()> notify_;
    MessageReader reader_;
    std::string output_;
    bool failed_ = false;
};

} // namespace tenon::tools::xenstore
