// What this is: the steps of a toolstack, as few as there can be, and the few instructions that the child
// runs.
#include "child.hpp"

#include "check.hpp"
#include "paging.hpp"
#include "runtime.hpp"

// in: rdi = its data page, esi = its event port. Words of the data page: 0 ready, 1 request, 2 event_send
// argument, 8.. the request.
asm(R"(
    .pushsection .rodata
    .globl child_start, child_end
child_start:
    mov %rdi, %rbx
    mov %esi, 16(%rbx)
    movq $0xc0ffee, (%rbx)
    mov $32, %eax
    mov $4, %edi
    lea 16(%rbx), %rsi
    syscall
    mov %rax, 24(%rbx)
1:  incq 32(%rbx)
    mov $29, %eax
    xor %edi, %edi
    xor %esi, %esi
    syscall
    mov 8(%rbx), %rax
    test %rax, %rax
    jz 1b
    cmp $2, %rax
    je 2f
    cmp $3, %rax
    je 3f
    mov 64(%rbx), %rax
    mov 72(%rbx), %rdi
    mov 80(%rbx), %rsi
    mov 88(%rbx), %rdx
    mov 96(%rbx), %r10
    mov 104(%rbx), %r8
    syscall
    mov %rax, 112(%rbx)
    movq $0, 8(%rbx)
    jmp 1b
3:  mov 64(%rbx), %rdx
    xor %eax, %eax
    in %dx, %al
    mov %rax, 112(%rbx)
    movq $0, 8(%rbx)
    jmp 1b
2:  ud2
child_end:
    .popsection
)");

extern "C" char child_start[], child_end[];

namespace guest {

namespace {

u64 scratch_va()
{
    static u64 va = take_empty_va();
    return va;
}
vcpu_guest_context context;

} // namespace

long domctl(xen_domctl& op, u32 command, u16 domain)
{
    op.cmd = command;
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op.domain = domain;
    return hypercall(__HYPERVISOR_domctl, &op);
}
long sysctl(xen_sysctl& op, u32 command)
{
    op.cmd = command;
    op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_sysctl, &op);
}
u64 free_pages()
{
    xen_sysctl op{};
    if (sysctl(op, XEN_SYSCTL_physinfo))
        return 0;
    return op.u.physinfo.free_pages;
}

long map_foreign(u16 domain, u64 mfn, u64 va, u64 bits)
{
    long rc = mmu_update_one(entry_maddr(va), bits ? mfn << page_shift | bits : 0, bits ? domain : DOMID_SELF);
    mmuext(MMUEXT_INVLPG_LOCAL, va);
    return rc;
}

long Child::create()
{
    xen_domctl op{};
    auto& c = op.u.createdomain;
    c.max_vcpus = 1;
    c.max_evtchn_port = 1023;
    c.max_grant_frames = c.max_maptrack_frames = -1;
    c.grant_opts = 1;
    if (long rc = domctl(op, XEN_DOMCTL_createdomain, 0xffff))
        return rc;
    id = op.domain;
    op = {};
    op.u.max_vcpus.max = 1;
    if (long rc = domctl(op, XEN_DOMCTL_max_vcpus, id))
        return rc;
    op = {};
    op.u.max_mem.max_memkb = pages * 4;
    if (long rc = domctl(op, XEN_DOMCTL_max_mem, id))
        return rc;
    for (u32 i = 0; i < pages; i++)
        frames[i] = i;
    xen_memory_reservation memory{number(frames), pages, 0, 0, id};
    long got = memory_op(XENMEM_populate_physmap, &memory);
    return got == pages ? 0 : got < 0 ? got : -XEN_ENOMEM;
}

