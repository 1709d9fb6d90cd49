#include "../caller.hpp"
#include <abi/domctl.h>

using namespace tenon;

namespace {

struct Domctl : HypercallTest {
    xen_domctl op{};
    s64 run(u32 command, u16 domain = 1)
    {
        op.cmd = command;
        op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
        op.domain = domain;
        return call(__HYPERVISOR_domctl, share(op));
    }
    void prepare_create()
    {
        op = {};
        auto& c = op.u.createdomain;
        c.max_vcpus = 2;
        c.max_evtchn_port = 1023;
        c.max_grant_frames = c.max_maptrack_frames = -1;
        c.grant_opts = 1;
    }
    std::vector<u64> populate(u16 domid, u64 count)
    {
        std::vector<u64> list(count);
        xen_memory_reservation r{};
        r.extent_start = share(list);
        r.nr_extents = count;
        r.domid = domid;
        EXPECT_EQ(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, share(r)), s64(count));
        return list;
    }
};

TEST_F(Domctl, ChecksVersionOperationAndDomain)
{
    op.cmd = XEN_DOMCTL_getdomaininfo;
    op.interface_version = 0x14;
    EXPECT_EQ(call(__HYPERVISOR_domctl, share(op)), failure(Error::access));
    EXPECT_EQ(run(XEN_DOMCTL_gethvmcontext), failure(Error::nosys));
    EXPECT_EQ(run(XEN_DOMCTL_gdbsx_guestmemio), failure(Error::nosys));
    EXPECT_EQ(run(~0u), failure(Error::nosys));
    EXPECT_EQ(run(XEN_DOMCTL_getdomaininfo, 99), failure(Error::srch));
    EXPECT_EQ(run(XEN_DOMCTL_getdomaininfo, 0x7ff4), failure(Error::srch));
}

TEST_F(Domctl, WhereThereIsNoneTheNextDomainIsDescribed)
{
    prepare_create();
    ASSERT_EQ(run(XEN_DOMCTL_createdomain, 0xffff), 0);
    u16 gone = op.domain;
    prepare_create();
    ASSERT_EQ(run(XEN_DOMCTL_createdomain, 0xffff), 0);
    u16 next = op.domain;
    ASSERT_LT(gone, next);
    ASSERT_EQ(run(XEN_DOMCTL_destroydomain, gone), 0);
    EXPECT_EQ(run(XEN_DOMCTL_getdomaininfo, gone), 0);
    EXPECT_EQ(op.u.getdomaininfo.domain, next);
    EXPECT_EQ(op.domain, next);
    EXPECT_EQ(run(XEN_DOMCTL_getdomaininfo, next + 1), failure(Error::srch));
    EXPECT_EQ(run(XEN_DOMCTL_max_mem, gone), failure(Error::srch)) << "others mean the domain that they name";
}

TEST_F(Domctl, ADomainLivesAndDies)
{
    prepare_create();
    op.u.createdomain.handle[3] = 7;
    ASSERT_EQ(run(XEN_DOMCTL_createdomain, 0xffff), 0);
    u16 id = op.domain;
    EXPECT_GT(id, 1);
    op.u.max_vcpus.max = 3;
    EXPECT_EQ(run(XEN_DOMCTL_max_vcpus, id), failure(Error::inval));
    op.u.max_vcpus.max = 2;
    EXPECT_EQ(run(XEN_DOMCTL_max_vcpus, id), 0);

    memset(&op.u, 0xff, sizeof op.u);
    EXPECT_EQ(run(XEN_DOMCTL_getdomaininfo, id), 0);
    auto info = op.u.getdomaininfo;
    EXPECT_EQ(info.domain, id);
    EXPECT_EQ(info.flags, 0xffff0000u | XEN_DOMINF_paused);
    EXPECT_EQ(info.max_vcpu_id, 1u);
    EXPECT_EQ(info.nr_online_vcpus, 0u);
    EXPECT_EQ(info.handle[3], 7);
    EXPECT_EQ(info.pad2[6], 0) << "nothing of the stack leaves";

    op.u.max_mem.max_memkb = 400;
    EXPECT_EQ(run(XEN_DOMCTL_max_mem, id), 0);
    EXPECT_EQ(run(XEN_DOMCTL_getdomaininfo, id), 0);
    EXPECT_EQ(op.u.getdomaininfo.max_pages, 100u);
    EXPECT_EQ(run(XEN_DOMCTL_unpausedomain, id), 0);
    EXPECT_EQ(run(XEN_DOMCTL_unpausedomain, id), failure(Error::inval));
    EXPECT_EQ(run(XEN_DOMCTL_pausedomain, id), 0);

    populate(id, 90);
    u64 free = frame_allocator::stats().free;
    EXPECT_EQ(run(XEN_DOMCTL_destroydomain, id), 0);
    EXPECT_GE(frame_allocator::stats().free, free + 90);
    EXPECT_EQ(run(XEN_DOMCTL_getvcpuinfo, id), failure(Error::srch));
}

