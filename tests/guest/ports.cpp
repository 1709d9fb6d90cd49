// What this is: ports that the hardware domain's kernel uses without a trap, and everybody who must not: its own user mode, a kernel
// without the privilege level, a domain without hardware.
#include "lib/check.hpp"
#include "lib/child.hpp"
#include "lib/hypercall.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"
#include "lib/user.hpp"

using namespace guest;

namespace {

extern "C" char u_in61[], u_in70[];
asm(R"(
    .pushsection .user, "ax"
u_in61:  in $0x61, %al
         ud2
u_in70:  in $0x70, %al
         ud2
    .popsection
)");

void set_iopl(u32 level)
{
    physdev_set_iopl arg{level};
    CHECK_EQ(physdev(PHYSDEVOP_set_iopl, &arg), 0);
}
bool user_may(const char* code)
{
    UserStart start;
    start.rip = user_address(code);
    return run_user(start).is(vector_ud);
}
u8 in8(u16 port)
{
    u8 value;
    asm volatile("in %1, %0" : "=a"(value) : "d"(port));
    return value;
}
bool kernel_may(u16 port)
{
    return !catch_trap([=] { (void)in8(port); }).taken;
}

/// The number behind `name` in the log's last line that has it.
u64 last_number(const char* text, u32 length, const char* name)
{
    const u64 size = strlen(name);
    u64 found = ~0ul;
    for (u32 at = 0; at + size < length; at++)
        if (memcmp(text + at, name, size) == 0) {
            found = 0;
            for (at += size; at < length && text[at] >= '0' && text[at] <= '9'; at++)
                found = found * 10 + static_cast<u64>(text[at] - '0');
        }
    return found;
}

/// How many of our accesses to ports were emulated so far.
u64 emulated()
{
    static char text[65536];
    char key = 'e';
    xen_sysctl op{};
    op.u.debug_keys = {number(&key), 1};
    CHECK_EQ(sysctl(op, XEN_SYSCTL_debug_keys), 0);
    op = {};
    op.u.readconsole.buffer = number(text);
    op.u.readconsole.count = sizeof text;
    CHECK_EQ(sysctl(op, XEN_SYSCTL_readconsole), 0);
    return last_number(text, op.u.readconsole.count, "d0: emulated ports ");
}
template <class F> u64 emulated_by(F&& f)
{
    const u64 before = emulated();
    f();
    return emulated() - before;
}

void check_native()
{
    set_iopl(1);
    // The speaker's port, the clock's, the last that can be native.
    CHECK_EQ(emulated_by([] {
                 for (u16 port : {0x61, 0x70, 0x71, 0x80, 0xcf7, 0xd00, 0xfff7})
                     in8(port);
                 asm volatile("out %%al, %%dx" ::"a"(0), "d"(0x80));
                 asm volatile("out %%eax, %%dx" ::"a"(0), "d"(0x80));
                 u8 bytes[2];
                 void* to = bytes;
                 u64 count = 2;
                 asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x71) : "memory");
                 CHECK_EQ(count, 0);
             }),
             0);
    // Those that stay with the hypervisor, and accesses that reach into them.
    CHECK_EQ(emulated_by([] {
                 for (u16 port : {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43, 0x3f8, 0x3ff, 0xcf8, 0xcf9, 0xcff, 0xfff8, 0xffff})
                     in8(port);
                 u32 value;
                 asm volatile("inl %1, %0" : "=a"(value) : "d"(u16{0x1d}));
                 CHECK_EQ(value, ~0u);
             }),
             14);
}

void check_user_mode()
{
    const u8 native = in8(0x61);
    CHECK(native != 0xff);
    for (int round = 0; round < 3; round++) {
        CHECK(!user_may(u_in61));
        CHECK_EQ(emulated_by([] { in8(0x61); }), 0); // and back in the kernel it is native again
    }
    static u8 map[8192];
    memset(map, 0xff, sizeof map);
    map[0x61 / 8] &= static_cast<u8>(~(1 << 0x61 % 8));
    physdev_set_iobitmap arg{number(map), 65536};
    CHECK_EQ(physdev(PHYSDEVOP_set_iobitmap, &arg), 0);
    CHECK(user_may(u_in61));
    CHECK(!user_may(u_in70));
    arg = {};
    CHECK_EQ(physdev(PHYSDEVOP_set_iobitmap, &arg), 0);
    set_iopl(3);
    CHECK(user_may(u_in61));
    CHECK(user_may(u_in70));
    set_iopl(1);
    CHECK(!user_may(u_in61));
}

void check_level()
{
    set_iopl(0);
    CHECK(!kernel_may(0x61));
    CHECK(!kernel_may(0x20));
    set_iopl(1);
    CHECK(kernel_may(0x61));
}

void check_other_domain()
{
    Child child;
    CHECK_EQ(child.create(), 0);
    CHECK_EQ(child.build(), 0);
    CHECK_EQ(child.start(), 0);
    CHECK(child.wait_ready());
    *child.argument<physdev_set_iopl>() = {1};
    CHECK_EQ(child.call(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, child.argument_va()), 0);
    for (u16 port : {0x61, 0x70, 0x20, 0xcfc}) {
        CHECK_EQ(child.read_port(port), 0xff);
        CHECK_EQ(emulated_by([] { in8(0x61); }), 0);
    }
    CHECK_EQ(child.destroy(), 0);
}

} // namespace

void guest::test()
{
    if (!on_tenon())
        return skip("the key that tells how much was emulated is Tenon's");
    set_up_user_mode();
    check_native();
    check_user_mode();
    check_level();
    check_other_domain();
}
