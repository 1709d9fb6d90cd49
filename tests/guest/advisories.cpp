// What this is: the classes of bugs that hypervisors for PV guests have had advisories for, where no other guest here has them already:
// what user mode reaches through the emulator, long work hidden in an instruction, flags and breakpoints carried into the hypervisor,
// addresses that are none, the hypervisor's stack in the gaps of structures, references that failed calls leave behind.
//
// Run with: smp=2 hypervisor="dom0_max_vcpus=2"
#include "lib/check.hpp"
#include "lib/clock.hpp"
#include "lib/event.hpp"
#include "lib/hypercall.hpp"
#include "lib/paging.hpp"
#include "lib/runtime.hpp"
#include "lib/smp.hpp"
#include "lib/trap.hpp"
#include "lib/user.hpp"

using namespace guest;

namespace {

constexpr u64 odd_addresses[] = {0,
                                 1ul << 47,
                                 0xffff7ffffffffff8,
                                 hypervisor_start,
                                 hypervisor_start + (1ul << 39),
                                 hypervisor_start + (4ul << 39),
                                 hypervisor_end - 4,
                                 1ul << 63,
                                 ~0ul - 3};

extern "C" char u_insl[], u_outsl[];
asm(R"(
    .pushsection .user, "ax"
u_insl:  insl
         ud2
u_outsl: outsl
         ud2
    .popsection
)");

/// String I/O may be emulated through the kernel's tables: user mode with the right to ports must not reach kernel memory by it.
void check_strings_of_user_mode()
{
    set_up_user_mode();
    physdev_set_iopl level{3};
    CHECK_EQ(physdev(PHYSDEVOP_set_iopl, &level), 0);
    auto page = static_cast<volatile u32*>(take_page());
    page[0] = 0x5a5a5a5a;
    auto run = [](const char* code, u64 address) {
        UserStart start;
        start.rip = user_address(code);
        start.rdi = start.rsi = address;
        start.rdx = 0x80;
        return run_user(start);
    };
    for (const char* code : {u_insl, u_outsl}) {
        for (u64 address : {number(page), number(shared), user_stack - 2, user_stack_top - 2, hypervisor_start, ~0ul - 2}) {
            Trap trap = run(code, address);
            if (!CHECK(trap.is(vector_pf) || trap.is(vector_gp)))
                print("  %lx: vector %lu\n", address, trap.frame.vector);
            CHECK_EQ(trap.frame.rip, user_address(code));
        }
        CHECK(run(code, user_stack + 8).is(vector_ud)); // its own memory: done
    }
    CHECK(run(u_insl, user_code).is(vector_pf)); // its own, but read-only
    CHECK_EQ(page[0], 0x5a5a5a5a);
    level.iopl = 0;
    CHECK_EQ(physdev(PHYSDEVOP_set_iopl, &level), 0);
}

constexpr u32 tables_per_tree = 90;
u32 interrupted;
extern "C" char write_cr3[];

bool on_upcall(Frame& frame)
{
    interrupted += frame.rip == number(write_cr3);
    handle_events(*vcpu0);
    return true;
}

/// An L4 whose validation takes long: beside the kernel's own entries, many full L1 tables, none of them validated yet.
u64* long_tree()
{
    auto l4 = static_cast<u64*>(take_page()), l3 = static_cast<u64*>(take_page()), l2 = static_cast<u64*>(take_page());
    static u64 shown = mfn_of(take_page());
    l4[511] = current_l4()[511];
    l4[0] = mfn_of(l3) << page_shift | pte_table;
    l3[0] = mfn_of(l2) << page_shift | pte_table;
    for (u32 i = 0; i < tables_per_tree; i++) {
        auto l1 = static_cast<u64*>(take_page());
        for (u32 at = 0; at < 512; at++)
            l1[at] = shown << page_shift | pte_ro;
        l2[i] = mfn_of(l1) << page_shift | pte_table;
        CHECK_EQ(make_ro(l1), 0);
    }
    for (u64* table : {l4, l3, l2})
        CHECK_EQ(make_ro(table), 0);
    return l4;
}

void timer_in(u64 ns) { hypercall(__HYPERVISOR_set_timer_op, now() + ns); }

/// MOV to CR3 validates the new tables like a call does, and like a call it must let others go first when that takes long.
void check_long_instruction(u64* tree)
{
    long timer = bind_virq(VIRQ_TIMER);
    CHECK(timer > 0);
    unmask_port(static_cast<u32>(timer));
    trap_hooks[callback_event] = on_upcall;
    unmask_upcalls();
    u64 home = mfn_of(current_l4()) << page_shift;
    interrupted = 0;
    for (u32 i = 1; i <= 40 && !interrupted; i++) {
        timer_in(i % 10 * 100'000);
        asm volatile(".globl write_cr3; write_cr3: mov %0, %%cr3" ::"r"(mfn_of(tree) << page_shift) : "memory");
        asm volatile("mov %0, %%cr3" ::"r"(home) : "memory");
        mmuext(MMUEXT_NEW_BASEPTR, home >> page_shift); // after what the release has put off
    }
    CHECK(interrupted > 0);
    CHECK_EQ(make_rw(tree), 0); // and nothing holds it any more
    CHECK_EQ(make_ro(tree), 0);
}

/// What a failed VCPUOP_initialise took is given back by the next one, however long that takes.
void check_failed_initialise(u64* first, u64* second)
{
    static vcpu_guest_context context;
    auto attempt = [&](u64* kernel, u64* user, u64 gdt_frame) {
        fill_context(
            context, 1, [](void*) {}, nullptr);
        context.ctrlreg[3] = mfn_of(kernel) << page_shift;
        context.ctrlreg[1] = mfn_of(user) << page_shift;
        context.gdt_frames[0] = gdt_frame;
        context.gdt_ents = gdt_frame ? 512 : 0;
        timer_in(100'000);
        return vcpu_op(VCPUOP_initialise, 1, &context);
    };
    CHECK(attempt(first, second, 1ul << 40) < 0);
    CHECK_EQ(attempt(current_l4(), current_l4(), 0), 0);
    for (u64* tree : {first, second}) {
        mmuext(MMUEXT_TLB_FLUSH_LOCAL); // a call that can go on with what was put off
        CHECK_EQ(vcpu_op(VCPUOP_is_up, 1), 0);
        CHECK_EQ(make_rw(tree), 0);
    }
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &context), -XEN_EEXIST); // once only
}

/// Flags that are the guest's to set, in the hypervisor and in the handler of a trap.
void check_flags()
{
    for (u64 flags : {flag_nt, flag_ac, flag_df, flag_nt | flag_ac | flag_df, 0x10000ul, 0x200000ul, flag_nt | 0x210000}) {
        u64 result = __HYPERVISOR_xen_version;
        asm volatile("pushfq; orq %1, (%%rsp); popfq\n"
                     "syscall\n"
                     "pushq $0x202; popfq"
                     : "+a"(result)
                     : "r"(flags), "D"(0), "S"(0)
                     : "rcx", "r11", "memory");
        CHECK_EQ(result, 4 << 16 | 17);
        Trap trap = catch_trap([&] { asm volatile("pushfq; orq %0, (%%rsp); popfq; ud2" ::"r"(flags)); });
        CHECK(trap.is(vector_ud));
        CHECK_EQ(trap.handler_rflags & (flag_nt | flag_tf), 0);
    }
}

/// A breakpoint on the operand of MOV SS comes one instruction late: in the hypervisor, if that is the way into it.
void check_mov_ss()
{
    static u16 selector = flat_ss;
    trap_hooks[vector_db] = [](Frame&) { return true; };
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 0, number(&selector)), 0);
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 7, 1ul | 3ul << 16 | 1ul << 18), 0);
    u64 result = __HYPERVISOR_xen_version;
    asm volatile("mov %1, %%ss; syscall" : "+a"(result) : "m"(selector), "D"(0), "S"(0) : "rcx", "r11", "memory");
    CHECK_EQ(result, 4 << 16 | 17);
    CHECK(catch_trap([] { asm volatile("mov %0, %%ss; int3" ::"m"(selector)); }).is(vector_bp));
    CHECK(catch_trap([] { asm volatile("mov %0, %%ss; int $0x80" ::"m"(selector)); }).is(vector_int80));
    CHECK(catch_trap([] { asm volatile("mov %0, %%ss; ud2" ::"m"(selector)); }).is(vector_ud));
    CHECK_EQ(hypercall(__HYPERVISOR_set_debugreg, 7, 0), 0);
}

