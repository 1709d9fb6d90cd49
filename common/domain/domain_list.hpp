// Between the files of this folder: ids, the last reference, the end of a vCPU.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::domains {

/// Makes room for the id in the table; false without memory.
bool prepare_slot(u32 id);
bool is_free(DomainId id);
/// The next id after the last one that was used; dom_invalid when all are.
DomainId choose_id();
/// False when the id is taken.
bool insert(Domain& domain);
/// Drops a reference; with any lock held. The domain is freed later, by reap().
void put(Domain& domain);

Status create_vcpu(Domain& domain, u32 id);
/// The vCPU is on no CPU and its domain has no references.
void destroy_vcpu(Vcpu& vcpu);

} // namespace tenon::domains
