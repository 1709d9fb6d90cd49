// What this is: a guest of the older kind: hypercalls through the page that the hypervisor fills, the p2m
// list inside the kernel's own mapping, and iret by jumping into the page.
#include "lib/check.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/trap.hpp"

using namespace guest;

namespace {

extern "C" char hypercall_page[];

long call_page(long nr, long a1, long a2, long a3)
{
    register long number_of_call asm("rax") = nr;
    char* entry = hypercall_page + nr * 32;
    asm volatile("call *%[entry]"
                 : "+r"(number_of_call), "+D"(a1), "+S"(a2), "+d"(a3)
                 : [entry] "r"(entry)
                 : "rcx", "r11", "r10", "r8", "memory");
    return number_of_call;
}

void check_page()
{
    CHECK_EQ(call_page(__HYPERVISOR_xen_version, XENVER_version, 0, 0), 4 << 16 | 17);
    static const char text[] = "printed through the hypercall page\n";
    CHECK_EQ(call_page(__HYPERVISOR_console_io, CONSOLEIO_write, sizeof text - 1, number(text)), 0);
    CHECK_EQ(call_page(62, 0, 0, 0), -XEN_ENOSYS);
    // A call keeps rcx and r11, too.
    u64 rcx = 0x1234, r11 = 0x5678;
    asm volatile("mov %0, %%rcx; mov %1, %%r11; xor %%edi, %%edi; xor %%esi, %%esi; call *%2; mov %%rcx, %0; "
                 "mov %%r11, %1"
                 : "+r"(rcx), "+r"(r11)
                 : "r"(hypercall_page + __HYPERVISOR_xen_version * 32)
                 : "rax", "rcx", "r11", "rdi", "rsi", "memory");
    CHECK_EQ(rcx, 0x1234);
    CHECK_EQ(r11, 0x5678);
}

/// The iret slot is jumped to with flags, rip, cs, rflags, rsp, ss on the stack; it pushes what else the
/// hypercall wants.
void check_iret()
{
    u64 rax = 0xaaa, rcx = 0xccc, rsp_before, rsp_after;
    asm volatile("mov %%rsp, %[before]\n"
                 "pushq $0xe02b; push %[before]; pushq $0x202; pushq $0xe030; lea 1f(%%rip), %%rdx; push "
                 "%%rdx; pushq $0\n"
                 "mov %[entry], %%rdx; jmp *%%rdx\n"
                 "1: mov %%rsp, %[after]"
                 : "+a"(rax), "+c"(rcx), [after] "=&r"(rsp_after), [before] "=&r"(rsp_before)
                 : [entry] "r"(hypercall_page + __HYPERVISOR_iret * 32)
                 : "rdx", "r11", "memory");
    CHECK_EQ(rax, 0xaaa);
    CHECK_EQ(rcx, 0xccc);
    CHECK_EQ(rsp_after, rsp_before);
    CHECK_EQ(vcpu0->evtchn_upcall_mask, 0);
}

void check_p2m()
{
    // Order in the initial mapping: image, list, start_info.
    CHECK(boot_info->mfn_list >= number(image_end));
    CHECK(boot_info->mfn_list < number(boot_info));
    CHECK_EQ(boot_info->flags & SIF_MOD_START_PFN, 0);
    CHECK_EQ(boot_info->mod_start, 0);
    for (u64 pfn = 0; pfn < boot_info->nr_pages; pfn++)
        if (phys_of_mfn(phys_to_machine[pfn]) != pfn)
            give_up("m2p[p2m[%lx]] is %lx", pfn, phys_of_mfn(phys_to_machine[pfn]));
    phys_to_machine[boot_info->nr_pages - 1] = phys_to_machine[boot_info->nr_pages - 1]; // writable
    CHECK(true);
}

} // namespace

void guest::test()
{
    check_page();
    check_iret();
    check_p2m();
}