/// Addresses that are not canonical, or not the guest's, where a call or an instruction wants one.
void check_addresses()
{
    auto mask = static_cast<u64*>(take_page());
    mask[0] = ~0ul;
    for (u64 odd : odd_addresses) {
        for (u32 command : {MMUEXT_INVLPG_LOCAL, MMUEXT_INVLPG_ALL})
            mmuext(command, odd);
        mmuext(MMUEXT_INVLPG_MULTI, odd, number(mask));
        catch_trap([&] { asm volatile("invlpg (%0)" ::"r"(odd) : "memory"); });
        if (odd) {
            CHECK(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, odd) < 0);
            CHECK(update_va_mapping(odd, 0, UVMF_INVLPG | UVMF_ALL) < 0);
        }
        const bool is_canonical = static_cast<u64>(static_cast<int64_t>(odd << 16) >> 16) == odd;
        for (u32 which : {SEGBASE_FS, SEGBASE_GS_USER, SEGBASE_GS_KERNEL}) {
            long rc = set_segment_base(which, odd);
            CHECK(is_canonical || rc < 0);
        }
        Trap trap = catch_trap([&] { asm volatile("wrmsr" ::"c"(0xc0000100), "a"(odd & 0xffffffff), "d"(odd >> 32)); });
        CHECK(is_canonical || trap.is(vector_gp));
        for (u32 command : {VCPUOP_register_runstate_memory_area, VCPUOP_register_vcpu_time_memory_area}) {
            u64 area = odd;
            CHECK(!odd || vcpu_op(command, 0, &area) < 0 || !on_tenon()); // Xen notices later
        }
        struct {
            u64 address;
            u16 limit;
        } nothing{};
        catch_trap([&] { asm volatile("lgdt %0" ::"m"(nothing)); });
    }
    CHECK_EQ(set_segment_base(SEGBASE_FS, 0), 0);
    CHECK_EQ(set_segment_base(SEGBASE_GS_KERNEL, 0), 0);
}

