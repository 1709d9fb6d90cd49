// What a guest's kernel and the usual tools look for, and who may write it.
#include "domain_nodes.hpp"

#include <tools/daemon/xenstore/batch.hpp>

namespace tenon::tools {

using xenstore::Access;
using xenstore::Permissions;

void write_own_nodes(xenstore::Store& store)
{
    xenstore::Batch(store)
        .write("/local/domain/0/name", "Domain-0")
        .write("/local/domain/0/domid", "0")
        .write("/local/domain/0/backend", "")
        .write("/local/pool/0/name", "Pool-0") // xl resolves the one CPU pool by its name
        .write("/tool/tenon", "")
        .write("/vm", "")
        .commit();
}

void write_domain_nodes(xenstore::Store& store, const DomainConfig& config, const BuiltDomain& domain)
{
    auto home = xenstore::domain_path(domain.id);
    auto vm = "/vm/" + format_uuid(config.uuid);
    Permissions readable({{dom0_id, Access::none}, {domain.id, Access::read}});
    Permissions writable({{domain.id, Access::none}});
    auto backend = fmt::format("/local/domain/0/backend/console/{}/0", domain.id);

    xenstore::Batch batch(store);
    batch.write(vm, "", readable).write(vm + "/name", config.name).write(vm + "/uuid", format_uuid(config.uuid));
    batch.write(home, "", readable)
        .write(home + "/vm", vm)
        .write(home + "/name", config.name)
        .write(home + "/domid", std::to_string(domain.id))
        .write(home + "/memory/static-max", std::to_string(config.max_memory_mib * 1024ul))
        .write(home + "/memory/target", std::to_string(config.memory_mib * 1024ul))
        .write(home + "/memory/videoram", "0")
        .write(home + "/device/suspend/event-channel", "", writable)
        .write(home + "/control/platform-feature-multiprocessor-suspend", "1")
        .write(home + "/control/platform-feature-xs_reset_watches", "1");
    for (auto name : {"shutdown", "feature-poweroff", "feature-reboot", "feature-suspend", "sysrq"})
        batch.write(home + "/control/" + name, "", writable);
    for (auto name : {"data", "drivers", "feature", "attr", "error"})
        batch.write(home + "/" + name, "", writable);
    for (unsigned i = 0; i < config.vcpus; ++i)
        batch.write(fmt::format("{}/cpu/{}/availability", home, i), "online");
    batch.write(home + "/store/port", std::to_string(domain.store_port))
        .write(home + "/store/ring-ref", std::to_string(domain.store_frame))
        .write(home + "/console/backend", backend)
        .write(home + "/console/backend-id", "0")
        .write(home + "/console/limit", "1048576")
        .write(home + "/console/type", "xenconsoled")
        .write(home + "/console/output", "pty")
        .write(home + "/console/tty", "")
        .write(home + "/console/port", std::to_string(domain.console_port))
        .write(home + "/console/ring-ref", std::to_string(domain.console_frame));
    batch.commit();
}

void remove_domain_nodes(xenstore::Store& store, const DomainConfig& config, DomainId id)
{
    store.remove(xenstore::domain_path(id));
    store.remove("/vm/" + format_uuid(config.uuid));
}

} // namespace tenon::tools
