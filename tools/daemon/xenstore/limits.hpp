// What one unprivileged domain may use of xenstore. The control domain has no limits.
#pragma once

#include <cstddef>

namespace tenon::tools::xenstore {

struct Limits {
    unsigned nodes = 1000;               ///< owned by the domain; beyond: ENOSPC
    unsigned watches = 128;              ///< beyond: E2BIG
    unsigned transactions = 10;          ///< open at a time; beyond: ENOSPC
    unsigned transaction_ops = 1024;     ///< changes in one transaction; beyond: ENOSPC
    std::size_t entry_size = 2048;       ///< value and permissions of one node; beyond: ENOSPC
    std::size_t permissions = 5;         ///< entries in one node's list; beyond: ENOSPC
    std::size_t pending_bytes = 1 << 20; ///< not yet taken replies and events; beyond: events are dropped
};

} // namespace tenon::tools::xenstore
