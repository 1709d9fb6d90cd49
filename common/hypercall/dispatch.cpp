// What all calls share: the privilege check, how one is executed again, what is counted, and the log of what was refused.
#include <tenon/hypercall/arch_calls.hpp>
#include <tenon/hypercall/table.hpp>
#include <tenon/log.hpp>

namespace tenon {
namespace {

/// What was refused already: a bounded set, filled once and never emptied.
struct Refusals {
    static constexpr unsigned size = 256;
    std::atomic<u64> key[size]{};

    /// True the first time; also false when the set is full.
    bool insert(u64 wanted)
    {
        for (unsigned i = 0, at = unsigned(wanted * 0x9e3779b97f4a7c15 >> 56); i < size; i++, at = (at + 1) % size) {
            u64 seen = 0;
            if (key[at].compare_exchange_strong(seen, wanted, std::memory_order_relaxed))
                return true;
            if (seen == wanted)
                return false;
        }
        return false;
    }
};
constinit Refusals refusals;

} // namespace

Result<Privileged> PolicyCheck::control_domain(const Vcpu& caller)
{
    if (!caller.domain.is_privileged)
        return Error::perm;
    return Privileged{};
}

Result<DomainRef> target_of(const Call& call, u16 domid)
{
    if (domid != dom_self.raw() && domid != call.domain.id.raw())
        TRY(PolicyCheck::control_domain(call.vcpu));
    auto domain = domains::find_for(call.vcpu, DomainId{domid});
    if (!domain)
        return Error::srch;
    return domain;
}

u64 repeat_call(const Call& call)
{
    Call* into = std::exchange(call.vcpu.repeat_into, nullptr);
    if (!into)
        return arch::repeat_call(call);
    for (unsigned i = 0; i < std::size(call.args); i++)
        into->args[i] = call.args[i];
    return 0;
}

CallResult hypercall::unsupported(Call& call)
{
    note_refused(call, call.args[0] < 0x1000 ? u32(call.args[0]) : 0, Error::nosys); // else it is an address
    return Error::nosys;
}

void note_refused(const Call& call, u32 sub_operation, Error error)
{
    // A number out of range is one entry, so that probing cannot fill the set.
    u32 number = min(call.number, u32{ABI_HYPERCALL_COUNT});
    u32 sub = number == ABI_HYPERCALL_COUNT || sub_operation > 0xffff ? 0xffff : sub_operation;
    if (!refusals.insert(u64(number + 1) << 32 | u64(sub) << 16 | u64(error)))
        return;
    const CallRow* found = find_call(call.number);
    log_info("d%u: %s (%u) operation %u refused with error %d", call.domain.id.raw(), found ? found->name : "unknown hypercall",
             call.number, sub_operation, s32(error));
}

u64 call_counts::total(u32 number)
{
    u64 sum = 0;
    if (number < ABI_HYPERCALL_COUNT)
        for (DomainRef domain = domains::next(0); domain; domain = domains::next(domain->id.raw() + 1u))
            domain->for_each_vcpu([&](Vcpu& vcpu) { sum += vcpu.calls[number]; });
    return sum;
}

void call_counts::log_all()
{
    for (const CallRow& entry : call_table)
        if (u64 n = entry.enter ? total(entry.number) : 0)
            log_info("%s: %llu calls", entry.name, static_cast<unsigned long long>(n));
}

} // namespace tenon
