// Between the files of this folder: ids, the last reference, the end of a vCPU.
#pragma once
#include <tenon/domain/domain.hpp>

namespace tenon::domains {

/// Puts a domain without references into the table, and chooses its id when that is dom_invalid. Error::exist when it is taken.
Status enter(Domain& domain);
/// Drops a reference; with any lock held. The domain is freed later, by reap().
void put(Domain& domain);

Status create_vcpu(Domain& domain, u32 id);
/// The vCPU is on no CPU, its timers were stopped, and its domain has no references.
void destroy_vcpu(Vcpu& vcpu);

/// One less of what keeps a domain: its frames, and that it is not destroyed.
void drop_holding(Domain& domain);
/// The last step of its end.
Status give_back_all(Domain& domain);

} // namespace tenon::domains