TEST_F(Domctl, RefusesWhatPvCannotHaveAndSaysWhat)
{
    auto refused = [&](auto change, const char* word) {
        prepare_create();
        change(op.u.createdomain);
        fake::take_log();
        EXPECT_EQ(run(XEN_DOMCTL_createdomain, 0), failure(Error::inval));
        EXPECT_NE(fake::take_log().find(word), std::string::npos) << word;
    };
    using Create = xen_domctl_createdomain;
    refused([](Create& c) { c.flags = XEN_DOMCTL_CDF_hvm; }, "HVM");
    refused([](Create& c) { c.flags = XEN_DOMCTL_CDF_iommu; }, "passthrough");
    refused([](Create& c) { c.flags = XEN_DOMCTL_CDF_vpmu; }, "flag");
    refused([](Create& c) { c.max_vcpus = 0; }, "vCPUs");
    refused([](Create& c) { c.max_vcpus = 1000; }, "vCPUs");
    refused([](Create& c) { c.arch.emulation_flags = 1; }, "emulated");
    refused([](Create& c) { c.grant_opts = 3; }, "grant");
    refused([](Create& c) { c.max_grant_frames = 1 << 30; }, "grant");
    refused([](Create& c) { c.cpupool_id = 1; }, "pool");
}

TEST_F(Domctl, TheCallersOwnDomainIsSafe)
{
    for (u32 command : {XEN_DOMCTL_destroydomain, XEN_DOMCTL_pausedomain, XEN_DOMCTL_unpausedomain, XEN_DOMCTL_setvcpucontext,
                        XEN_DOMCTL_getvcpucontext, XEN_DOMCTL_max_vcpus})
        EXPECT_EQ(run(command, 0), failure(Error::inval)) << command;
}

TEST_F(Domctl, SetsAndGetsAContext)
{
    vcpu_guest_context context{}, back{};
    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = 0x1234;
    op.u.vcpucontext = {0, share(context)};
    EXPECT_EQ(run(XEN_DOMCTL_getvcpucontext), failure(Error::nodata));
    EXPECT_EQ(run(XEN_DOMCTL_setvcpucontext), 0);
    EXPECT_EQ(record.context.user_regs.rip, 0x1234u);
    EXPECT_EQ(guest->vcpu(0)->pause & pause_down, 0u);
    op.u.vcpucontext = {0, share(back)};
    EXPECT_EQ(run(XEN_DOMCTL_getvcpucontext), 0);
    EXPECT_EQ(back.user_regs.rip, 0x1234u);
    EXPECT_TRUE(back.flags & VGCF_online);
    op.u.vcpucontext = {2, share(context)};
    EXPECT_EQ(run(XEN_DOMCTL_setvcpucontext), failure(Error::noent));
    op.u.vcpucontext = {0, 64};
    EXPECT_EQ(run(XEN_DOMCTL_setvcpucontext), failure(Error::fault));
}

TEST_F(Domctl, SaysWhatAVcpuDoes)
{
    op.u.getvcpuinfo.vcpu = 1;
    EXPECT_EQ(run(XEN_DOMCTL_getvcpuinfo), 0);
    EXPECT_EQ(op.u.getvcpuinfo.online, 0);
    EXPECT_EQ(op.u.getvcpuinfo.running, 0);
    op.u.getvcpuinfo.vcpu = 9;
    EXPECT_EQ(run(XEN_DOMCTL_getvcpuinfo), failure(Error::noent));
    op.u.sendtrigger = {XEN_DOMCTL_SENDTRIGGER_NMI, 1};
    EXPECT_EQ(run(XEN_DOMCTL_sendtrigger), 0);
    EXPECT_TRUE(guest->vcpu(1)->mail.flags & mail_nmi);
    op.u.sendtrigger = {XEN_DOMCTL_SENDTRIGGER_POWER, 0};
    EXPECT_EQ(run(XEN_DOMCTL_sendtrigger), failure(Error::nosys));
}

