// Server: the xenstore server as part of the daemon: the store, its Unix sockets, the control domain's own
// ring and one ring for every domain introduced.
#pragma once

#include "ring_client.hpp"
#include "socket_client.hpp"
#include <tools/daemon/listener.hpp>
#include <tools/lib/event_channels.hpp>
#include <tools/lib/grant_map.hpp>

namespace tenon::tools::xenstore {

class Server : public DomainDirectory {
public:
    Server(Loop& loop, EventChannels& events, GrantDevice& grants, const std::string& run_directory);
    ~Server() override;

    Store& store() { return store_; }

    /// Connects the kernel of this very domain.
    void connect_own_kernel();

    void introduce(DomainId domain, std::uint64_t gfn, EventPort port) override;
    void release(DomainId domain) override;
    bool is_introduced(DomainId domain) const override { return domains_.contains(domain); }
    void set_target(DomainId domain, DomainId target) override;

    std::vector<DomainId> introduced() const;

private:
    struct Domain;

    void accept(UniqueFd fd, Client::Mode mode);
    void process(DomainId id);

    Loop& loop_;
    EventChannels& events_;
    GrantDevice& grants_;
    Store store_;
    Service service_{store_, *this};
    std::map<DomainId, std::unique_ptr<Domain>> domains_;
    std::map<unsigned, std::unique_ptr<SocketClient>> sockets_;
    unsigned last_socket_ = 0;
    Listener listener_, read_only_listener_;
};

} // namespace tenon::tools::xenstore
