// Pending events, two-level ABI: a bit for each port in shared_info, a selector bit for each 64 of them in the vcpu_info that is
// notified. The latter may be in guest memory and is reached by mail only.
#include <tenon/domain/domain.hpp>
#include <tenon/time/guest_time.hpp>

namespace tenon {
namespace {

std::atomic_ref<u64> word_of(u64 (&words)[64], u32 port) { return std::atomic_ref(words[port / 64]); }

/// The flag last: who sees it finds what it is for.
void set_upcall(vcpu_info& info, u64 selector)
{
    std::atomic_ref(info.evtchn_pending_sel).fetch_or(selector);
    std::atomic_ref(info.evtchn_upcall_pending).store(1, std::memory_order_release);
}

void raise_selector(Domain& domain, const Channel& channel, u32 port)
{
    Vcpu* vcpu = domain.vcpu(channel.notify_vcpu.load(std::memory_order_relaxed));
    if (!vcpu)
        return;
    if (arch::is_loaded_here(*vcpu)) { // no need of mail
        set_upcall(*vcpu->info, bit(port / 64));
        if (vcpu->pause & (pause_blocked | pause_polling))
            resume_vcpu(*vcpu, pause_blocked | pause_polling);
        return;
    }
    vcpu->mail.selector.fetch_or(bit(port / 64)); // before the flag that announces it
    notify_vcpu(*vcpu, mail_upcall);
}

RARE_CALL void wake_pollers(Domain& domain, u32 port)
{
    domain.for_each_vcpu([&](Vcpu& vcpu) {
        u32 wanted = vcpu.poll_port.load(std::memory_order_relaxed);
        if (vcpu.pause & pause_polling && (wanted == 0 || wanted == port))
            resume_vcpu(vcpu, pause_polling);
    });
}

} // namespace

/// The domain has a shared page as long as it has channels.
[[gnu::always_inline]] static inline void mark_pending(Domain& domain, const Channel& channel, u32 port)
{
    shared_info* shared = domain.shared_page();
    const u64 mask = bit(port % 64);
    if (__atomic_fetch_or(&shared->evtchn_pending[port / 64], mask, __ATOMIC_SEQ_CST) & mask)
        return;
    if (!(__atomic_load_n(&shared->evtchn_mask[port / 64], __ATOMIC_SEQ_CST) >> port % 64 & 1))
        raise_selector(domain, channel, port);
    if (domain.events.pollers.load()) [[unlikely]] // sequentially consistent: pairs with poll()'s last look
        wake_pollers(domain, port);
}

void events::set_pending(Domain& domain, u32 port)
{
    if (Channel* channel = domain.events.find(port); channel && domain.shared_page())
        mark_pending(domain, *channel, port);
}

bool events::is_pending(const Domain& domain, u32 port)
{
    return word_of(domain.shared_page()->evtchn_pending, port).load() & bit(port % 64);
}

Status events::send(Domain& domain, u32 port)
{
    if (port >= domain.events.port_limit)
        return Error::inval;
    Channel& channel = domain.events.channels[port]; // stays; what it says needs the lock
    Guard guard(domain.events.lock);                 // keeps the link while the other end is notified
    if (channel.state == ChannelState::interdomain)
        set_pending(*channel.peer, channel.remote_port);
    else if (channel.state == ChannelState::ipi)
        mark_pending(domain, channel, port);
    else if (channel.state != ChannelState::unbound) // where nobody listens yet
        return Error::inval;
    return success;
}

Status events::unmask(Domain& domain, u32 port)
{
    Channel* channel = domain.events.find(port);
    if (!channel)
        return Error::inval;
    shared_info& shared = *domain.shared_page();
    bool was_masked = word_of(shared.evtchn_mask, port).fetch_and(~bit(port % 64)) & bit(port % 64);
    if (was_masked && is_pending(domain, port))
        raise_selector(domain, *channel, port);
    return success;
}

Status events::poll(Vcpu& vcpu, const u32* ports, unsigned count, u64 deadline)
{
    Domain& domain = vcpu.domain;
    for (unsigned i = 0; i < count; i++)
        if (ports[i] >= domain.events.port_limit)
            return Error::inval;
    if (vcpu.poll_timeout.armed() || deadline)
        timers::cancel(vcpu.poll_timeout); // of an earlier poll that ended otherwise
    vcpu.poll_port = count == 1 ? ports[0] : 0;
    domain.events.pollers++;
    vcpu.pause |= pause_polling; // from here on a sender sees us; what it set before, we see now
    bool wait = !(vcpu.mail.flags & (mail_upcall | mail_nmi)) && !(vcpu.info->evtchn_upcall_pending && !vcpu.info->evtchn_upcall_mask);
    for (unsigned i = 0; wait && i < count; i++)
        wait = !is_pending(domain, ports[i]);
    if (!wait || (deadline && deadline <= arch::now_ns())) {
        resume_vcpu(vcpu, pause_polling);
        return success;
    }
    if (deadline)
        timers::set(vcpu.poll_timeout, deadline, arch::this_cpu_id());
    return success;
}

void notify_vcpu(Vcpu& vcpu, u32 mail)
{
    u32 old = vcpu.mail.flags.fetch_or(mail); // sequentially consistent, as all that follows: pairs with the sleeper's last look
    if (mail & (mail_upcall | mail_nmi) && vcpu.pause & (pause_blocked | pause_polling))
        resume_vcpu(vcpu, pause_blocked | pause_polling);
    if ((old & mail) == mail || !vcpu.is_on_cpu)
        return; // announced before; or it sees the mail on its way into the guest
    CpuId cpu = vcpu.home();
    arch::mail_waiting(cpu).store(true);
    if (cpu != arch::this_cpu_id())
        arch::kick_cpu(cpu);
}

void deliver_mail(Vcpu& vcpu)
{
    u32 flags = vcpu.mail.flags.exchange(0, std::memory_order_acquire);
    if (flags & mail_upcall)
        if (u64 selector = vcpu.mail.selector.exchange(0, std::memory_order_acquire))
            set_upcall(*vcpu.info, selector);
    if (flags & mail_nmi)
        vcpu.arch.nmi_pending = true;
    if (flags & mail_time)
        guest_time::update_clock(vcpu);
    if (flags & mail_runstate)
        guest_time::update_runstate(vcpu);
}

} // namespace tenon
