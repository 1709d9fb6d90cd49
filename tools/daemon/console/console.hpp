// Console: one guest's console over all its lives: it stays when the guest reboots into a new domain. Output
// goes to the log, to everyone attached, and into a short memory for those who attach later; input comes
// from everyone attached.
#pragma once

#include "console_log.hpp"
#include "ring.hpp"
#include <tools/daemon/loop.hpp>
#include <tools/lib/event_channels.hpp>
#include <tools/lib/grant_map.hpp>

#include <list>

namespace tenon::tools {

class Console {
public:
    Console(Loop& loop, EventChannels& events, const std::string& log_directory, const std::string& guest);
    ~Console();

    void connect(GrantDevice& grants, DomainId domain, EventPort remote_port);
    void disconnect();

    /// The peer gets the recent output, then all that comes; what it sends goes to the guest.
    void attach(UniqueFd fd);

private:
    struct Session;

    void process();
    void feed();
    void flush(Session& session);
    void on_session(Session& session, std::uint32_t events);
    void drop(Session& session);
    bool wants_input() const;

    Loop& loop_;
    EventChannels& events_;
    ConsoleLog log_;
    std::string recent_, input_;
    std::unique_ptr<GrantMap> page_;
    BoundPort port_;
    std::unique_ptr<ConsoleRing> ring_;
    std::list<Session> sessions_;
    std::unique_ptr<Loop::Timer> reaper_;
};

} // namespace tenon::tools
