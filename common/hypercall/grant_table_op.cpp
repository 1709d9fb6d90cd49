// grant_table_op: batches of small operations, each with its own status. A batch that takes long goes on where it stopped:
// the list and the count move on.
#include "../grant/grant.hpp"
#include "argument.hpp"

namespace tenon::hypercall {
namespace {

constexpr u32 piece = 32; ///< operations between two looks at the clock

/// What a list says: how many of it are left when time is up, or a negative error. One register, so that a call with a list of one goes
/// straight to the function.
using Left = s64;
constexpr Left bad_pointer = -s64(Error::fault);

template <class Op> Status read(GuestPtr<Op> at, Op& op) { return at.read_to(op); }
template <> [[gnu::always_inline]] inline Status read(GuestPtr<gnttab_map_grant_ref> at, gnttab_map_grant_ref& op)
{
    using Op = gnttab_map_grant_ref;
    return at.read_members<&Op::host_addr, &Op::flags, &Op::ref, &Op::dom>(op);
}
template <> [[gnu::always_inline]] inline Status read(GuestPtr<gnttab_unmap_grant_ref> at, gnttab_unmap_grant_ref& op)
{
    using Op = gnttab_unmap_grant_ref;
    return at.read_members<&Op::host_addr, &Op::dev_bus_addr, &Op::handle>(op);
}

/// Runs each(place, copy of the operation) on every element of the list.
template <class Op, class Each> [[gnu::always_inline]] inline Left for_each(u64 list, u32 count, Each&& each)
{
    for (GuestPtr<Op> at(list); count; at = at + 1) {
        Op op;
        if (!read(at, op) || !each(at, op)) [[unlikely]]
            return bad_pointer;
        if (!--count)
            break;
        if (count % piece == 0 && arch::should_yield())
            return count;
    }
    return 0;
}

/// The rest of a list is for the next time.
template <class Op> CallResult finish(Call& call, Left left)
{
    if (left <= 0)
        return left ? CallResult(Error(-left)) : CallResult(0);
    call.args[1] = (GuestPtr<Op>(call.args[1]) + (u32(call.args[2]) - u32(left))).va().raw();
    return call.restart_with(2, u64(left));
}

// The parameters are those of the hypercall's entry, and stay in their registers.
#ifdef __clang__
#define LIST_CALL [[gnu::noinline]]
#else
#define LIST_CALL [[gnu::noipa]] __attribute__((no_stack_protector))
#endif

LIST_CALL Left map(u64, u64 list, u32 count, Vcpu& vcpu)
{
    using Op = gnttab_map_grant_ref;
    grants::PeerCache peers(vcpu.domain);
    return for_each<Op>(list, count, [&](GuestPtr<Op> at, const Op& op) -> Status {
        const grants::Mapping made = grants::map(vcpu, peers, op);
        if (made.status == GNTST_okay) [[likely]] {
            TRY(at.update(&Op::handle, made.handle));
            TRY(at.update(&Op::dev_bus_addr, base_of(made.mfn).raw()));
        }
        return at.update(&Op::status, made.status);
    });
}

LIST_CALL Left unmap(u64, u64 list, u32 count, Vcpu& vcpu)
{
    using Op = gnttab_unmap_grant_ref;
    if (!count)
        return 0;
    grants::Unmapping ended(vcpu);
    for (GuestPtr<Op> at(list);; at = at + 1) {
        Op op;
        const bool good = read(at, op).ok() && at.update(&Op::status, ended.clear(op)).ok();
        if (--count % piece && good)
            continue;
        ended.finish();
        if (!good) [[unlikely]]
            return bad_pointer;
        if (!count || arch::should_yield())
            return count;
    }
}

LIST_CALL Left copy(u64, u64 list, u32 count, Vcpu& vcpu)
{
    using Op = gnttab_copy;
    grants::PeerCache peers(vcpu.domain);
    return for_each<Op>(list, count,
                        [&](GuestPtr<Op> at, const Op& op) { return at.update(&Op::status, grants::copy(vcpu.domain, peers, op)); });
}

/// The same for what is rare.
template <class Op, class Each> CallResult run_list(Call& call, Each&& each)
{
    return finish<Op>(call, for_each<Op>(call.args[1], u32(call.args[2]), each));
}

/// The domain that an operation names. When there is none, its status says why.
template <class T> DomainRef find_granter(Call& call, T& op)
{
    auto domain = target_of(call, op.dom);
    op.status = domain.ok() ? GNTST_okay : domain.error() == Error::srch ? GNTST_bad_domain : GNTST_permission_denied;
    return domain.ok() ? std::move(*domain) : DomainRef{};
}

Status setup_table(Call& call, gnttab_setup_table& op)
{
    DomainRef domain = find_granter(call, op);
    if (domain && !grants::grow(*domain, op.nr_frames).ok())
        op.status = GNTST_general_error;
    for (u32 i = 0; op.status == GNTST_okay && i < op.nr_frames; i++)
        TRY((GuestPtr<u64>(op.frame_list) + i).write(TRY(grants::shared_frame(*domain, i)).raw()));
    return success;
}

Status query_size(Call& call, gnttab_query_size& op)
{
    if (DomainRef domain = find_granter(call, op)) {
        op.nr_frames = domain->grants.frame_count;
        op.max_nr_frames = domain->grants.max_frames;
    }
    return success;
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
    case GNTTABOP_map_grant_ref: return finish<gnttab_map_grant_ref>(call, map(command, operations, count, call.vcpu));
    case GNTTABOP_unmap_grant_ref: return finish<gnttab_unmap_grant_ref>(call, unmap(command, operations, count, call.vcpu));
    case GNTTABOP_copy: return finish<gnttab_copy>(call, copy(command, operations, count, call.vcpu));
    case GNTTABOP_setup_table: return done(with_argument(setup_table, call, operations));
    case GNTTABOP_query_size: return done(with_argument(query_size, call, operations));
    case GNTTABOP_set_version: return set_version(call, GuestPtr<gnttab_set_version>(operations));
    case GNTTABOP_get_version: return done(with_argument(get_version, call, operations));
    case GNTTABOP_swap_grant_ref:
        return run_list<gnttab_swap_grant_ref>(call, [&](auto at, const auto& op) {
            return at.update(&gnttab_swap_grant_ref::status, grants::swap_entries(call.domain, op.ref_a, op.ref_b));
        });
    case GNTTABOP_transfer: // pages change their owner by other means today
        note_refused(call, command, Error::nosys);
        return run_list<gnttab_transfer>(call,
                                         [](auto at, const auto&) { return at.update(&gnttab_transfer::status, GNTST_general_error); });
    default: return refuse(call, command, Error::nosys);
    }
}

/// A list of one, which never stops half-way.
u64 enter_grant_table_op(u64 command, u64 list, u64 count, Vcpu& vcpu, u64 arg4, u64 arg3)
{
    if (u32(count) == 1) [[likely]]
        switch (u32(command)) {
        case GNTTABOP_map_grant_ref: return u64(map(command, list, u32(count), vcpu));
        case GNTTABOP_unmap_grant_ref: return u64(unmap(command, list, u32(count), vcpu));
        case GNTTABOP_copy: return u64(copy(command, list, u32(count), vcpu));
        }
    return enter_call<grant_table_op, __HYPERVISOR_grant_table_op>(command, list, count, vcpu, arg4, arg3);
}

} // namespace tenon::hypercall
