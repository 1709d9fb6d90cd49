// Life and death of domains, and that the dead give everything back.
#include <fake/world.hpp>
#include <tenon/arch/memory.hpp>
#include <tenon/domain/domain.hpp>
#include <thread>

using namespace tenon;
using fake::World;

static unsigned relinquished;
static Frame* full = nullptr; ///< a frame that has all the references it can have, held by what the next one to be relinquished holds
Status arch::relinquish_frame(Domain&, Frame& frame)
{
    relinquished++;
    if (full && &frame != full)
        std::exchange(full, nullptr)->put(Frame::refs_limit);
    return success;
}

namespace {

TEST(Domain, IdsAscendAndAreNotUsedAgainAtOnce)
{
    World world;
    auto first = world.make();
    u16 id = first->id.raw();
    auto second = world.make();
    EXPECT_EQ(second->id.raw(), id + 1);
    World::finish(*second);
    second = DomainRef();
    EXPECT_FALSE(domains::find(DomainId(u16(id + 1))));
    EXPECT_EQ(world.make()->id.raw(), id + 2);
    domains::CreateParams params;
    params.id = first->id;
    EXPECT_EQ(domains::create(params).error(), Error::exist);
    params.id = DomainId{0x7ff0};
    EXPECT_EQ(domains::create(params).error(), Error::inval);
    params.id = DomainId{300};
    params.max_vcpus = 0;
    EXPECT_EQ(domains::create(params).error(), Error::inval);
}

TEST(Domain, IsFoundByIdAndByOrder)
{
    World world;
    auto a = world.make(1, 7), b = world.make(1, 3000);
    EXPECT_EQ(&*domains::find(DomainId{7}), &*a);
    EXPECT_FALSE(domains::find(DomainId{8}));
    EXPECT_FALSE(domains::find(dom_io));
    EXPECT_EQ(&*domains::next(0), &*a);
    EXPECT_EQ(&*domains::next(8), &*b);
    EXPECT_FALSE(domains::next(3001));
    EXPECT_EQ(&*domains::find_for(*a->vcpu(0), dom_self), &*a);
}

TEST(Domain, AFrameWithoutRoomForAReferenceWaitsForTheOthers)
{
    World world;
    auto domain = world.make();
    Mfn other = *domains::add_pages(*domain), last = *domains::add_pages(*domain); // the last one is the first in the list
    ASSERT_NE(other.raw(), last.raw());
    full = &frame_at(last);
    ASSERT_TRUE(full->get(domain->id, Frame::refs_limit));
    ASSERT_FALSE(full->get(domain->id));
    fake::yield_after(2);
    World::finish(*domain);
    EXPECT_EQ(full, nullptr);
}

TEST(Domain, ToolsPauseAndUnpauseFromTwoCpusAtOnce)
{
    World world{2};
    fake::on_spin(std::this_thread::yield);
    auto domain = world.make();
    std::thread pausing([&] {
        fake::set_cpu(CpuId{1});
        for (unsigned i = 0; i < 20000; i++)
            domains::pause_by_tools(*domain);
    });
    for (unsigned done = 0; done < 20000;)
        done += domains::unpause_by_tools(*domain).ok();
    pausing.join();
    EXPECT_EQ(domain->pause_count, 1u); // as it was made
    EXPECT_TRUE(domain->vcpu(0)->pause & pause_domain);
    EXPECT_TRUE(domains::unpause_by_tools(*domain).ok());
    EXPECT_FALSE(domain->vcpu(0)->pause & pause_domain);
}

TEST(Domain, PausesCount)
{
    World world;
    auto domain = world.start();
    Vcpu& vcpu = *domain->vcpu(0);
    World::settle();
    EXPECT_TRUE(vcpu.is_on_cpu);
    domains::pause_by_tools(*domain);
    EXPECT_FALSE(vcpu.is_on_cpu) << "it has left when the call returns";
    domains::pause(*domain);
    EXPECT_TRUE(domains::unpause_by_tools(*domain).ok());
    EXPECT_FALSE(vcpu.is_runnable());
    EXPECT_EQ(domains::unpause_by_tools(*domain).error(), Error::inval);
    domains::unpause(*domain);
    EXPECT_TRUE(vcpu.is_runnable());
}

TEST(Domain, AShutdownStopsItAndTellsTheControlDomain)
{
    World world;
    auto dom0 = world.start(1, 0, true), guest = world.start(2);
    u32 port = *events::bind_virq(*dom0, VIRQ_DOM_EXC, 0);
    domains::shut_down(*guest, 3);
    EXPECT_TRUE(guest->is_shut_down);
    EXPECT_EQ(guest->shutdown_code, 3u);
    EXPECT_TRUE(events::is_pending(*dom0, port));
    World::settle();
    guest->for_each_vcpu([](Vcpu& v) { EXPECT_FALSE(v.is_on_cpu); });
    domains::shut_down(*guest, 1);
    EXPECT_EQ(guest->shutdown_code, 3u) << "the first word counts";
    EXPECT_TRUE(domains::resume(*guest).ok());
    EXPECT_EQ(domains::resume(*guest).error(), Error::inval);
    EXPECT_TRUE(guest->vcpu(0)->is_runnable());
    EXPECT_EQ(guest->shutdown_code, ~0u);
}

TEST(Ownership, CountsAndLimits)
{
    World world;
    auto domain = world.make();
    domain->max_pages = 20;
    std::vector<Mfn> pages;
    for (unsigned i = 0; i < 4; i++)
        pages.push_back(*domains::add_pages(*domain));
    Mfn block = *frame_allocator::allocate(dom_xen, 4);
    EXPECT_TRUE(domains::add_block(*domain, block, 4).ok());
    EXPECT_EQ(domain->total_pages, 20u);
    u64 free = frame_allocator::stats().free;
    EXPECT_EQ(domains::add_pages(*domain).error(), Error::nomem);
    EXPECT_EQ(frame_allocator::stats().free, free);
    EXPECT_TRUE(domains::give_back(*domain, pages[1]));
    EXPECT_FALSE(domains::give_back(*domain, pages[1])) << "once only";
    EXPECT_EQ(domain->total_pages, 19u);
    Frame& frame = frame_at(pages[2]);
    ASSERT_TRUE(frame.get(domain->id));
    EXPECT_TRUE(domains::give_back(*domain, pages[2]));
    EXPECT_FALSE(domains::give_back(*domain, pages[2]));
    EXPECT_EQ(domain->total_pages, 19u) << "somebody still uses it";
    frame.put();
    EXPECT_EQ(domain->total_pages, 18u);
}

TEST(Ownership, AboveTheLimitByLeaveNothingElseIsAdded)
{
    World world;
    auto domain = world.make();
    domain->max_pages = 16;
    Mfn old = *frame_allocator::allocate(dom_xen, 4), fresh = *frame_allocator::allocate(dom_xen, 4);
    ASSERT_TRUE(domains::add_block(*domain, old, 4).ok());
    EXPECT_EQ(domains::add_block(*domain, fresh, 4).error(), Error::nomem);
    ASSERT_TRUE(domains::add_block(*domain, fresh, 4, domains::Limit::waived).ok());
    EXPECT_EQ(domain->total_pages, 32u);
    EXPECT_EQ(domain->max_pages, 16u);
    EXPECT_EQ(domains::add_pages(*domain).error(), Error::nomem);
    for (u64 i = 0; i < 16; i++)
        EXPECT_TRUE(domains::give_back(*domain, old + i));
    EXPECT_EQ(domain->total_pages, 16u);
    EXPECT_EQ(domains::add_pages(*domain).error(), Error::nomem);
}

TEST(Destruction, LooksAtEachFrameOnceHoweverOftenItIsInterrupted)
{
    World world;
    auto domain = world.make();
    for (unsigned i = 0; i < 2000; i++)
        ASSERT_TRUE(domains::add_pages(*domain).ok());
    relinquished = 0;
    unsigned calls = 0;
    Status done = success;
    do {
        fake::yield_after(1); // whenever it asks
        done = domains::destroy(*domain);
    } while (++calls < 20 && !done.ok());
    EXPECT_TRUE(done.ok());
    EXPECT_EQ(relinquished, 2000u);
}

TEST(Destruction, GivesEverythingBackAHundredTimes)
{
    World world(2);
    auto dom0 = world.start(2, 0, true);
    u64 free = frame_allocator::stats().free;
    for (unsigned i = 0; i < 100; i++) {
        auto guest = world.start(1 + i % 3);
        for (unsigned n = 0; n < 50; n++)
            ASSERT_TRUE(domains::add_pages(*guest).ok());
        u32 port = *events::alloc_unbound(*guest, dom0->id);
        u32 ours = *events::bind_interdomain(*dom0, *guest, port);
        EXPECT_TRUE(events::bind_virq(*guest, VIRQ_TIMER, 0).ok());
        timers::set(guest->vcpu(0)->singleshot, arch::now_ns() + 1000, CpuId{1});
        World::settle();
        fake::yield_after(i % 5);
        World::finish(*guest);
        EXPECT_EQ(guest->total_pages, 0u);
        EXPECT_EQ(dom0->events.find(ours)->state, ChannelState::unbound);
        EXPECT_TRUE(events::close(*dom0, ours).ok());
        guest = DomainRef();
        ASSERT_EQ(frame_allocator::stats().free, free);
        EXPECT_EQ(fake::ports_in_use(*dom0), 0u);
    }
}

TEST(Destruction, AZombieKeepsItsIdUntilItsLastFrameGoes)
{
    World world;
    u64 free = frame_allocator::stats().free;
    auto guest = world.start();
    DomainId id = guest->id;
    Mfn mfn = *domains::add_pages(*guest), shared = guest->shared.mfn;
    ASSERT_TRUE(domains::add_pages(*guest).ok());
    ASSERT_TRUE(frame_at(mfn).get(id));
    ASSERT_TRUE(frame_at(shared).get(id)); // a foreign mapping of shared_info counts, too
    World::finish(*guest);
    EXPECT_EQ(guest->life, Life::dead);
    EXPECT_EQ(guest->total_pages, 1u);
    guest = DomainRef();
    EXPECT_TRUE(domains::find(id));
    EXPECT_FALSE(domains::add_pages(*domains::find(id)).ok());
    frame_at(mfn).put();
    EXPECT_TRUE(domains::find(id));
    frame_at(shared).put();
    EXPECT_FALSE(domains::find(id));
    EXPECT_EQ(frame_allocator::stats().free, free);
}

TEST(Destruction, AnUnfinishedDomainLeavesNothing)
{
    World world;
    u64 free = frame_allocator::stats().free;
    domains::CreateParams params;
    params.id = dom_invalid;
    params.grant_frames = 0;
    EXPECT_EQ(domains::create(params).error(), Error::inval);
    EXPECT_EQ(frame_allocator::stats().free, free);
    EXPECT_FALSE(domains::next(0));
}

} // namespace