long Child::build()
{
    long rc = 0;
    auto* page = reinterpret_cast<u64*>(scratch_va());
    auto fill = [&](Page which, auto write) {
        if (rc == 0)
            rc = map_foreign(id, frames[which], scratch_va(), pte_rw);
        if (rc)
            return;
        memset(page, 0, page_size);
        write();
        map_foreign(id, 0, scratch_va(), 0);
    };
    auto table = [&](Page next) { return frames[next] << page_shift | pte_table; };
    shared_info_mfn = info().shared_info_frame;
    fill(code, [&] { memcpy(page, child_start, static_cast<size_t>(child_end - child_start)); });
    fill(data, [] {});
    fill(stack, [] {});
    fill(l4, [&] { page[0] = table(l3); });
    fill(l3, [&] { page[0] = table(l2); });
    fill(l2, [&] { page[0] = table(l1); });
    fill(l1, [&] {
        for (u32 i = 0; i < pages; i++)
            page[base / page_size + i] = frames[i] << page_shift | (i >= l4 && i <= l1 ? pte_ro : pte_rw);
    });
    if (rc || (rc = mmuext(MMUEXT_PIN_L4_TABLE, frames[l4], 0, id)))
        return rc;
    // Its end of a channel to us.
    evtchn_alloc_unbound port{id, DOMID_SELF, 0};
    if ((rc = event_op(EVTCHNOP_alloc_unbound, &port)))
        return rc;
    event_port = port.port;
    if (!window_va)
        window_va = take_empty_va();
    if ((rc = map_foreign(id, frames[data], window_va, pte_rw)))
        return rc;
    window = reinterpret_cast<u64*>(window_va);

    return set_context(va(code), va(data), event_port, va(stack) + page_size, frames[l4]);
}

long BuiltDomain::set_context(u64 rip, u64 rdi, u64 rsi, u64 stack_top, u64 l4_mfn)
{
    context = {};
    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = rip;
    context.user_regs.rdi = rdi;
    context.user_regs.rsi = rsi;
    context.user_regs.cs = flat_cs;
    context.user_regs.ss = flat_ss;
    context.user_regs.rflags = 0x200;
    context.user_regs.rsp = stack_top;
    context.kernel_ss = flat_ss;
    context.kernel_sp = stack_top;
    context.ctrlreg[3] = xen_pfn_to_cr3(l4_mfn);
    xen_domctl op{};
    op.u.vcpucontext.vcpu = 0;
    op.u.vcpucontext.ctxt = number(&context);
    return domctl(op, XEN_DOMCTL_setvcpucontext, id);
}

long BuiltDomain::destroy_within(int tries)
{
    for (; tries; tries--) {
        xen_domctl op{};
        long rc = domctl(op, XEN_DOMCTL_destroydomain, id);
        if (rc != -XEN_EAGAIN && rc != -XEN_ERESTART)
            return rc;
    }
    return -XEN_ETIME;
}

long BuiltDomain::start()
{
    xen_domctl op{};
    return domctl(op, XEN_DOMCTL_unpausedomain, id);
}
long BuiltDomain::pause()
{
    xen_domctl op{};
    return domctl(op, XEN_DOMCTL_pausedomain, id);
}

long Child::destroy()
{
    if (window)
        map_foreign(id, 0, window_va, 0);
    window = nullptr;
    return destroy_within(1000);
}

xen_domctl_getdomaininfo BuiltDomain::info(long* rc)
{
    xen_domctl op{};
    long answer = domctl(op, XEN_DOMCTL_getdomaininfo, id);
    if (rc)
        *rc = answer;
    return op.u.getdomaininfo;
}

bool Child::wait_ready()
{
    volatile u64* words = window;
    for (int i = 0; i < 100000 && words[0] != 0xc0ffee; i++)
        sched_op(SCHEDOP_yield);
    return words[0] == 0xc0ffee;
}

long Child::call5(long nr, long a, long b, long c, long d, long e)
{
    const long request[] = {nr, a, b, c, d, e};
    for (int i = 0; i < 6; i++)
        window[8 + i] = static_cast<u64>(request[i]);
    return ask(1);
}

long Child::read_port(u16 port)
{
    window[8] = port;
    return ask(3);
}

long Child::ask(u64 what)
{
    volatile u64* words = window;
    barrier();
    words[1] = what;
    for (int i = 0; i < 100000; i++) {
        sched_op(SCHEDOP_yield);
        if (words[1] == 0)
            return static_cast<long>(words[14]);
    }
    return -XEN_ETIMEDOUT;
}

void Child::crash()
{
    *const_cast<volatile u64*>(window + 1) = 2;
    for (int i = 0; i < 100000 && !(info().flags & XEN_DOMINF_shutdown); i++)
        sched_op(SCHEDOP_yield);
}

} // namespace guest
