// DomainConfig: what a guest shall be, read from a configuration file, checked, with defaults filled in.
#pragma once

#include "config_text.hpp"
#include <tools/lib/hypervisor.hpp>

namespace tenon::tools {

struct DiskConfig {
    std::string target;      ///< path of a file or a block device
    std::string name;        ///< as the guest sees it: "xvda"
    unsigned virtual_device; ///< the number that stands for the name
    bool writable = true;
    bool cdrom = false;
};

struct VifConfig {
    std::string mac;    ///< "00:16:3e:01:02:03"
    std::string bridge; ///< empty: not attached to any
};

/// What happens when a guest ends by itself.
enum class EndAction { destroy, restart, preserve };

struct DomainConfig {
    std::string name;
    Uuid uuid{};
    unsigned memory_mib = 0;
    unsigned max_memory_mib = 0;
    unsigned vcpus = 1;
    CpuShare cpu_share;
    std::string kernel;
    std::string ramdisk; ///< may be empty
    std::string command_line;
    std::vector<DiskConfig> disks;
    std::vector<VifConfig> vifs;
    EndAction on_poweroff = EndAction::destroy;
    EndAction on_reboot = EndAction::restart;
    EndAction on_crash = EndAction::destroy;
    std::vector<std::string> warnings; ///< fit for the user

    /// Relative paths start at `directory`. Throws Error with file, line and key.
    static DomainConfig parse(std::string_view text, const std::string& file_name, const std::string& directory);
};

/// 'phy:/dev/sdb1,xvda,w', '/path,raw,xvda,rw', 'format=raw, vdev=xvda, access=rw, target=/path'.
DiskConfig parse_disk(const std::string& spec);
/// 'mac=00:16:3e:01:02:03,bridge=br0'. Without a MAC, one is made up.
VifConfig parse_vif(const std::string& spec);
/// "xvda", "xvdb3", "sda", "hdc1" as the number in the store; throws Error.
unsigned virtual_device_number(const std::string& name);

Uuid random_uuid();
/// "01234567-89ab-cdef-0123-456789abcdef"; throws Error.
Uuid parse_uuid(const std::string& text);
std::string format_uuid(const Uuid& uuid);

} // namespace tenon::tools
