// Service: answers requests. One function per message type, found in one table; every refusal is an error
// reply, and nothing a client sends can do more than that.
#pragma once

#include "client.hpp"
#include "store.hpp"

namespace tenon::tools::xenstore {

/// What the service asks of whoever looks after domains and their rings.
class DomainDirectory {
public:
    virtual ~DomainDirectory() = default;
    virtual void introduce(DomainId domain, std::uint64_t gfn, EventPort port) = 0;
    virtual void release(DomainId domain) = 0;
    virtual bool is_introduced(DomainId domain) const = 0;
    virtual void set_target(DomainId domain, DomainId target) = 0;
};

class Service {
public:
    Service(Store& store, DomainDirectory& domains) : store_(store), domains_(domains) {}

    Store& store() { return store_; }

    /// Replies to the client, then tells the watchers.
    void handle(Client& client, const Message& request);
    /// The client's connection is gone.
    void forget(Client& client);
    /// A watch event on its way to `client`.
    static void send_event(Client& client, const Limits& limits, std::string_view path, std::string_view token);

private:
    struct Request {
        Client& client;
        const Message& message;
        std::vector<std::string_view> words;
        std::vector<Change> changes = {}; ///< to announce after the reply
    };
    using Handler = std::string (Service::*)(Request&);

    static Handler handler_for(MessageType type);
    static bool needs_write(MessageType type);

    std::string control(Request& r);
    std::string directory(Request& r);
    std::string directory_part(Request& r);
    std::string read(Request& r);
    std::string write(Request& r);
    std::string mkdir(Request& r);
    std::string rm(Request& r);
    std::string get_perms(Request& r);
    std::string set_perms(Request& r);
    std::string watch(Request& r);
    std::string unwatch(Request& r);
    std::string reset_watches(Request& r);
    std::string transaction_start(Request& r);
    std::string transaction_end(Request& r);
    std::string introduce(Request& r);
    std::string release(Request& r);
    std::string resume(Request& r);
    std::string set_target(Request& r);
    std::string get_domain_path(Request& r);
    std::string is_domain_introduced(Request& r);

    TreeAccess access(Request& r);
    Path path(Request& r) const;

    Store& store_;
    DomainDirectory& domains_;
};

} // namespace tenon::tools::xenstore
