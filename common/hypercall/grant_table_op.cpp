// grant_table_op: batches of small operations, each with its own status. A batch that takes long goes on where it stopped:
// the list and the count move on.
#include "../grant/grant.hpp"
#include "argument.hpp"

namespace tenon::hypercall {
namespace {

constexpr u32 piece = 32; ///< operations between two looks at the clock

/// The rest of a list, from `at` on, is for the next time.
template <class Op> Error go_on_at(Call& call, GuestPtr<Op> at, u32 left)
{
    call.args[1] = at.va().raw();
    return call.restart_with(2, left);
}

/// Runs `each` on every element of the list.
template <class Op, class Each> CallResult for_each(Call& call, u64 list, u32 count, Each&& each)
{
    GuestPtr<Op> at(list);
    for (u32 done = 0; done < count; done++, at = at + 1) {
        if (done && done % piece == 0 && arch::should_yield())
            return go_on_at(call, at, count - done);
        Op op;
        TRY(at.read_to(op));
        each(op);
        TRY(at.write(op));
    }
    return s64{0};
}

CallResult map(Call& call, u64 list, u32 count)
{
    grants::PeerCache peers(call.domain);
    return for_each<gnttab_map_grant_ref>(call, list, count, [&](auto& op) { grants::map(call.vcpu, peers, op); });
}

/// What a piece of the list unmapped: no granter believes that it is over before all TLBs know.
class Unmapped : Pinned {
public:
    explicit Unmapped(Vcpu& vcpu) : vcpu_(vcpu) {}
    ~Unmapped()
    {
        if (!count_)
            return;
        arch::flush_after_unmap(vcpu_); // once for all of them
        for (u32 i = 0; i < count_; i++)
            grants::finish_unmap(vcpu_.domain, list_[i]);
    }
    void add(const grants::Unmap& unmap) { list_[count_++] = unmap; }

private:
    Vcpu& vcpu_;
    u32 count_ = 0;
    union {
        grants::Unmap list_[piece]; ///< only the first count_ are there
    };
};

CallResult unmap(Call& call, u64 list, u32 count)
{
    GuestPtr<gnttab_unmap_grant_ref> at(list);
    while (count) {
        const u32 n = min(count, piece);
        gnttab_unmap_grant_ref ops[piece];
        for (u32 i = 0; i < n; i++)
            TRY((at + i).read_to(ops[i]));
        {
            Unmapped unmapped(call.vcpu);
            for (u32 i = 0; i < n; i++)
                unmapped.add(grants::start_unmap(call.vcpu, ops[i]));
        }
        for (u32 i = 0; i < n; i++)
            TRY((at + i).write(ops[i]));
        at = at + n;
        count -= n;
        if (count && arch::should_yield())
            return go_on_at(call, at, count);
    }
    return s64{0};
}

CallResult copy(Call& call, u64 list, u32 count)
{
    grants::PeerCache peers(call.domain);
    return for_each<gnttab_copy>(call, list, count, [&](auto& op) { op.status = grants::copy(call.domain, peers, op); });
}

/// Pages change their owner by other means today.
CallResult refuse_transfers(Call& call, u64 list, u32 count)
{
    note_refused(call, GNTTABOP_transfer, Error::nosys);
    return for_each<gnttab_transfer>(call, list, count, [](auto& op) { op.status = GNTST_general_error; });
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
        return for_each<gnttab_swap_grant_ref>(call, operations, count,
                                               [&](auto& op) { op.status = grants::swap_entries(call.domain, op.ref_a, op.ref_b); });
    case GNTTABOP_transfer: return refuse_transfers(call, operations, count);
    default: return refuse(call, command, Error::nosys);
    }
}

} // namespace tenon::hypercall
