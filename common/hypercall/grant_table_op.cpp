// grant_table_op: batches of small operations, each with its own status. A batch that takes long goes on where it stopped:
// the list and the count move on.
#include "../grant/grant.hpp"
#include "argument.hpp"

namespace tenon::hypercall {
namespace {

/// Runs `each` on every element of the list, in pieces that fit on the stack; `after` ends a piece.
template <class Op, class Each, class After = decltype([] {})>
CallResult batch(Call& call, u64 list, u32 count, Each&& each, After&& after = {})
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
    return batch<gnttab_map_grant_ref>(call, list, count, [&](auto& op) { grants::map(call.vcpu, peers, op); });
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
    return batch<gnttab_copy>(call, list, count, [&](auto& op) { op.status = grants::copy(call.domain, peers, op); });
}

/// Pages change their owner by other means today.
CallResult refuse_transfers(Call& call, u64 list, u32 count)
{
    note_refused(call, GNTTABOP_transfer, Error::nosys);
    return batch<gnttab_transfer>(call, list, count, [](auto& op) { op.status = GNTST_general_error; });
}

s16 status_of(const Result<DomainRef>& domain)
{
    return domain.ok()                     ? GNTST_okay
           : domain.error() == Error::srch ? GNTST_bad_domain
           : domain.error() == Error::perm ? GNTST_permission_denied
                                           : GNTST_general_error;
}

/// An operation on the table of the domain it names, whose failure is a status: use(op, domain).
template <class T> Status on_table(Call& call, T& op, Status (*use)(T&, Domain&))
{
    auto domain = target_of(call, op.dom);
    op.status = status_of(domain);
    return domain.ok() ? use(op, **domain) : success;
}

Status setup_table(Call& call, gnttab_setup_table& argument)
{
    return on_table<gnttab_setup_table>(call, argument, [](auto& op, Domain& domain) -> Status {
        if (!grants::grow(domain, op.nr_frames).ok()) {
            op.status = GNTST_general_error;
            return success;
        }
        for (u32 i = 0; i < op.nr_frames; i++)
            TRY((GuestPtr<u64>(op.frame_list) + i).write(TRY(grants::shared_frame(domain, i)).raw()));
        return success;
    });
}

Status query_size(Call& call, gnttab_query_size& argument)
{
    return on_table<gnttab_query_size>(call, argument, [](auto& op, Domain& domain) -> Status {
        op.nr_frames = domain.grants.frame_count;
        op.max_nr_frames = domain.grants.max_frames;
        return success;
    });
}

/// Asked for version 2, a guest hears that it is not there and goes on with version 1.
CallResult set_version(Call& call, GuestPtr<gnttab_set_version> argument)
{
    auto op = TRY(argument.read());
    if (op.version != 1 && op.version != 2)
        return Error::inval;
    TRY(argument.write({1}));
    return op.version == 1 ? CallResult(0) : refuse(call, GNTTABOP_set_version, Error::nosys);
}

Status get_version(Call& call, gnttab_get_version& op)
{
    TRY(target_of(call, op.dom));
    op.version = 1;
    return success;
}

} // namespace

CallResult grant_table_op(Call& call, u32 command, u64 operations, u32 count)
{
    bool is_single = command == GNTTABOP_setup_table || command == GNTTABOP_query_size;
    if (s32(count) < 0 || (is_single && count != 1))
        return Error::inval;
    switch (command) {
    case GNTTABOP_map_grant_ref: return map(call, operations, count);
    case GNTTABOP_unmap_grant_ref: return unmap(call, operations, count);
    case GNTTABOP_copy: return copy(call, operations, count);
    case GNTTABOP_setup_table: return done(with_argument(setup_table, call, operations));
    case GNTTABOP_query_size: return done(with_argument(query_size, call, operations));
    case GNTTABOP_set_version: return set_version(call, GuestPtr<gnttab_set_version>(operations));
    case GNTTABOP_get_version: return done(with_argument(get_version, call, operations));
    case GNTTABOP_swap_grant_ref:
        return batch<gnttab_swap_grant_ref>(call, operations, count,
                                            [&](auto& op) { op.status = grants::swap_entries(call.domain, op.ref_a, op.ref_b); });
    case GNTTABOP_transfer: return refuse_transfers(call, operations, count);
    default: return refuse(call, command, Error::nosys);
    }
}

} // namespace tenon::hypercall
