#include "caller.hpp"
#include <abi/domctl.h>
#include <abi/sysctl.h>
#include <tenon/console.hpp>

using namespace tenon;

namespace {

struct Sysctl : HypercallTest {
    xen_sysctl op{};
    s64 run(u32 command)
    {
        op.cmd = command;
        op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        return call(__HYPERVISOR_sysctl, share(op));
    }
};

TEST_F(Sysctl, ChecksVersionAndOperation)
{
    op.interface_version = 1;
    EXPECT_EQ(call(__HYPERVISOR_sysctl, share(op)), failure(Error::access));
    EXPECT_EQ(run(XEN_SYSCTL_perfc_op), failure(Error::nosys));
    EXPECT_EQ(run(XEN_SYSCTL_tbuf_op), failure(Error::nosys));
}

TEST_F(Sysctl, DescribesTheMachine)
{
    memset(&op.u, 0xff, sizeof op.u);
    EXPECT_EQ(run(XEN_SYSCTL_physinfo), 0);
    auto& p = op.u.physinfo;
    EXPECT_EQ(p.nr_cpus, 2u);
    EXPECT_EQ(p.max_cpu_id, 1u);
    EXPECT_EQ(p.cpu_khz, 2'000'000u);
    EXPECT_EQ(p.capabilities, u32{XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1});
    EXPECT_EQ(p.total_pages, (1u << 13) - 1);
    EXPECT_LT(p.free_pages, p.total_pages);
    EXPECT_EQ(p.pad, 0u);

    op.u.cputopoinfo = {};
    EXPECT_EQ(run(XEN_SYSCTL_cputopoinfo), 0);
    EXPECT_EQ(op.u.cputopoinfo.num_cpus, 2u);
    std::vector<xen_sysctl_cputopo> cpus(2);
    op.u.cputopoinfo = {8, share(cpus)};
    EXPECT_EQ(run(XEN_SYSCTL_cputopoinfo), 0);
    EXPECT_EQ(op.u.cputopoinfo.num_cpus, 2u);
    EXPECT_EQ(cpus[1].core, 1u);

    op.u.numainfo = {};
    EXPECT_EQ(run(XEN_SYSCTL_numainfo), 0);
    EXPECT_EQ(op.u.numainfo.num_nodes, 1u);
    xen_sysctl_meminfo memory{};
    u32 distance = 0;
    op.u.numainfo = {4, share(memory), share(distance)};
    EXPECT_EQ(run(XEN_SYSCTL_numainfo), 0);
    EXPECT_EQ(op.u.numainfo.num_nodes, 1u);
    EXPECT_EQ(memory.memsize, ((1u << 13) - 1) * page_size);
    EXPECT_EQ(distance, 10u);
    std::vector<u32> nodes(2), devices(4); // no device is looked at
    op.u.pcitopoinfo = {2, share(devices), share(nodes)};
    EXPECT_EQ(run(XEN_SYSCTL_pcitopoinfo), 0);
    EXPECT_EQ(op.u.pcitopoinfo.num_devs, 2u);
    EXPECT_EQ(nodes, (std::vector<u32>{XEN_INVALID_NODE_ID, XEN_INVALID_NODE_ID}));
    op.u.availheap = {};
    EXPECT_EQ(run(XEN_SYSCTL_availheap), 0);
    EXPECT_EQ(op.u.availheap.avail_bytes, frame_allocator::stats().free * page_size);
}

TEST_F(Sysctl, ListsDomains)
{
    std::vector<xen_domctl_getdomaininfo> list(4);
    op.u.getdomaininfolist = {0, 4, share(list), 0};
    EXPECT_EQ(run(XEN_SYSCTL_getdomaininfolist), 0);
    EXPECT_EQ(op.u.getdomaininfolist.num_domains, 2u);
    EXPECT_EQ(list[0].domain, 0);
    EXPECT_EQ(list[1].domain, 1);
    op.u.getdomaininfolist = {1, 1, share(list), 0};
    EXPECT_EQ(run(XEN_SYSCTL_getdomaininfolist), 0);
    EXPECT_EQ(op.u.getdomaininfolist.num_domains, 1u);
    EXPECT_EQ(list[0].domain, 1);
    op.u.getdomaininfolist = {2, 4, share(list), 0};
    EXPECT_EQ(run(XEN_SYSCTL_getdomaininfolist), 0);
    EXPECT_EQ(op.u.getdomaininfolist.num_domains, 0u);
    op.u.getdomaininfolist = {0, ~0u, 64, 0};
    EXPECT_EQ(run(XEN_SYSCTL_getdomaininfolist), failure(Error::fault));
}

TEST_F(Sysctl, ReadsTheLogInPieces)
{
    log_info("a line that dom0 wants to read");
    std::vector<char> text(100'000);
    op.u.readconsole = {0, 0, 0, 0, 0, share(text), u32(text.size())};
    EXPECT_EQ(run(XEN_SYSCTL_readconsole), 0);
    u32 count = op.u.readconsole.count, index = op.u.readconsole.index;
    EXPECT_NE(std::string(text.data(), count).find("a line that dom0 wants"), std::string::npos);
    log_info("another");
    op.u.readconsole = {0, 1, 0, 0, index, share(text), u32(text.size())};
    EXPECT_EQ(run(XEN_SYSCTL_readconsole), 0);
    std::string rest(text.data(), op.u.readconsole.count);
    EXPECT_NE(rest.find("another"), std::string::npos);
    EXPECT_EQ(rest.find("a line that"), std::string::npos);
    op.u.readconsole = {1, 0, 0, 0, 0, share(text), u32(text.size())};
    EXPECT_EQ(run(XEN_SYSCTL_readconsole), 0);
    op.u.readconsole = {0, 0, 0, 0, 0, share(text), u32(text.size())};
    EXPECT_EQ(run(XEN_SYSCTL_readconsole), 0);
    EXPECT_EQ(op.u.readconsole.count, 0u) << "cleared";
}

TEST_F(Sysctl, SchedulerAndPool)
{
    EXPECT_EQ(run(XEN_SYSCTL_sched_id), 0);
    EXPECT_EQ(op.u.sched_id.sched_id, 6u);
    u8 cpus = 0;
    op.u.cpupool_op = {};
    op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
    op.u.cpupool_op.cpumap = {share(cpus), 8};
    EXPECT_EQ(run(XEN_SYSCTL_cpupool_op), 0);
    EXPECT_EQ(op.u.cpupool_op.n_dom, 2u);
    EXPECT_EQ(cpus, 3);
    op.u.cpupool_op.cpupool_id = 1;
    EXPECT_EQ(run(XEN_SYSCTL_cpupool_op), failure(Error::noent));
    op.u.scheduler_op = {};
    op.u.scheduler_op.sched_id = 6;
    op.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    EXPECT_EQ(run(XEN_SYSCTL_scheduler_op), 0);
    op.u.scheduler_op.sched_id = 5;
    EXPECT_EQ(run(XEN_SYSCTL_scheduler_op), failure(Error::inval));
}

TEST_F(Sysctl, FeatureWordsComeFromTheLeaves)
{
    op.u.cpu_featureset = {};
    EXPECT_EQ(run(XEN_SYSCTL_get_cpu_featureset), 0);
    u32 words = op.u.cpu_featureset.nr_features;
    std::vector<u32> features(words, 0xdead);
    op.u.cpu_featureset = {XEN_SYSCTL_cpu_featureset_pv, words, share(features)};
    EXPECT_EQ(run(XEN_SYSCTL_get_cpu_featureset), 0);
    EXPECT_EQ(features[0], 0x14u);
    EXPECT_EQ(features[1], 0x13u);
    EXPECT_EQ(features[5], 0x72u);
    EXPECT_EQ(features[2], 0u);
    op.u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_hvm;
    EXPECT_EQ(run(XEN_SYSCTL_get_cpu_featureset), failure(Error::notsup));
    op.u.cpu_policy = {};
    op.u.cpu_policy.index = XEN_SYSCTL_cpu_policy_pv_default;
    EXPECT_EQ(run(XEN_SYSCTL_get_cpu_policy), 0);
    EXPECT_EQ(op.u.cpu_policy.nr_leaves, 120u) << "the room for all leaves that tools know";
    EXPECT_EQ(op.u.cpu_policy.nr_msrs, 2u);
    std::vector<xen_cpuid_leaf> leaves(120);
    op.u.cpu_policy = {XEN_SYSCTL_cpu_policy_pv_default, 120, 0, 0, share(leaves), 0};
    EXPECT_EQ(run(XEN_SYSCTL_get_cpu_policy), 0);
    EXPECT_EQ(op.u.cpu_policy.nr_leaves, 3u);
    EXPECT_EQ(leaves[2].b, 0x72u);
    op.u.cpu_policy.index = XEN_SYSCTL_cpu_policy_hvm_max;
    EXPECT_EQ(run(XEN_SYSCTL_get_cpu_policy), failure(Error::notsup));
}

TEST_F(Sysctl, DebugKeyLogsTheCounters)
{
    char key = 'c';
    op.u.debug_keys = {share(key), 1};
    fake::take_log();
    EXPECT_EQ(run(XEN_SYSCTL_debug_keys), 0);
    EXPECT_NE(fake::take_log().find("sysctl: "), std::string::npos);
    op.u.debug_keys.nr_keys = 1000;
    EXPECT_EQ(run(XEN_SYSCTL_debug_keys), failure(Error::toobig));
}

} // namespace
