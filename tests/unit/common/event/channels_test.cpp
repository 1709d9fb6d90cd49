// Event channels: what binds, what is refused, what arrives; and that links stay symmetrical whatever is done to them.
#include <fake/world.hpp>
#include <random>
#include <tenon/event/channels.hpp>
#include <thread>

using namespace tenon;
using fake::World;

namespace {

struct Events : testing::Test {
    World world{2};
    DomainRef dom0 = world.start(2, 0, true), guest = world.start(2, 5);
    Vcpu& vcpu0 = *dom0->vcpu(0);

    static void mask(Domain& d, u32 port) { d.shared_page()->evtchn_mask[port / 64] |= bit(port % 64); }
    static bool selected(Vcpu& v, u32 port) { return v.mail.selector >> (port / 64) & 1; }
    std::pair<u32, u32> connect()
    {
        u32 theirs = *events::alloc_unbound(*guest, dom0->id);
        return {*events::bind_interdomain(*dom0, *guest, theirs), theirs};
    }
};

TEST_F(Events, PortsAscendFromOneAndAreUsedAgain)
{
    EXPECT_EQ(*events::alloc_unbound(*dom0, guest->id), 1u);
    EXPECT_EQ(*events::alloc_unbound(*dom0, guest->id), 2u);
    EXPECT_EQ(*events::bind_ipi(*dom0, 1), 3u);
    EXPECT_TRUE(events::close(*dom0, 2).ok());
    EXPECT_EQ(*events::bind_virq(*dom0, VIRQ_TIMER, 0), 2u);
    EXPECT_EQ(fake::ports_in_use(*dom0), 3u);
    EXPECT_EQ(events::close(*dom0, 0).error(), Error::inval);
    EXPECT_EQ(events::close(*dom0, 4).error(), Error::inval);
    EXPECT_EQ(events::close(*dom0, 5000).error(), Error::inval);
}

TEST_F(Events, HaveALimit)
{
    guest->events.port_limit = 200;
    for (u32 i = 1; i < 200; i++)
        EXPECT_EQ(*events::alloc_unbound(*guest, dom0->id), i);
    EXPECT_EQ(events::alloc_unbound(*guest, dom0->id).error(), Error::nospc);
}

TEST_F(Events, ConnectTwoDomains)
{
    auto [ours, theirs] = connect();
    EXPECT_TRUE(events::is_pending(*dom0, ours)) << "so that nothing sent before is lost";
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_TRUE(events::is_pending(*guest, theirs));
    EXPECT_TRUE(selected(*guest->vcpu(0), theirs));
    EXPECT_TRUE(guest->vcpu(0)->mail.flags & mail_upcall);
    EXPECT_TRUE(events::close(*guest, theirs).ok());
    EXPECT_FALSE(events::is_pending(*guest, theirs));
    EXPECT_EQ(dom0->events.find(ours)->state, ChannelState::unbound);
    EXPECT_TRUE(events::send(*dom0, ours).ok()) << "nobody listens, which is no error";
    u32 again = *events::bind_interdomain(*guest, *dom0, ours);
    EXPECT_TRUE(events::send(*guest, again).ok());
}

TEST_F(Events, RefuseWrongPeers)
{
    auto other = world.start(1);
    u32 port = *events::alloc_unbound(*guest, dom0->id);
    EXPECT_EQ(events::bind_interdomain(*other, *guest, port).error(), Error::inval) << "meant for another domain";
    EXPECT_EQ(events::bind_interdomain(*dom0, *guest, port + 1).error(), Error::inval);
    EXPECT_EQ(events::bind_interdomain(*dom0, *guest, 4095).error(), Error::inval);
    EXPECT_EQ(fake::ports_in_use(*other), 0u);
    EXPECT_TRUE(events::bind_interdomain(*dom0, *guest, port).ok());
    EXPECT_EQ(events::bind_interdomain(*dom0, *guest, port).error(), Error::inval) << "taken";
    EXPECT_EQ(fake::ports_in_use(*dom0), 1u);
}

TEST_F(Events, ConnectADomainToItself)
{
    u32 a = *events::alloc_unbound(*dom0, dom0->id), b = *events::bind_interdomain(*dom0, *dom0, a);
    EXPECT_TRUE(events::send(*dom0, b).ok());
    EXPECT_TRUE(events::is_pending(*dom0, a));
    EXPECT_TRUE(events::close(*dom0, a).ok());
    EXPECT_EQ(dom0->events.find(b)->state, ChannelState::unbound);
}

TEST_F(Events, AMaskedPortIsPendingOnly)
{
    auto [ours, theirs] = connect();
    mask(*guest, theirs);
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_TRUE(events::is_pending(*guest, theirs));
    EXPECT_EQ(guest->vcpu(0)->mail.selector, 0u);
    EXPECT_TRUE(events::unmask(*guest, theirs).ok());
    EXPECT_TRUE(selected(*guest->vcpu(0), theirs));
}

TEST_F(Events, GoToTheVcpuTheyAreBoundTo)
{
    auto [ours, theirs] = connect();
    EXPECT_TRUE(events::bind_vcpu(*guest, theirs, 1).ok());
    EXPECT_EQ(events::bind_vcpu(*guest, theirs, 2).error(), Error::noent);
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_TRUE(selected(*guest->vcpu(1), theirs));
    EXPECT_FALSE(selected(*guest->vcpu(0), theirs));
    u32 ipi = *events::bind_ipi(*guest, 1);
    EXPECT_EQ(events::bind_vcpu(*guest, ipi, 0).error(), Error::inval);
    u32 timer = *events::bind_virq(*guest, VIRQ_TIMER, 1);
    EXPECT_EQ(events::bind_vcpu(*guest, timer, 0).error(), Error::inval) << "belongs to its vCPU";
}

TEST_F(Events, BindEachVirqOnce)
{
    u32 timer = *events::bind_virq(*guest, VIRQ_TIMER, 1);
    EXPECT_EQ(events::bind_virq(*guest, VIRQ_TIMER, 1).error(), Error::exist);
    EXPECT_TRUE(events::bind_virq(*guest, VIRQ_TIMER, 0).ok());
    EXPECT_EQ(events::bind_virq(*guest, VIRQ_DOM_EXC, 1).error(), Error::inval) << "global ones start on vCPU 0";
    EXPECT_TRUE(events::bind_virq(*guest, VIRQ_DOM_EXC, 0).ok());
    EXPECT_EQ(events::bind_virq(*guest, VIRQ_DOM_EXC, 0).error(), Error::exist);
    EXPECT_EQ(events::bind_virq(*guest, NR_VIRQS, 0).error(), Error::inval);
    EXPECT_EQ(events::bind_virq(*guest, VIRQ_TIMER, 7).error(), Error::noent);
    events::send_vcpu_virq(*guest->vcpu(1), VIRQ_TIMER);
    EXPECT_TRUE(events::is_pending(*guest, timer));
    EXPECT_TRUE(events::close(*guest, timer).ok());
    EXPECT_TRUE(events::bind_virq(*guest, VIRQ_TIMER, 1).ok());
}

TEST_F(Events, GlobalVirqsGoToTheirHandler)
{
    u32 here = *events::bind_virq(*dom0, VIRQ_DOM_EXC, 0), there = *events::bind_virq(*guest, VIRQ_DOM_EXC, 0);
    events::send_global_virq(VIRQ_DOM_EXC);
    EXPECT_TRUE(events::is_pending(*dom0, here));
    EXPECT_FALSE(events::is_pending(*guest, there));
    EXPECT_TRUE(events::set_global_virq_handler(VIRQ_DOM_EXC, guest->id).ok());
    events::send_global_virq(VIRQ_DOM_EXC);
    EXPECT_TRUE(events::is_pending(*guest, there));
    EXPECT_EQ(events::set_global_virq_handler(VIRQ_TIMER, guest->id).error(), Error::inval);
    EXPECT_EQ(events::set_global_virq_handler(VIRQ_DOM_EXC, DomainId{99}).error(), Error::srch);
    World::finish(*guest);
    events::send_global_virq(VIRQ_DOM_EXC); // back to dom0
    EXPECT_FALSE(events::bind_virq(*dom0, VIRQ_DOM_EXC, 0).ok());
}

TEST_F(Events, MailReachesVcpuInfo)
{
    auto [ours, theirs] = connect();
    Vcpu& v = *guest->vcpu(0);
    v.mail.flags = 0;
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_EQ(v.info->evtchn_upcall_pending, 0) << "not from outside of its domain";
    v.mail.flags |= mail_nmi | mail_time;
    fake::set_time(777);
    deliver_mail(v);
    EXPECT_EQ(v.info->evtchn_upcall_pending, 1);
    EXPECT_EQ(v.info->evtchn_pending_sel, bit(theirs / 64));
    EXPECT_TRUE(v.arch.nmi_pending);
    EXPECT_EQ(v.info->time.system_time, 777u);
    EXPECT_NE(v.info->time.tsc_to_system_mul, 0u);
    EXPECT_EQ(v.info->time.version % 2, 0u);
    EXPECT_EQ(v.mail.flags, 0u);
}

TEST_F(Events, InterruptARunningVcpuOnce)
{
    auto [ours, theirs] = connect();
    Vcpu& target = *guest->vcpu(0);
    World::settle();
    CpuSet one, two;
    one.set(0), two.set(1);
    for (auto* d : {&*dom0, &*guest})
        d->for_each_vcpu([&](Vcpu& v) { EXPECT_TRUE(scheduler::set_affinity(v, d == &*dom0 ? one : two).ok()); });
    pause_vcpu_async(*guest->vcpu(1), pause_blocked);
    World::settle();
    ASSERT_TRUE(target.is_on_cpu);
    target.mail.flags = 0;
    World::on_cpu(0);
    u64 before = fake::kicks(CpuId{1});
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_EQ(fake::kicks(CpuId{1}), before + 1);
    guest->shared_page()->evtchn_pending[theirs / 64] = 0;
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_EQ(fake::kicks(CpuId{1}), before + 1) << "it was told already";
}

TEST_F(Events, PollWakesByPortEvenWhenMasked)
{
    auto [ours, theirs] = connect();
    u32 other = *events::alloc_unbound(*guest, dom0->id), other_end = *events::bind_interdomain(*dom0, *guest, other);
    mask(*guest, theirs), mask(*guest, other);
    Vcpu& v = *guest->vcpu(0);
    v.mail.flags = 0;
    u32 ports[] = {theirs, other};
    EXPECT_TRUE(events::poll(v, ports, 1, 0).ok());
    EXPECT_EQ(v.pause, pause_polling);
    EXPECT_TRUE(events::send(*dom0, other_end).ok());
    EXPECT_EQ(v.pause, pause_polling) << "not the one it waits for";
    EXPECT_TRUE(events::send(*dom0, ours).ok());
    EXPECT_EQ(v.pause, 0u);
    EXPECT_TRUE(events::poll(v, ports, 1, 0).ok());
    EXPECT_EQ(v.pause, 0u) << "already pending";
    EXPECT_EQ(guest->events.pollers, 0u);

    guest->shared_page()->evtchn_pending[0] = 0;
    EXPECT_TRUE(events::poll(v, ports, 2, 5000).ok());
    EXPECT_EQ(v.pause, pause_polling);
    fake::set_time(5001);
    World::settle();
    EXPECT_EQ(v.pause, 0u) << "the time is over";
    u32 wrong = 4096;
    EXPECT_EQ(events::poll(v, &wrong, 1, 0).error(), Error::inval);
}

/// Every link points back, and nothing else is connected.
void check_links(std::initializer_list<Domain*> all)
{
    for (Domain* d : all)
        for (u32 port = 1; port < EventChannels::max_ports; port++) {
            Channel* c = d->events.find(port);
            if (!c)
                continue;
            ASSERT_NE(c->state, ChannelState::reserved);
            if (c->state != ChannelState::interdomain) {
                ASSERT_EQ(c->peer, nullptr);
                continue;
            }
            Channel* back = c->peer->events.find(c->remote_port);
            ASSERT_TRUE(back && back->state == ChannelState::interdomain);
            ASSERT_TRUE(back->peer == d && back->remote_port == port);
        }
}

void random_step(std::mt19937& random, Domain& a, Domain& b)
{
    u32 port = 1 + random() % 24;
    switch (random() % 10) {
    case 0: (void)events::alloc_unbound(a, b.id); break;
    case 1: (void)events::alloc_unbound(a, a.id); break;
    case 2:
    case 3: (void)events::bind_interdomain(a, b, port); break;
    case 4: (void)events::close(a, port); break;
    case 5: (void)events::bind_virq(a, random() % 26, random() % 3); break;
    case 6: (void)events::bind_ipi(a, random() % 3); break;
    case 7: (void)events::bind_vcpu(a, port, random() % 3); break;
    case 8: (void)events::unmask(a, port); break;
    default: (void)events::send(a, port); break;
    }
}

TEST_F(Events, LinksStaySymmetrical)
{
    auto third = world.start(1);
    Domain* all[] = {&*dom0, &*guest, &*third};
    for (Domain* d : all)
        d->events.port_limit = 25;
    std::mt19937 random(11);
    for (unsigned i = 0; i < 30000; i++) {
        random_step(random, *all[random() % 3], *all[random() % 3]);
        if (i % 16 == 0)
            check_links({all[0], all[1], all[2]});
        if (i % 1000 == 999) {
            EXPECT_TRUE(events::close_all(*all[random() % 3]).ok());
        }
    }
    for (Domain* d : all) {
        EXPECT_TRUE(events::close_all(*d).ok());
        EXPECT_EQ(fake::ports_in_use(*d), 0u);
    }
}

TEST_F(Events, LinksStaySymmetricalWhenCpusRace)
{
    fake::on_spin(std::this_thread::yield);
    Domain* all[] = {&*dom0, &*guest};
    for (Domain* d : all)
        d->events.port_limit = 25;
    for (unsigned round = 0; round < 5; round++) {
        std::thread threads[2];
        for (unsigned t = 0; t < 2; t++)
            threads[t] = std::thread([&, t] {
                World::on_cpu(t);
                std::mt19937 random(round * 2 + t);
                for (unsigned i = 0; i < 20000; i++)
                    random_step(random, *all[random() % 2], *all[random() % 2]);
            });
        for (auto& thread : threads)
            thread.join();
        check_links({all[0], all[1]});
    }
    fake::on_spin(World::answer);
}

TEST_F(Events, CloseAllGoesOnWhereItStopped)
{
    while (events::alloc_unbound(*guest, dom0->id).ok())
        ;
    fake::yield_after(3);
    EXPECT_EQ(events::close_all(*guest).error(), Error::restart);
    EXPECT_GT(fake::ports_in_use(*guest), 0u);
    EXPECT_TRUE(events::close_all(*guest).ok());
    EXPECT_EQ(fake::ports_in_use(*guest), 0u);
}

} // namespace
