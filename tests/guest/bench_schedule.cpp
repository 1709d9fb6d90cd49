// What this is: giving up the CPU and getting it back, between marks, with the counting plugin.
//
// Run with: limit=120
#include "lib/bench.hpp"
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"

using namespace guest;

void guest::test()
{
    u64 failures = 0;
    install_event_counter();
    failures += vcpu_op(VCPUOP_stop_periodic_timer, 0) != 0;
    long timer = bind_virq(VIRQ_TIMER);
    unmask_port(static_cast<u32>(timer));
    unmask_upcalls();
    bench<60>("yield, nobody waits", 500, [&] { failures += sched_op(SCHEDOP_yield) != 0; });
    bench<61>("timer, block, upcall and iret", 200, [&] {
        u32 before = port_count[timer];
        vcpu_set_singleshot_timer when{now() + 200_us, 0};
        failures += vcpu_op(VCPUOP_set_singleshot_timer, 0, &when) != 0;
        while (port_count[timer] == before)
            failures += sched_op(SCHEDOP_block) != 0;
    });
    bench<62>("block with an event pending", 500, [&] {
        u32 before = port_count[timer];
        mask_upcalls();
        vcpu_set_singleshot_timer when{1, 0}; // it is over
        failures += vcpu_op(VCPUOP_set_singleshot_timer, 0, &when) != 0;
        failures += sched_op(SCHEDOP_block) != 0;
        failures += port_count[timer] == before;
    });
    CHECK_EQ(failures, 0);
}
