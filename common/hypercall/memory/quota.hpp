// The one lock for what changes a domain's memory limit: an exchange holds both old and new frames for a moment.
#pragma once
#include <tenon/sync/spinlock.hpp>

namespace tenon::hypercall::memory {

extern SpinLock<Rank::domctl> quota_lock;

} // namespace tenon::hypercall::memory