TEST_F(Domctl, AffinityIsLimitedToCpusThatExist)
{
    u8 hard = 0x2, soft = 0xff, long_map[100];
    memset(long_map, 0xee, sizeof long_map);
    auto& a = op.u.vcpuaffinity;
    a = {0, XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT, {share(hard), 8}, {share(soft), 8}};
    EXPECT_EQ(run(XEN_DOMCTL_setvcpuaffinity), 0);
    EXPECT_EQ(hard, 2);
    EXPECT_EQ(soft, 2) << "what came of it";
    a = {0, XEN_VCPUAFFINITY_HARD, {share(long_map), 800}, {}};
    EXPECT_EQ(run(XEN_DOMCTL_getvcpuaffinity), 0);
    EXPECT_EQ(long_map[0], 2);
    EXPECT_EQ(long_map[99], 0);
    hard = 0xf0;
    a = {0, XEN_VCPUAFFINITY_HARD, {share(hard), 8}, {}};
    EXPECT_EQ(run(XEN_DOMCTL_setvcpuaffinity), failure(Error::inval));
    a.flags = 0;
    EXPECT_EQ(run(XEN_DOMCTL_setvcpuaffinity), failure(Error::inval));
    u64 nodes = 1;
    op.u.nodeaffinity.nodemap = {share(nodes), 64};
    EXPECT_EQ(run(XEN_DOMCTL_setnodeaffinity), 0);
    nodes = ~u64{0};
    EXPECT_EQ(run(XEN_DOMCTL_getnodeaffinity), 0);
    EXPECT_EQ(nodes, 1u);
}

TEST_F(Domctl, SchedulerParametersAreCredit2s)
{
    auto& s = op.u.scheduler_op;
    s.sched_id = XEN_SCHEDULER_CREDIT2;
    s.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    s.u.credit2 = {512, 150};
    EXPECT_EQ(run(XEN_DOMCTL_scheduler_op), 0);
    s.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    s.u.credit2 = {};
    EXPECT_EQ(run(XEN_DOMCTL_scheduler_op), 0);
    EXPECT_EQ(s.u.credit2.weight, 512);
    EXPECT_EQ(s.u.credit2.cap, 150);
    s.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    s.u.credit2 = {512, 201};
    EXPECT_EQ(run(XEN_DOMCTL_scheduler_op), failure(Error::inval));
    s.sched_id = XEN_SCHEDULER_CREDIT;
    EXPECT_EQ(run(XEN_DOMCTL_scheduler_op), failure(Error::inval));
}

TEST_F(Domctl, TellsFrameTypes)
{
    auto list = populate(1, 3);
    frame_at(Mfn{list[1]}).type = TypeWord::of(FrameType::l4, 1, TypeWord::pinned_bit).raw;
    std::vector<u64> query = {list[0], list[1], dom0->shared.mfn.raw(), ~u64{0}, 0};
    op.u.getpageframeinfo3 = {query.size(), share(query)};
    EXPECT_EQ(run(XEN_DOMCTL_getpageframeinfo3), 0);
    EXPECT_EQ(query[0], XEN_DOMCTL_PFINFO_NOTAB);
    EXPECT_EQ(query[1], XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB);
    EXPECT_EQ(query[2], XEN_DOMCTL_PFINFO_XTAB);
    EXPECT_EQ(query[3], XEN_DOMCTL_PFINFO_XTAB);
    op.u.getpageframeinfo3.num = 1 << 20;
    EXPECT_EQ(run(XEN_DOMCTL_getpageframeinfo3), failure(Error::toobig));
    frame_at(Mfn{list[1]}).type = 0;
}

TEST_F(Domctl, FillsAHypercallPageOnlyInTheDomainsOwnData)
{
    auto list = populate(1, 1);
    op.u.hypercall_init.gmfn = list[0];
    EXPECT_EQ(run(XEN_DOMCTL_hypercall_init), 0);
    EXPECT_EQ(record.hypercall_page, Mfn{list[0]});
    record.hypercall_page = invalid_mfn;
    for (u64 bad : {dom0->shared.mfn.raw(), ~u64{0}, u64{1} << 20}) {
        op.u.hypercall_init.gmfn = bad;
        EXPECT_EQ(run(XEN_DOMCTL_hypercall_init), failure(Error::access));
    }
    EXPECT_EQ(record.hypercall_page, invalid_mfn);
}