/// Bytes that no field covers are as the caller left them, or zero.
void check_gaps()
{
    auto bytes = static_cast<u8*>(take_page());
    auto filled = [&](u8 with) { return memset(bytes, with, page_size); };
    auto is_clean = [&](u64 from, u64 to, u8 fill) {
        for (u64 i = from; i < to; i++)
            if (bytes[i] != 0 && bytes[i] != fill)
                return false;
        return true;
    };
    auto after_text = [&](u64 start, u64 size, u8 fill) {
        return is_clean(start + strlen(reinterpret_cast<char*>(bytes) + start), start + size, fill);
    };
    for (u8 fill : {u8{0xaa}, u8{0x55}}) {
        constexpr struct {
            u32 command;
            u64 size;
        } texts[] = {{XENVER_extraversion, XEN_EXTRAVERSION_LEN},
                     {XENVER_capabilities, XEN_CAPABILITIES_INFO_LEN},
                     {XENVER_changeset, XEN_CHANGESET_INFO_LEN},
                     {XENVER_commandline, ABI_COMMANDLINE_LEN}};
        for (auto& text : texts) {
            CHECK(xen_version(text.command, filled(fill)) >= 0);
            CHECK(after_text(0, text.size, fill));
            CHECK(is_clean(text.size, page_size, fill));
        }
        CHECK_EQ(xen_version(XENVER_compile_info, filled(fill)), 0);
        CHECK(after_text(0, 64, fill) && after_text(64, 16, fill) && after_text(80, 32, fill) && after_text(112, 32, fill));
        filled(fill);
        CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, bytes), 0);
        CHECK(is_clean(sizeof(int), 8, fill) && is_clean(sizeof(vcpu_runstate_info), page_size, fill));
        filled(fill);
        evtchn_status status{};
        status.dom = DOMID_SELF, status.port = static_cast<u32>(alloc_unbound());
        memcpy(bytes, &status, offsetof(evtchn_status, status));
        CHECK_EQ(event_op(EVTCHNOP_status, bytes), 0);
        CHECK(is_clean(2, 4, fill) && is_clean(offsetof(evtchn_status, u) + 2, page_size, fill));
        CHECK_EQ(close_port(status.port), 0);
    }
    u64 area = number(bytes);
    filled(0xaa);
    CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    sched_op(SCHEDOP_yield);
    CHECK(is_clean(sizeof(int), 8, 0xaa) && is_clean(sizeof(vcpu_runstate_info), page_size, 0xaa));
}

/// A descriptor table that appears twice, or is refused half-way, leaves its frame to the guest afterwards.
void check_gdt_references()
{
    auto page = static_cast<u64*>(take_page()), writable = static_cast<u64*>(take_page());
    CHECK_EQ(make_ro(page), 0);
    u64 twice[] = {mfn_of(page), mfn_of(page)}, bad[] = {mfn_of(page), mfn_of(writable)};
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, twice, 1024), 0);
    CHECK(make_rw(page) < 0);
    CHECK(hypercall(__HYPERVISOR_set_gdt, bad, 1024) < 0);
    CHECK(make_rw(page) < 0); // the former table is still in use
    CHECK_EQ(hypercall(__HYPERVISOR_set_gdt, twice, 0), 0);
    CHECK_EQ(make_rw(page), 0);
    CHECK(hypercall(__HYPERVISOR_set_gdt, twice, 14 * 512 + 1) < 0);
    for (u64 entries : {8193ul, 65536ul, 0xfffffffful})
        CHECK(mmuext(MMUEXT_SET_LDT, number(page), entries) < 0);
    for (u64 base : {number(page) + 8, hypervisor_start, hypervisor_end - page_size, 1ul << 47})
        CHECK(mmuext(MMUEXT_SET_LDT, base, 1024) < 0);
    CHECK_EQ(mmuext(MMUEXT_SET_LDT, 0, 0), 0);
}

} // namespace

void guest::test()
{
    install_event_counter();
    check_gaps();
    check_flags();
    check_mov_ss();
    check_addresses();
    check_gdt_references();
    u64 *first = long_tree(), *second = long_tree();
    check_long_instruction(first);
    check_failed_initialise(first, second);
    check_strings_of_user_mode();
}
