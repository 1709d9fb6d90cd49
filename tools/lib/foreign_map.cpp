// Mapping of other domains' memory, by libxenforeignmemory.
#include "foreign_map.hpp"

#include "error.hpp"

#include <sys/mman.h>
#include <vector>
#include <xen/grant_table.h>
#include <xen/memory.h>

extern "C" { // the header does not say so itself
#include <xenforeignmemory.h>
}

namespace tenon::tools {

ForeignMemory::ForeignMemory() : handle_(xenforeignmemory_open(nullptr, 0))
{
    if (!handle_)
        throw system_error("opening /dev/xen/privcmd for mapping");
}

ForeignMemory::~ForeignMemory() { xenforeignmemory_close(handle_); }

ForeignMap::ForeignMap(ForeignMemory& memory, DomainId domain, std::span<const Mfn> frames)
    : handle_(memory.handle_), frames_(frames.size())
{
    std::vector<xen_pfn_t> list(frames.begin(), frames.end());
    // Without an error array, a single frame that fails makes the whole call fail.
    address_ = xenforeignmemory_map(handle_, domain, PROT_READ | PROT_WRITE, list.size(), list.data(), nullptr);
    if (!address_)
        throw system_error(fmt::format("mapping {} frames of domain {}", frames.size(), domain));
}

ForeignMap::~ForeignMap() { xenforeignmemory_unmap(handle_, address_, frames_); }

GrantTableMap::GrantTableMap(ForeignMemory& memory, DomainId domain)
    : handle_(memory.handle_),
      resource_(xenforeignmemory_map_resource(memory.handle_, domain, XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared, 0,
                                              1, &address_, PROT_READ | PROT_WRITE, 0))
{
    if (!resource_)
        throw system_error(fmt::format("mapping the grant table of domain {}", domain));
}

GrantTableMap::~GrantTableMap() { xenforeignmemory_unmap_resource(handle_, resource_); }

void GrantTableMap::permit(unsigned ref, DomainId user, Mfn frame)
{
    auto& entry = static_cast<grant_entry_v1_t*>(address_)[ref];
    entry.domid = user;
    entry.frame = static_cast<std::uint32_t>(frame);
    __atomic_store_n(&entry.flags, static_cast<std::uint16_t>(GTF_permit_access), __ATOMIC_RELEASE);
}

} // namespace tenon::tools
