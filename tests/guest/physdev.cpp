// What this is: physdev_op: I/O privilege of the kernel and of user mode, the I/O bitmap, interrupt lines.
#include "lib/check.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"
#include "lib/user.hpp"

using namespace guest;

namespace {

extern "C" char u_in80[], u_out80[], u_in70[], u_cli[];
asm(R"(
    .pushsection .user, "ax"
u_in80:  in $0x80, %al
         ud2
u_out80: out %al, $0x80
         ud2
u_in70:  in $0x71, %al
         ud2
u_cli:   cli
         ud2
    .popsection
)");

long set_iopl(u32 level)
{
    physdev_set_iopl arg{level};
    return physdev(PHYSDEVOP_set_iopl, &arg);
}
long set_bitmap(const u8* map, u32 ports)
{
    physdev_set_iobitmap arg{number(map), ports};
    return physdev(PHYSDEVOP_set_iobitmap, &arg);
}
bool user_may(const char* code)
{
    UserStart start;
    start.rip = user_address(code);
    Trap trap = run_user(start);
    CHECK(trap.is(vector_ud) || trap.is(vector_gp));
    return trap.is(vector_ud);
}
bool kernel_may()
{
    return !catch_trap([] { asm volatile("in $0x80, %%al" ::: "eax"); }).taken;
}

void check_iopl()
{
    CHECK_EQ(set_iopl(0), 0);
    CHECK(!kernel_may());
    CHECK(!user_may(u_in80));
    CHECK_EQ(set_iopl(1), 0);
    CHECK(kernel_may());
    CHECK(!user_may(u_in80));
    CHECK(!user_may(u_cli));
    CHECK_EQ(set_iopl(3), 0);
    CHECK(kernel_may());
    CHECK(user_may(u_in80));
    CHECK(user_may(u_out80));
    user_may(u_cli); // refused, or does nothing
    CHECK_EQ(set_iopl(4), -XEN_EINVAL);
    CHECK_EQ(set_iopl(~0u), -XEN_EINVAL);
    CHECK_EQ(set_iopl(1), 0);
    CHECK(!user_may(u_in80));
}

void check_bitmap()
{
    static u8 map[8192];
    memset(map, 0xff, sizeof map);
    map[0x80 / 8] &= ~(1 << 0x80 % 8);
    CHECK_EQ(set_bitmap(map, 65536), 0);
    CHECK(user_may(u_in80));
    CHECK(user_may(u_out80));
    CHECK(!user_may(u_in70));
    CHECK(kernel_may());
    CHECK_EQ(set_bitmap(map, 0x80), 0); // ports beyond the end are not allowed
    CHECK(!user_may(u_in80));
    CHECK_EQ(set_bitmap(map, 0x81), 0);
    CHECK(user_may(u_in80));
    CHECK_EQ(set_bitmap(nullptr, 0), 0);
    CHECK(!user_may(u_in80));
    CHECK_EQ(set_bitmap(map, 65537), -XEN_EINVAL);
    // A map that is not there forbids.
    CHECK_EQ(set_bitmap(reinterpret_cast<u8*>(take_empty_va()), 65536), 0);
    CHECK(!user_may(u_in80));
    CHECK_EQ(set_bitmap(nullptr, 0), 0);
}

void check_interrupt_lines()
{
    // COM2's line: nobody uses it here.
    physdev_map_pirq map{DOMID_SELF, MAP_PIRQ_TYPE_GSI, 3, 3, 0, 0, 0, 0};
    CHECK_EQ(physdev(PHYSDEVOP_map_pirq, &map), 0);
    CHECK_EQ(map.pirq, 3);
    evtchn_bind_pirq bind{3, BIND_PIRQ__WILL_SHARE, 0};
    CHECK_EQ(event_op(EVTCHNOP_bind_pirq, &bind), 0);
    CHECK_EQ(status_of(bind.port).status, EVTCHNSTAT_pirq);
    CHECK_EQ(status_of(bind.port).u.pirq, 3);
    evtchn_bind_pirq again = bind;
    CHECK_EQ(event_op(EVTCHNOP_bind_pirq, &again), -XEN_EEXIST);
    physdev_irq_status_query query{3, ~0u};
    CHECK_EQ(physdev(PHYSDEVOP_irq_status_query, &query), 0);
    CHECK_EQ(query.flags & ~3u, 0);
    physdev_eoi eoi{3};
    CHECK_EQ(physdev(PHYSDEVOP_eoi, &eoi), 0);
    CHECK_EQ(close_port(bind.port), 0);
    physdev_unmap_pirq unmap{DOMID_SELF, 3};
    CHECK_EQ(physdev(PHYSDEVOP_unmap_pirq, &unmap), 0);

    physdev_irq vector{3, 0};
    CHECK_EQ(physdev(PHYSDEVOP_alloc_irq_vector, &vector), 0);
    for (u32 line : {9999u, ~0u, 0x80000000u}) {
        eoi.irq = line;
        CHECK_EQ(physdev(PHYSDEVOP_eoi, &eoi), -XEN_EINVAL);
        query.irq = line;
        CHECK_EQ(physdev(PHYSDEVOP_irq_status_query, &query), -XEN_EINVAL);
        bind.pirq = line;
        CHECK_EQ(event_op(EVTCHNOP_bind_pirq, &bind), -XEN_EINVAL);
        map = {DOMID_SELF, MAP_PIRQ_TYPE_GSI, static_cast<int>(line), static_cast<int>(line), 0, 0, 0, 0};
        CHECK(physdev(PHYSDEVOP_map_pirq, &map) < 0);
        unmap.pirq = static_cast<int>(line);
        CHECK(physdev(PHYSDEVOP_unmap_pirq, &unmap) < 0);
    }
    map = {99, MAP_PIRQ_TYPE_GSI, 3, 3, 0, 0, 0, 0};
    CHECK_EQ(physdev(PHYSDEVOP_map_pirq, &map), -XEN_ESRCH);
    map = {DOMID_SELF, 77, 3, 3, 0, 0, 0, 0};
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) < 0);
}

void check_io_apic()
{
    physdev_apic arg{0xfec00000, 1, 0};
    CHECK_EQ(physdev(PHYSDEVOP_apic_read, &arg), 0);
    CHECK_EQ(arg.value & 0xff, 0x20);       // version
    CHECK_EQ(arg.value >> 16 & 0xff, 0x17); // 24 pins
    arg.apic_physbase = 0xfec10000;
    CHECK(physdev(PHYSDEVOP_apic_read, &arg) < 0);
}

void check_bad_pointers()
{
    for (u32 command : {5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17, 20, 21, 23, 24, 25, 26, 28})
        CHECK(physdev(command, reinterpret_cast<void*>(1ul << 63)) < 0);
    CHECK_EQ(physdev(99, nullptr), -XEN_ENOSYS);
}

} // namespace

void guest::test()
{
    mask_upcalls();
    set_up_user_mode();
    check_iopl();
    check_bitmap();
    check_interrupt_lines();
    check_io_apic();
    check_bad_pointers();
}
