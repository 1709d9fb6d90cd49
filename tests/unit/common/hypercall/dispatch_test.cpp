#include "caller.hpp"
#include <abi/multicall.h>

using namespace tenon;

namespace {

struct Dispatch : HypercallTest {};
struct Multicall : HypercallTest {};

TEST_F(Dispatch, KnowsEveryRowByItsNumber)
{
    unsigned rows = 0;
    for (u32 n = 0; n < call_table.size(); n++)
        if (const CallRow* row = find_call(n)) {
            EXPECT_EQ(row->number, n);
            EXPECT_NE(row->name, nullptr);
            rows++;
        }
    EXPECT_EQ(rows, 43u);
    EXPECT_EQ(find_call(11), nullptr);
    EXPECT_EQ(find_call(64), nullptr);
    EXPECT_EQ(find_call(~u64{0}), nullptr);
}

TEST_F(Dispatch, RefusesUnknownNumbersAndLogsThemOnce)
{
    EXPECT_EQ(call(11), failure(Error::nosys));
    EXPECT_NE(fake::take_log().find("unknown hypercall (11)"), std::string::npos);
    EXPECT_EQ(call(11), failure(Error::nosys));
    EXPECT_EQ(fake::take_log(), "");
    EXPECT_EQ(call(1000), failure(Error::nosys));
    fake::take_log();
    EXPECT_EQ(call(2000), failure(Error::nosys)) << "numbers out of range count as one";
    EXPECT_EQ(fake::take_log(), "");
}

TEST_F(Dispatch, NamesUnsupportedCalls)
{
    EXPECT_EQ(call(__HYPERVISOR_kexec_op, 3), failure(Error::nosys));
    EXPECT_NE(fake::take_log().find("kexec_op (37) operation 3 refused with error 38"), std::string::npos);
}

TEST_F(Dispatch, TheListOfRefusalsIsBounded)
{
    for (u32 i = 0; i < 2000; i++)
        call(__HYPERVISOR_hypfs_op, i);
    fake::take_log();
    EXPECT_EQ(call(__HYPERVISOR_hypfs_op, 3000), failure(Error::nosys));
    EXPECT_EQ(fake::take_log(), "");
}

TEST_F(Dispatch, PrivilegedCallsNeedTheControlDomain)
{
    become(*guest);
    for (u32 n : {__HYPERVISOR_domctl, __HYPERVISOR_sysctl, __HYPERVISOR_platform_op, __HYPERVISOR_mca}) {
        EXPECT_TRUE(find_call(n)->privileged);
        EXPECT_EQ(call(n, 0), failure(Error::perm));
    }
    become(*dom0);
    EXPECT_EQ(call(__HYPERVISOR_domctl, 16), failure(Error::fault));
}

TEST_F(Dispatch, CountsCalls)
{
    u64 before = call_counts::total(__HYPERVISOR_stack_switch);
    call(__HYPERVISOR_stack_switch);
    call(__HYPERVISOR_stack_switch);
    EXPECT_EQ(call_counts::total(__HYPERVISOR_stack_switch), before + 2);
    EXPECT_EQ(call_counts::total(1000), 0u);
}

TEST_F(Multicall, ExecutesInOrderAndReturnsEachResult)
{
    std::vector<multicall_entry> list = {{__HYPERVISOR_stack_switch, 7, {}},
                                         {__HYPERVISOR_xen_version, 7, {7}},
                                         {60, 7, {}},
                                         {u64{1} << 40 | __HYPERVISOR_xen_version, 7, {}}};
    EXPECT_EQ(call(__HYPERVISOR_multicall, share(list), list.size()), 0);
    EXPECT_EQ(list[0].result, 0u);
    EXPECT_EQ(list[1].result, 4096u);
    EXPECT_EQ(s64(list[2].result), failure(Error::nosys));
    EXPECT_EQ(s64(list[3].result), failure(Error::nosys)) << "upper bits of the number are not ignored";
    EXPECT_EQ(record.calls, std::vector<std::string>{"stack_switch"});
}

TEST_F(Multicall, RefusesNestingAndIret)
{
    std::vector<multicall_entry> list = {{__HYPERVISOR_multicall, 0, {}}, {__HYPERVISOR_iret, 0, {}}, {__HYPERVISOR_stack_switch, 7, {}}};
    EXPECT_EQ(call(__HYPERVISOR_multicall, share(list), 3), 0);
    EXPECT_EQ(s64(list[0].result), failure(Error::inval));
    EXPECT_EQ(s64(list[1].result), failure(Error::inval));
    EXPECT_EQ(list[2].result, 0u);
}

TEST_F(Multicall, RestartsAtTheEntryThatWantsTo)
{
    record.restarts = 2;
    std::vector<multicall_entry> list = {
        {__HYPERVISOR_stack_switch, 7, {}}, {__HYPERVISOR_mmuext_op, 7, {0x1000, 5}}, {__HYPERVISOR_stack_switch, 7, {}}};
    Call c{*caller, *dom0, __HYPERVISOR_multicall, {share(list), 3}};
    auto result = dispatch(c);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error(), Error::restart);
    EXPECT_EQ(c.args[0], reinterpret_cast<u64>(&list[1]));
    EXPECT_EQ(c.args[1], 2u);
    EXPECT_EQ(list[1].args[1], 4u) << "the entry's own position";
    EXPECT_EQ(call(__HYPERVISOR_multicall, c.args[0], c.args[1]), 0);
    EXPECT_EQ(list[1].args[1], 3u);
    EXPECT_EQ(list[1].result, 0u);
    EXPECT_EQ(record.calls.size(), 5u);
}

TEST_F(Multicall, YieldsBetweenEntries)
{
    std::vector<multicall_entry> list(100, {__HYPERVISOR_stack_switch, 7, {}});
    fake::yield_after(2);
    EXPECT_EQ(call(__HYPERVISOR_multicall, share(list), 100), 0);
    EXPECT_EQ(restarts, 1u);
    EXPECT_EQ(record.calls.size(), 100u);
    for (const auto& entry : list)
        EXPECT_EQ(entry.result, 0u);
}

TEST_F(Multicall, StopsAtAnUnreadableEntry)
{
    std::vector<multicall_entry> list(2, {__HYPERVISOR_stack_switch, 7, {}});
    EXPECT_EQ(call(__HYPERVISOR_multicall, share(list), 3), failure(Error::fault));
    EXPECT_EQ(record.calls.size(), 2u);
    EXPECT_EQ(call(__HYPERVISOR_multicall, ~u64{0} - 10, 3), failure(Error::fault));
}

} // namespace
