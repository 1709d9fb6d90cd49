// sched_op, vcpu_op, set_timer_op, vm_assist and event_channel_op as a guest calls them.
#include <abi/event_channel.h>
#include <abi/mmu.h>
#include <abi/sched.h>
#include <abi/vcpu.h>
#include <fake/world.hpp>
#include <tenon/arch/machine.hpp>
#include <tenon/hypercall/table.hpp>

using namespace tenon;
using fake::World;

const CallTable tenon::call_table{}; // the calls are made directly
extern "C" const std::array<EnterCall, ABI_HYPERCALL_COUNT> tenon::call_entries{};
std::span<const u8> tenon::arch::build_id() { return {}; }

namespace {

constexpr s64 failure(Error e) { return -s64(e); }

struct VcpuCalls : testing::Test {
    World world{2};
    DomainRef dom0 = world.start(1, 0, true), guest = world.start(3);
    Vcpu* caller = guest->vcpu(0);

    VcpuCalls()
    {
        pause_vcpu_async(*dom0->vcpu(0), pause_blocked); // the guest has the machine for itself
        World::settle();
        caller->mail.flags = 0;
    }
    template <class F, class... A> s64 run(F handler, A... arguments)
    {
        World::on_cpu(caller->home().raw());
        Call c{*caller, caller->domain, 0, {}};
        return to_register(handler(c, arguments...));
    }
    template <class T> s64 vcpu_op(u32 command, u32 id, T argument)
    {
        fake::GuestWindow window(&argument, sizeof argument);
        return run(hypercall::vcpu_op, command, id, u64(&argument));
    }
    s64 vcpu_op(u32 command, u32 id) { return run(hypercall::vcpu_op, command, id, u64{0}); }
    template <class T> s64 sched_op(u32 command, T argument)
    {
        fake::GuestWindow window(&argument, sizeof argument);
        return run(hypercall::sched_op, command, u64(&argument));
    }
    template <class T> s64 event_op(u32 command, T& argument)
    {
        fake::GuestWindow window(&argument, sizeof argument);
        return run(hypercall::event_channel_op, command, u64(&argument));
    }
};

TEST_F(VcpuCalls, ProbingIdsIsRefusedQuietly)
{
    fake::take_log();
    EXPECT_EQ(vcpu_op(VCPUOP_is_up, 0), 1);
    for (u32 id : {3u, 128u, 8191u, ~0u})
        EXPECT_LT(vcpu_op(VCPUOP_is_up, id), 0);
    EXPECT_EQ(fake::take_log(), "");
}

TEST_F(VcpuCalls, BringUpAndDown)
{
    Vcpu& other = *guest->vcpu(1);
    other.initialised = false;
    EXPECT_EQ(vcpu_op(VCPUOP_down, 1), 0);
    World::settle();
    EXPECT_FALSE(other.is_on_cpu);
    EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1), 0);
    EXPECT_EQ(vcpu_op(VCPUOP_up, 1), failure(Error::inval)) << "it has no context";
    EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1), failure(Error::fault));
    EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, vcpu_guest_context{}), 0);
    EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, vcpu_guest_context{}), failure(Error::exist));
    EXPECT_EQ(vcpu_op(VCPUOP_up, 1), 0);
    EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1), 1);
}

TEST_F(VcpuCalls, MoveVcpuInfoOnceAndLoseNothing)
{
    Mfn mfn = *domains::add_pages(*guest);
    Vcpu& v = *caller;
    v.info->evtchn_upcall_mask = 0;
    v.info->arch.cr2 = 0x1234;
    using Op = vcpu_register_vcpu_info;
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, Op{mfn.raw(), 4096 - 63, 0}), failure(Error::inval));
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, Op{mfn.raw(), 4, 0}), failure(Error::inval));
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, Op{1, 64, 0}), failure(Error::inval)) << "not its frame";
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, Op{mfn.raw(), 64, 0}), 0);
    auto& info = *reinterpret_cast<vcpu_info*>(fake::frame_bytes(mfn) + 64);
    EXPECT_EQ(v.info, &info);
    EXPECT_EQ(info.arch.cr2, 0x1234u);
    deliver_mail(v);
    EXPECT_EQ(info.evtchn_upcall_pending, 1);
    EXPECT_EQ(info.evtchn_pending_sel, ~u64{0});
    EXPECT_NE(info.time.tsc_to_system_mul, 0u);
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, Op{mfn.raw(), 128, 0}), failure(Error::inval));
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 1, Op{mfn.raw(), 128, 0}), failure(Error::inval)) << "it runs";
    EXPECT_EQ(frame_at(mfn).ref_count(), 2u);
}

