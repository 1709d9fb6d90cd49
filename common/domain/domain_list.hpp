// Between the files of this folder: ids, the last reference, the end of a vCPU.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::domains {

/// Puts a domain without references into the table, and chooses its id when that is dom_invalid. Error::exist when it is taken.
Status enter(Domain& domain);
/// Drops a reference; with any lock held. The domain is freed later, by reap().
void put(Domain& domain);

Status create_vcpu(Domain& domain, u32 id);
/// The vCPU is on no CPU and its domain has no references.
void destroy_vcpu(Vcpu& vcpu);

/// Steps of the end of a domain.
void release_memory_claim(Domain& domain);
Status give_back_all(Domain& domain);

} // namespace tenon::domains
