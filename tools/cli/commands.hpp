// The commands of `tenon`, each with its options. main.cpp reads the command line into them; failures are
// thrown as Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tenon::tools {

struct CreateOptions {
    std::string file;
    bool console = false, paused = false, quiet = false;
};

struct ListOptions {
    std::string domain; ///< empty: all
    bool json = false;
};

struct DomainOptions {
    std::string domain;
    bool wait = false;
};

struct ScheduleOptions {
    std::string domain;
    std::optional<std::uint16_t> weight, cap; ///< empty: stays as it is
    bool json = false;
};

/// `socket` is the daemon's.
void create(const std::string& socket, const CreateOptions& options);
void list(const std::string& socket, const ListOptions& options);
void console(const std::string& socket, const DomainOptions& options);
/// An order that needs no more than the name: poweroff, reboot, pause, unpause, destroy.
void give_order(const std::string& socket, const std::string& order, const DomainOptions& options);
/// Shows a domain's share of the CPUs, or changes it.
void schedule(const std::string& socket, const ScheduleOptions& options);
/// `keys`: debug keys to press first, each of which makes the hypervisor write something into its log.
void show_log(const std::string& keys, bool clear);
void show_info(bool as_json);

} // namespace tenon::tools