TEST_F(VcpuCalls, BlockUntilAnEvent)
{
    caller->info->evtchn_upcall_mask = 1;
    EXPECT_EQ(run(hypercall::sched_op, SCHEDOP_block, u64{0}), 0);
    EXPECT_EQ(caller->info->evtchn_upcall_mask, 0);
    World::settle();
    EXPECT_FALSE(caller->is_on_cpu);
    evtchn_bind_virq timer{VIRQ_TIMER, 0, 0};
    EXPECT_EQ(event_op(EVTCHNOP_bind_virq, timer), 0);
    events::send_vcpu_virq(*caller, VIRQ_TIMER);
    World::run(20'000'000);
    EXPECT_TRUE(caller->is_runnable());
    EXPECT_EQ(run(hypercall::sched_op, SCHEDOP_block, u64{0}), 0);
    EXPECT_TRUE(caller->is_runnable()) << "there is mail";
    deliver_mail(*caller);
    EXPECT_EQ(run(hypercall::sched_op, SCHEDOP_block, u64{0}), 0);
    EXPECT_TRUE(caller->is_runnable()) << "the upcall is pending";
}

TEST_F(VcpuCalls, PollChecksItsPorts)
{
    u32 port = *events::bind_ipi(*guest, 0), ports[] = {port};
    fake::GuestWindow window(ports, sizeof ports);
    EXPECT_EQ(sched_op(SCHEDOP_poll, sched_poll{u64(ports), 1, 0}), 0);
    World::settle();
    EXPECT_FALSE(caller->is_on_cpu);
    EXPECT_TRUE(events::send(*guest, port).ok());
    EXPECT_TRUE(caller->is_runnable());
    EXPECT_EQ(sched_op(SCHEDOP_poll, sched_poll{u64(ports), 129, 0}), failure(Error::inval));
    EXPECT_EQ(sched_op(SCHEDOP_poll, sched_poll{1 << 20, 1, 0}), failure(Error::fault));
}

TEST_F(VcpuCalls, TimersFireOnceAlsoWhenLate)
{
    u32 port = *events::bind_virq(*guest, VIRQ_TIMER, 0);
    fake::set_time(1000);
    EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, vcpu_set_singleshot_timer{500, VCPU_SSHOTTMR_future}), failure(Error::time));
    EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, vcpu_set_singleshot_timer{500, 0}), 0);
    World::settle(); // the timer's interrupt
    EXPECT_TRUE(events::is_pending(*guest, port));
    guest->shared_page()->evtchn_pending[0] = 0;
    EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, vcpu_set_singleshot_timer{5000, 0}), 0);
    World::settle();
    EXPECT_FALSE(events::is_pending(*guest, port));
    fake::set_time(5000);
    World::settle();
    EXPECT_TRUE(events::is_pending(*guest, port));
    guest->shared_page()->evtchn_pending[0] = 0;
    EXPECT_EQ(run(hypercall::set_timer_op, u64{6000}), 0);
    EXPECT_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 0), 0);
    fake::set_time(7000);
    World::settle();
    EXPECT_FALSE(events::is_pending(*guest, port));
    EXPECT_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 1), failure(Error::inval)) << "not its own";

    EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, vcpu_set_periodic_timer{1000}), failure(Error::inval)) << "too short";
    EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, vcpu_set_periodic_timer{2'000'000}), 0);
    for (unsigned i = 0; i < 3; i++) {
        World::run(2'000'000);
        EXPECT_TRUE(events::is_pending(*guest, port));
        guest->shared_page()->evtchn_pending[0] = 0;
    }
    EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0), 0);
    World::run(10'000'000);
    EXPECT_FALSE(events::is_pending(*guest, port));
}

TEST_F(VcpuCalls, RunstateIsWrittenAtOnceAndOnTheWayIn)
{
    vcpu_runstate_info area{};
    fake::GuestWindow window(&area, sizeof area);
    World::run(3'000'000);
    vcpu_register_runstate_memory_area op{};
    op.addr = u64(&area);
    EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, op), 0);
    EXPECT_EQ(area.time[0] + area.time[1] + area.time[2] + area.time[3], 3'000'000u);
    EXPECT_EQ(run(hypercall::vm_assist, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
    World::run(50'000'000);
    caller->mail.flags |= mail_runstate;
    deliver_mail(*caller);
    EXPECT_EQ(area.state, caller->runstate.state);
    EXPECT_EQ(area.state_entry_time, caller->runstate.state_entry_time) << "the update mark is gone";
    vcpu_runstate_info now{};
    fake::GuestWindow second(&now, sizeof now);
    EXPECT_EQ(run(hypercall::vcpu_op, VCPUOP_get_runstate_info, 0, u64(&now)), 0);
    EXPECT_EQ(now.time[0] + now.time[1] + now.time[2] + now.time[3], 53'000'000u);
    op.addr = 64;
    EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, op), failure(Error::fault));
}

TEST_F(VcpuCalls, TheSecondClockFollowsTheFirst)
{
    vcpu_time_info area{};
    fake::GuestWindow window(&area, sizeof area);
    vcpu_register_time_memory_area op{};
    op.addr = u64(&area);
    EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, op), 0);
    fake::set_time(4321);
    deliver_mail(*caller);
    EXPECT_EQ(area.system_time, 4321u);
    EXPECT_EQ(area.version, caller->info->time.version);
    EXPECT_EQ(area.version % 2, 0u);
}

