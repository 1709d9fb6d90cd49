// Where connections to the store come from.
#include "server.hpp"

#include "own_kernel.hpp"
#include "store_error.hpp"
#include <tools/daemon/log.hpp>
#include <tools/lib/error.hpp>

namespace tenon::tools::xenstore {

/// Members go in reverse order: first the client, then its port and its page.
struct Server::Domain {
    std::unique_ptr<GrantMap> grant;
    std::unique_ptr<OwnKernelRing> own;
    BoundPort port;
    std::unique_ptr<RingClient> client;
};

Server::Server(Loop& loop, EventChannels& events, GrantDevice& grants, const std::string& run_directory)
    : loop_(loop), events_(events), grants_(grants),
      listener_(loop, run_directory + "/socket", 0600, [this](UniqueFd fd) { accept(std::move(fd), Client::Mode::read_write); }),
      read_only_listener_(loop, run_directory + "/socket_ro", 0660, [this](UniqueFd fd) { accept(std::move(fd), Client::Mode::read_only); })
{}

Server::~Server() = default;

void Server::accept(UniqueFd fd, Client::Mode mode)
{
    auto id = ++last_socket_;
    sockets_[id] = std::make_unique<SocketClient>(loop_, service_, std::move(fd), mode, [this, id] { sockets_.erase(id); });
}

void Server::process(DomainId id)
{
    auto found = domains_.find(id);
    if (found != domains_.end() && found->second->client->process())
        loop_.post([this, id] { process(id); });
}

void Server::connect_own_kernel()
{
    auto domain = std::make_unique<Domain>();
    domain->own = std::make_unique<OwnKernelRing>();
    auto port = events_.bind_remote(dom0_id, domain->own->port(), [this] { process(dom0_id); });
    domain->port = BoundPort(events_, port);
    domain->client = std::make_unique<RingClient>(service_, Caller{}, domain->own->ring(), [this, port] { events_.notify(port); });
    domains_[dom0_id] = std::move(domain);
    events_.notify(port);
    process(dom0_id);
}

void Server::introduce(DomainId id, std::uint64_t, EventPort remote_port)
{
    if (id == dom0_id)
        throw StoreError(EINVAL);
    bool again = domains_.erase(id) != 0;
    auto domain = std::make_unique<Domain>();
    try {
        domain->grant = std::make_unique<GrantMap>(grants_, id, 1); // the reference reserved for the store
        auto port = events_.bind_remote(id, remote_port, [this, id] { process(id); });
        domain->port = BoundPort(events_, port);
        domain->client = std::make_unique<RingClient>(service_, Caller{.domain = id}, *domain->grant->as<xenstore_domain_interface>(),
                                                      [this, port] { events_.notify(port); });
    } catch (const Error& error) {
        log("domain {}: {}", id, error.what());
        throw StoreError(EINVAL);
    }
    domains_[id] = std::move(domain);
    if (!again)
        store_.announce_special("@introduceDomain");
    process(id);
}

void Server::release(DomainId id)
{
    if (id == dom0_id || domains_.erase(id) == 0)
        throw StoreError(ENOENT);
    store_.announce_special("@releaseDomain");
}

void Server::set_target(DomainId id, DomainId target)
{
    auto found = domains_.find(id);
    if (found == domains_.end() || !domains_.contains(target))
        throw StoreError(ENOENT);
    found->second->client->set_target(target);
}

std::vector<DomainId> Server::introduced() const
{
    std::vector<DomainId> ids;
    for (const auto& [id, domain] : domains_)
        if (id != dom0_id)
            ids.push_back(id);
    return ids;
}

} // namespace tenon::tools::xenstore
