// What is rarely done to a grant entry.
#include "entry.hpp"

namespace tenon::grants {

s16 take_back(Domain& granter, u32 ref, bool write)
{
    unpin(granter, ref, write);
    return GNTST_general_error;
}

s16 swap_entries(Domain& domain, u32 a, u32 b)
{
    GrantTable& table = domain.grants;
    Guard guard(table.lock);
    if (!covers(table, a) || !covers(table, b))
        return GNTST_bad_gntref;
    if (a == b)
        return GNTST_okay;
    for (u32 ref : {a, b})
        if (active_at(table, ref).readers || active_at(table, ref).writers)
            return GNTST_eagain;
    u64 value = entry_at(table, a).load();
    entry_at(table, a).store(entry_at(table, b).exchange(value));
    return GNTST_okay;
}

} // namespace tenon::grants
