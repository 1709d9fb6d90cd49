// grant_table_op: batches of small operations, each with its own status. A batch that takes long goes on where it stopped:
// the list and the count move on.
#include "../grant/grant.hpp"
#include <tenon/hypercall/table.hpp>

namespace tenon::hypercall {
namespace {

/// Runs `each` on every element of the list, in pieces that fit on the stack; `after` ends a piece.
template <class Op, class Each, class After> CallResult batch(Call& call, u64 list, u32 count, Each&& each, After&& after)
{
    constexpr u32 piece = 32;
    Op ops[piece];
    GuestPtr<Op> at(list);
    while (count) {
        u32 n = min(count, piece);
        TRY(at.read_array(ops, n));
        for (u32 i = 0; i < n; i++)
            each(ops[i]);
        after();
        TRY(at.write_array(ops, n));
        at = at + n;
        count -= n;
        if (count && arch::should_yield()) {
            call.args[1] = at.va().raw();
            return call.restart_with(2, count);
        }
    }
    return s64{0};
}

CallResult map(Call& call, u64 list, u32 count)
{
    grants::PeerCache peers(call.domain);
    return batch<gnttab_map_grant_ref>(call, list, count, [&](auto& op) { grants::map(call.vcpu, peers, op); }, [] {});
}

CallResult unmap(Call& call, u64 list, u32 count)
{
    grants::Unmap pending[32];
    unsigned n = 0;
    auto start = [&](auto& op) { pending[n++] = grants::start_unmap(call.vcpu, op); };
    auto finish = [&] {
        arch::flush_after_unmap(call.vcpu); // once for all of them, before any granter believes that it is over
        for (unsigned i = 0; i < n; i++)
            grants::finish_unmap(call.domain, pending[i]);
        n = 0;
    };
    return batch<gnttab_unmap_grant_ref>(call, list, count, start, finish);
}

CallResult copy(Call& call, u64 list, u32 count)
{
    grants::PeerCache peers(call.domain);
    return batch<gnttab_copy>(call, list, count, [&](auto& op) { op.status = grants::copy(call.domain, peers, op); }, [] {});
}

/// What a domain may not do, or we do not have, is an operation's status, too.
template <class Op> CallResult refuse_all(Call& call, u32 command, u64 list, u32 count, s16 status)
{
    note_refused(call, command, Error::nosys);
    return batch<Op>(call, list, count, [=](Op& op) { op.status = status; }, [] {});
}

s16 status_of(Error error)
{
    return error == Error::srch ? GNTST_bad_domain : error == Error::perm ? GNTST_permission_denied : GNTST_general_error;
}

CallResult setup_table(Call& call, GuestPtr<gnttab_setup_table> argument)
{
    auto op = TRY(argument.read());
    auto domain = target_of(call, op.dom);
    op.status = domain.ok() ? GNTST_okay : status_of(domain.error());
    if (domain.ok() && !grants::grow(**domain, op.nr_frames).ok())
        op.status = GNTST_general_error;
    for (u32 i = 0; op.status == GNTST_okay && i < op.nr_frames; i++) {
        u64 mfn = TRY(grants::shared_frame(**domain, i)).raw();
        TRY((GuestPtr<u64>(op.frame_list) + i).write(mfn));
    }
    TRY(argument.write(op));
    return s64{0};
}

CallResult query_size(Call& call, GuestPtr<gnttab_query_size> argument)
{
    auto op = TRY(argument.read());
    auto domain = target_of(call, op.dom);
    op.status = domain.ok() ? GNTST_okay : status_of(domain.error());
    if (domain.ok()) {
        op.nr_frames = (*domain)->grants.frame_count;
        op.max_nr_frames = (*domain)->grants.max_frames;
    }
    TRY(argument.write(op));
    return s64{0};
}

CallResult set_version(Call& call, GuestPtr<gnttab_set_version> argument)
{
    auto op = TRY(argument.read());
    if (op.version != 1 && op.version != 2)
        return Error::inval;
    bool known = op.version == 1;
    op.version = 1;
    TRY(argument.write(op));
    if (known)
        return s64{0};
    note_refused(call, GNTTABOP_set_version, Error::nosys);
    return Error::nosys; // guests go on with version 1
}

CallResult get_version(Call& call, GuestPtr<gnttab_get_version> argument)
{
    auto op = TRY(argument.read());
    TRY(target_of(call, op.dom));
    op.version = 1;
    TRY(argument.write(op));
    return s64{0};
}

} // namespace

CallResult grant_table_op(Call& call, u32 command, u64 operations, u32 count)
{
    if (s32(count) < 0)
        return Error::inval;
    bool single = count == 1;
    switch (command) {
    case GNTTABOP_map_grant_ref: return map(call, operations, count);
    case GNTTABOP_unmap_grant_ref: return unmap(call, operations, count);
    case GNTTABOP_copy: return copy(call, operations, count);
    case GNTTABOP_setup_table:
        return single ? setup_table(call, GuestPtr<gnttab_setup_table>(operations)) : CallResult(Error::inval);
    case GNTTABOP_query_size:
        return single ? query_size(call, GuestPtr<gnttab_query_size>(operations)) : CallResult(Error::inval);
    case GNTTABOP_set_version: return set_version(call, GuestPtr<gnttab_set_version>(operations));
    case GNTTABOP_get_version: return get_version(call, GuestPtr<gnttab_get_version>(operations));
    case GNTTABOP_swap_grant_ref:
        return batch<gnttab_swap_grant_ref>(
            call, operations, count, [&](auto& op) { op.status = grants::swap_entries(call.domain, op.ref_a, op.ref_b); }, [] {});
    case GNTTABOP_unmap_and_replace:
        return refuse_all<gnttab_unmap_and_replace>(call, command, operations, count, GNTST_general_error);
    case GNTTABOP_transfer:
        return refuse_all<gnttab_transfer>(call, command, operations, count, GNTST_general_error);
    case GNTTABOP_get_status_frames: // version 2 only
        return refuse_all<gnttab_get_status_frames>(call, command, operations, count, GNTST_general_error);
    default:
        note_refused(call, command, Error::nosys);
        return Error::nosys;
    }
}

} // namespace tenon::hypercall
