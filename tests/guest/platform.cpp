// What this is: the hardware domain's calls: console_io, platform_op, and the answers that calls get which
// are not offered.
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"

using namespace guest;

namespace {

long console(u32 command, u64 count, const void* buffer) { return hypercall(__HYPERVISOR_console_io, command, count, buffer); }

void check_console()
{
    static char text[3000];
    memset(text, '.', sizeof text);
    for (int i = 79; i < 3000; i += 80)
        text[i] = '\n';
    text[2999] = '\n';
    CHECK(console(CONSOLEIO_write, sizeof text, text) >= 0);
    CHECK_EQ(console(CONSOLEIO_write, 5, reinterpret_cast<void*>(1ul << 63)), -XEN_EFAULT);
    CHECK_EQ(console(CONSOLEIO_write, 5, reinterpret_cast<void*>(take_empty_va())), -XEN_EFAULT);
    CHECK_EQ(console(CONSOLEIO_read, sizeof text, text), 0); // nobody types
    CHECK(console(CONSOLEIO_read, 1ul << 31, text) < 0);
    CHECK_EQ(console(7, 0, text), -XEN_ENOSYS);
    // Bytes that are no text do no harm.
    const char binary[] = "\x01\x02\xff\x80 not text\n";
    CHECK(console(CONSOLEIO_write, sizeof binary - 1, binary) >= 0);
}

xen_platform_op op;

long platform(u32 command)
{
    op.cmd = command;
    op.interface_version = XENPF_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_platform_op, &op);
}

void check_platform()
{
    op = {};
    op.cmd = XENPF_get_cpuinfo;
    op.interface_version = XENPF_INTERFACE_VERSION + 1;
    CHECK_EQ(hypercall(__HYPERVISOR_platform_op, &op), -XEN_EACCES);
    CHECK_EQ(hypercall(__HYPERVISOR_platform_op, 1ul << 63), -XEN_EFAULT);
    CHECK_EQ(platform(999), -XEN_ENOSYS);

    op = {};
    CHECK_EQ(platform(XENPF_get_cpuinfo), 0);
    CHECK_EQ(op.u.pcpu_info.flags & 1, 1); // online
    CHECK_EQ(op.u.pcpu_info.apic_id, 0);
    u32 present = op.u.pcpu_info.max_present;
    op = {};
    op.u.pcpu_info.xen_cpuid = present + 1;
    long rc = platform(XENPF_get_cpuinfo);
    CHECK(rc < 0 || op.u.pcpu_info.flags & 2); // invalid
    op = {};
    op.u.pcpu_info.xen_cpuid = ~0u;
    rc = platform(XENPF_get_cpuinfo);
    CHECK(rc < 0 || op.u.pcpu_info.flags & 2);

    for (u32 type : {1u, 2u, 3u, 4u, 5u, 77u}) {
        op = {};
        op.u.firmware_info.type = type;
        op.u.firmware_info.index = 1000;
        rc = platform(XENPF_firmware_info);
        print("firmware_info type %u: %ld\n", type, rc);
        CHECK(rc <= 0);
    }

    // The clock may be set: wall-clock time moves, system time does not.
    u64 before = now();
    op = {};
    op.u.settime64.secs = 1'000'000'000;
    op.u.settime64.system_time = now();
    CHECK_EQ(platform(XENPF_settime64), 0);
    u64 seconds = shared->wc_sec + now() / 1000'000'000;
    CHECK(seconds >= 999'999'999 && seconds <= 1'000'000'010);
    CHECK(now() >= before && now() - before < 1000_ms);
    op = {};
    op.u.settime64.mbz = 1;
    CHECK_EQ(platform(XENPF_settime64), -XEN_EINVAL);
}

void check_not_offered()
{
    for (u64 nr : {43ul, 47ul, 55ul, 62ul, 63ul, 64ul, 65ul, 1000ul, 0xfffffffful})
        CHECK_EQ(hypercall(nr), -XEN_ENOSYS);
    long rc = hypercall(17 | 1ul << 32); // Xen looks at all of rax, the ABI says eax
    CHECK(rc == -XEN_ENOSYS || rc == (4 << 16 | 17));
    CHECK(hypercall(__HYPERVISOR_hvm_op, 0, 0) < 0);
    CHECK(hypercall(__HYPERVISOR_tmem_op, 0) < 0);
    CHECK(hypercall(__HYPERVISOR_xsm_op, 0) < 0);
    CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 99), -XEN_EINVAL);
    CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, 5, VMASST_TYPE_writable_pagetables), -XEN_ENOSYS);
    CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    // Control calls of the wrong version.
    u64 words[32] = {};
    CHECK_EQ(hypercall(__HYPERVISOR_domctl, words), -XEN_EACCES);
    CHECK_EQ(hypercall(__HYPERVISOR_sysctl, words), -XEN_EACCES);
    CHECK_EQ(hypercall(__HYPERVISOR_domctl, 1ul << 63), -XEN_EFAULT);
    CHECK_EQ(hypercall(__HYPERVISOR_sysctl, 1ul << 63), -XEN_EFAULT);
}

/// Arguments come through untouched, and so does every register that a call has no business with.
void check_registers()
{
    u64 rax = __HYPERVISOR_xen_version, rdi = 0, rsi = 0x51, rdx = 0xd0, rbx = 0xb0;
    register u64 r8 asm("r8") = 8;
    register u64 r9 asm("r9") = 9;
    register u64 r10 asm("r10") = 10;
    register u64 r12 asm("r12") = 12;
    register u64 r15 asm("r15") = 15;
    u64 rsp_before, rsp_after, flags;
    asm volatile("mov %%rsp, %[before]; std; stc; syscall; pushf; pop %[flags]; cld; mov %%rsp, %[after]"
                 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12),
                   "+r"(r15), [before] "=&r"(rsp_before), [after] "=&r"(rsp_after), [flags] "=&r"(flags)
                 :
                 : "rcx", "r11", "memory", "cc");
    u64 kept[] = {r8, r9, r10, r12, r15}; // before any function call uses them
    CHECK_EQ(rax, 4 << 16 | 17);
    CHECK_EQ(rbx, 0xb0);
    CHECK_EQ(kept[0], 8);
    CHECK_EQ(kept[1], 9);
    CHECK_EQ(kept[2], 10);
    CHECK_EQ(kept[3], 12);
    CHECK_EQ(kept[4], 15);
    CHECK_EQ(rdi, 0);
    CHECK_EQ(rsi, 0x51);
    CHECK_EQ(rdx, 0xd0);
    CHECK_EQ(rsp_after, rsp_before);
    CHECK_EQ(flags & (flag_df | flag_if | 1), flag_df | flag_if | 1);
}

} // namespace

void guest::test()
{
    check_console();
    check_platform();
    check_not_offered();
    check_registers();
}