TEST_F(Domctl, CpuPolicyIsSetBeforeTheFirstContext)
{
    std::vector<xen_cpuid_leaf> leaves = {{1, 0, 1, 2, 3, 4}};
    auto& p = op.u.cpu_policy;
    p = {1, 0, share(leaves), 0, 0, 0, 0};
    EXPECT_EQ(run(XEN_DOMCTL_set_cpu_policy), 0);
    EXPECT_EQ(record.policies[&*guest].size(), 1u);
    EXPECT_EQ(p.err_leaf, ~0u);
    leaves[0].leaf = 0xbad;
    leaves[0].subleaf = 5;
    EXPECT_EQ(run(XEN_DOMCTL_set_cpu_policy), failure(Error::inval));
    EXPECT_EQ(p.err_leaf, 0xbadu);
    EXPECT_EQ(p.err_subleaf, 5u);
    p.nr_leaves = 1u << 30;
    EXPECT_EQ(run(XEN_DOMCTL_set_cpu_policy), failure(Error::toobig));
    guest->vcpu(0)->initialised = true;
    p.nr_leaves = 1;
    EXPECT_EQ(run(XEN_DOMCTL_set_cpu_policy), failure(Error::busy));

    p = {};
    EXPECT_EQ(run(XEN_DOMCTL_get_cpu_policy), 0);
    EXPECT_EQ(p.nr_leaves, 120u) << "the room for all leaves that tools know";
    std::vector<xen_cpuid_leaf> room(3);
    p.leaves = share(room);
    p.nr_leaves = 2;
    EXPECT_EQ(run(XEN_DOMCTL_get_cpu_policy), failure(Error::nospc));
    p.nr_leaves = 3;
    EXPECT_EQ(run(XEN_DOMCTL_get_cpu_policy), 0);
    EXPECT_EQ(room[2].b, 0x72u);
}

TEST_F(Domctl, SmallThings)
{
    op.u.address_size.size = 32;
    EXPECT_EQ(run(XEN_DOMCTL_set_address_size), failure(Error::inval));
    op.u.address_size.size = 64;
    EXPECT_EQ(run(XEN_DOMCTL_set_address_size), 0);
    op.u.address_size.size = 0;
    EXPECT_EQ(run(XEN_DOMCTL_get_address_size), 0);
    EXPECT_EQ(op.u.address_size.size, 64u);
    op.u.tsc_info = {0, 0, 3, 0, 0};
    EXPECT_EQ(run(XEN_DOMCTL_settscinfo), 0);
    EXPECT_EQ(run(XEN_DOMCTL_gettscinfo), 0);
    EXPECT_EQ(op.u.tsc_info.incarnation, 3u);
    EXPECT_EQ(op.u.tsc_info.gtsc_khz, 2'000'000u);
    op.u.tsc_info.tsc_mode = 1;
    EXPECT_EQ(run(XEN_DOMCTL_settscinfo), failure(Error::notsup));
    op.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_OFF;
    EXPECT_EQ(run(XEN_DOMCTL_shadow_op), 0);
    op.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY;
    EXPECT_EQ(run(XEN_DOMCTL_shadow_op), failure(Error::notsup));
    op.u.ioport_permission = {0x60, 1, 1};
    EXPECT_EQ(run(XEN_DOMCTL_ioport_permission), failure(Error::notsup));
    op.u.ioport_permission.allow_access = 0;
    EXPECT_EQ(run(XEN_DOMCTL_ioport_permission), 0);
    op.u.settimeoffset.time_offset_seconds = 3600;
    EXPECT_EQ(run(XEN_DOMCTL_settimeoffset), 0);
    EXPECT_EQ(guest->wallclock_offset, 3600);
    op.u.settimeoffset.time_offset_seconds = INT64_MIN;
    EXPECT_EQ(run(XEN_DOMCTL_settimeoffset), failure(Error::inval));
    op.u.setdomainhandle.handle[0] = 9;
    EXPECT_EQ(run(XEN_DOMCTL_setdomainhandle), 0);
    EXPECT_EQ(guest->handle[0], 9);
    op.u.set_virq_handler.virq = 1000;
    EXPECT_LT(run(XEN_DOMCTL_set_virq_handler), 0);
}

TEST_F(Domctl, RandomStructuresNeverHurt)
{
    u64 seed = 1;
    auto random = [&] { return seed = seed * 6364136223846793005 + 1442695040888963407, seed >> 33; };
    for (int i = 0; i < 20000; i++) {
        auto* bytes = reinterpret_cast<u8*>(&op);
        for (unsigned b = 0; b < sizeof op; b++)
            bytes[b] = random() % 3 ? 0 : u8(random());
        u32 command = random() % 100;
        if (command == XEN_DOMCTL_destroydomain && i % 100)
            continue;
        u16 domain = u16(random() % 4);
        run(command, domain);
        windows.clear();
        if (i % 500 == 0)
            for (u16 d = 2; d < 2000; d++)
                run(XEN_DOMCTL_destroydomain, d), windows.clear();
    }
    for (u16 d = 2; d < 2000; d++)
        run(XEN_DOMCTL_destroydomain, d), windows.clear();
    fake::take_log();
}

} // namespace
