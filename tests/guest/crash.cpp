// What this is: guest kernels that leave the hypervisor nothing to deliver to: each must end this domain,
// cleanly and with a word in the log, and never the hypervisor. There is no verdict line; the runner wants to
// see the crash reported.
//
// Run with: cases="no_handler bad_stack hypervisor_stack m2p_stack iret_frame iret_hypervisor_frame
// no_user_table asked_for" ends="crash"
#include "lib/check.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

[[noreturn]] void trap_with_stack(u64 rsp)
{
    asm volatile("mov %0, %%rsp; ud2" ::"r"(rsp));
    __builtin_unreachable();
}
[[noreturn]] void iret_with_stack(u64 rsp)
{
    asm volatile("mov %0, %%rsp; mov $23, %%eax; syscall" ::"r"(rsp));
    __builtin_unreachable();
}

} // namespace

void guest::test()
{
    const char* name = argument("case");
    print("case %s\n", name);
    auto is = [=](const char* text) { return strcmp(name, text) == 0; };
    u64 other = hypervisor_start + (4ul << 39) + 0x1000;
    if (is("no_handler")) {
        hypercall(__HYPERVISOR_set_trap_table, 0);
        asm volatile("ud2");
    }
    if (is("bad_stack"))
        trap_with_stack(take_empty_va() + 2048);
    if (is("hypervisor_stack"))
        trap_with_stack(other);
    if (is("m2p_stack"))
        trap_with_stack(hypervisor_start + 4096);
    if (is("iret_frame"))
        iret_with_stack(take_empty_va() + 8);
    if (is("iret_hypervisor_frame"))
        iret_with_stack(other);
    if (is("no_user_table")) {
        Frame frame{};
        frame.rip = 0x400000, frame.rsp = 0x600000, frame.cs = flat_cs, frame.ss = flat_ss, frame.rflags = 0x202;
        mmuext(MMUEXT_NEW_USER_BASEPTR, 0);
        enter_frame(&frame);
    }
    if (is("asked_for"))
        shut_down(SHUTDOWN_crash);
    give_up("still here after case %s", name);
}