TEST_F(VcpuCalls, Wallclock)
{
    guest_time::set_wallclock(1'600'000'000'123'456'789);
    auto* shared = guest->shared_page();
    EXPECT_EQ(shared->wc_sec, 1'600'000'000u);
    EXPECT_EQ(shared->wc_nsec, 123'456'789u);
    EXPECT_EQ(shared->wc_version % 2, 0u);
    guest->wallclock_offset = -3600;
    guest_time::update_wallclock(*guest);
    EXPECT_EQ(shared->wc_sec, 1'600'000'000u - 3600);
}

TEST_F(VcpuCalls, ShutdownIsTheGuestsOwnAndTheControlDomains)
{
    EXPECT_EQ(sched_op(SCHEDOP_remote_shutdown, sched_remote_shutdown{0, 3}), failure(Error::perm));
    EXPECT_EQ(sched_op(SCHEDOP_shutdown_code, sched_shutdown{SHUTDOWN_reboot}), 0);
    EXPECT_EQ(sched_op(SCHEDOP_shutdown, sched_shutdown{SHUTDOWN_crash}), 0);
    EXPECT_EQ(guest->shutdown_code, u32(SHUTDOWN_reboot));
    auto other = world.start(1);
    caller = dom0->vcpu(0);
    EXPECT_EQ(sched_op(SCHEDOP_remote_shutdown, sched_remote_shutdown{other->id.raw(), 3}), 0);
    EXPECT_TRUE(other->is_shut_down);
    EXPECT_EQ(sched_op(SCHEDOP_remote_shutdown, sched_remote_shutdown{0, 3}), failure(Error::perm));
    EXPECT_EQ(sched_op(SCHEDOP_remote_shutdown, sched_remote_shutdown{4242, 3}), failure(Error::srch));
    EXPECT_EQ(run(hypercall::sched_op, SCHEDOP_pin_override, u64{0}), failure(Error::nosys));
}

TEST_F(VcpuCalls, AssistsAreKnownOrRefused)
{
    for (u32 type : {VMASST_TYPE_4gb_segments, VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3})
        EXPECT_EQ(run(hypercall::vm_assist, VMASST_CMD_enable, type), 0);
    EXPECT_EQ(run(hypercall::vm_assist, VMASST_CMD_disable, VMASST_TYPE_pae_extended_cr3), 0);
    EXPECT_EQ(guest->vm_assist, bit(0) | bit(2));
    EXPECT_EQ(run(hypercall::vm_assist, VMASST_CMD_enable, 63u), failure(Error::inval));
    EXPECT_EQ(run(hypercall::vm_assist, VMASST_CMD_enable, 64u), failure(Error::inval));
    EXPECT_EQ(run(hypercall::vm_assist, 7u, 2u), failure(Error::nosys));
}

TEST_F(VcpuCalls, EventChannelsByCall)
{
    evtchn_alloc_unbound alloc{DOMID_SELF, 0, 0};
    EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, alloc), 0);
    evtchn_status status{};
    status.dom = DOMID_SELF, status.port = alloc.port;
    EXPECT_EQ(event_op(EVTCHNOP_status, status), 0);
    EXPECT_EQ(status.status, u32(EVTCHNSTAT_unbound));
    EXPECT_EQ(status.u.unbound.dom, 0u);
    alloc.dom = 0;
    EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, alloc), failure(Error::perm)) << "for another domain";
    evtchn_bind_interdomain bind{guest->id.raw(), 1, 0};
    caller = dom0->vcpu(0);
    EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, bind), 0);
    status.dom = guest->id.raw(), status.port = 1;
    EXPECT_EQ(event_op(EVTCHNOP_status, status), 0);
    EXPECT_EQ(status.status, u32(EVTCHNSTAT_interdomain));
    EXPECT_EQ(status.u.interdomain.dom, 0u);
    EXPECT_EQ(status.u.interdomain.port, bind.local_port);
    bind.remote_dom = 77;
    EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, bind), failure(Error::srch));
    evtchn_port_t control[6]{};
    EXPECT_EQ(event_op(EVTCHNOP_init_control, control), failure(Error::nosys));
    EXPECT_EQ(run(hypercall::event_channel_op, EVTCHNOP_bind_ipi, u64{64}), failure(Error::fault));
    EXPECT_EQ(fake::ports_in_use(*dom0), 1u);
}

TEST_F(VcpuCalls, YieldPausesTheCpu)
{
    static unsigned pauses; // who yields in a loop would else say nothing of it to the CPU, or to an emulator
    pauses = 0;
    fake::on_spin([] { pauses++; });
    EXPECT_EQ(run(hypercall::sched_op, u32{SCHEDOP_yield}, u64{0}), 0);
    EXPECT_EQ(pauses, 1u);
    fake::on_spin(World::answer);
}

} // namespace
