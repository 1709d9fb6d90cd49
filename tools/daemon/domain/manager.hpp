// Manager: all guests by name, and what the hypervisor says of domains: those of ours, and those that another
// toolstack has made and introduced to the store.
#pragma once

#include "guest.hpp"

namespace tenon::tools {

class Manager {
public:
    explicit Manager(Context& context);

    /// Throws Error at once for what is wrong with the configuration; later failures go to `done`.
    Guest& create(DomainConfig config, bool paused, Guest::Done done);
    /// By name or number; throws Error(no_such_domain).
    Guest& find(const std::string& name_or_id);
    /// Likewise for any domain, also one that is not ours.
    DomainId find_domain(const std::string& name_or_id);

    struct Listed {
        std::string name, state;
        DomainId id;
        std::uint64_t memory_mib;
        unsigned vcpus;
        double cpu_seconds;
    };
    std::vector<Listed> list();

private:
    void look_at_domains();
    void check(const DomainConfig& config);

    Context& context_;
    std::map<std::string, std::unique_ptr<Guest>> guests_;
    BoundPort domain_events_;
};

} // namespace tenon::tools
