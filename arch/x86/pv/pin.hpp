// Pins and base pointers, for mmuext_op, contexts, domain building and destruction. The tables' domain's mm_lock is held.
#pragma once
#include "types.hpp"

namespace tenon::x86::pv {

Status pin(Domain& domain, Mfn mfn, unsigned level);
Status unpin(Domain& domain, Mfn mfn);
/// All pins of a domain that dies, and tables that nobody finished. Error::restart: call again.
Status drop_pins(Domain& domain);
/// Replaces a vCPU's kernel or user table (invalid_mfn: none); a release that cannot end now is deferred.
Status set_base(Vcpu& vcpu, Mfn& slot, Mfn mfn);

} // namespace tenon::x86::pv
