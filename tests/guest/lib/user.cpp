// What this is: the tables of guest user mode and the way in and out of it.
#include "user.hpp"

#include "check.hpp"
#include "hypercall.hpp"
#include "paging.hpp"
#include "runtime.hpp"

namespace guest {

namespace {

alignas(page_size) char entry_stack[4 * page_size];
void* l4;
void* stack_page;

u64 table_entry(void* table) { return mfn_of(table) << page_shift | pte_table; }

} // namespace

void set_up_user_mode()
{
    if (l4)
        return;
    l4 = take_page();
    stack_page = take_page();
    auto l3 = static_cast<u64*>(take_page()), l2 = static_cast<u64*>(take_page());
    auto code_l1 = static_cast<u64*>(take_page()), stack_l1 = static_cast<u64*>(take_page());
    static_cast<u64*>(l4)[0] = table_entry(l3);
    l3[0] = table_entry(l2);
    l2[index_at(user_code, 2)] = table_entry(code_l1);
    l2[index_at(user_stack, 2)] = table_entry(stack_l1);
    for (u64 offset = 0; offset < number(user_end - user_start); offset += page_size)
        code_l1[index_at(user_code + offset, 1)] = mfn_of(user_start + offset) << page_shift | pte_ro;
    stack_l1[index_at(user_stack, 1)] = mfn_of(stack_page) << page_shift | pte_rw;
    for (void* table : {l4, (void*)l3, (void*)l2, (void*)code_l1, (void*)stack_l1})
        if (long rc = make_ro(table))
            give_up("user tables: %ld", rc);
    if (long rc = mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(l4)))
        give_up("pin of the user L4: %ld", rc);
    if (long rc = set_entry(current_l4(), 0, table_entry(l3)))
        give_up("user half of the kernel L4: %ld", rc);
    if (long rc = mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(l4)))
        give_up("NEW_USER_BASEPTR: %ld", rc);
    if (long rc = hypercall(__HYPERVISOR_stack_switch, flat_ss, user_entry_stack_top()))
        give_up("stack_switch: %ld", rc);
}

void* user_l4() { return l4; }
void* user_stack_page() { return stack_page; }
u64 user_entry_stack_top() { return number(entry_stack + sizeof entry_stack); }

Trap run_user(const UserStart& start)
{
    Frame frame{};
    frame.rip = start.rip;
    frame.rsp = start.rsp;
    frame.rflags = start.rflags;
    frame.cs = start.cs;
    frame.ss = start.ss;
    frame.rdi = start.rdi;
    frame.rsi = start.rsi;
    frame.rdx = start.rdx;
    frame.rax = start.rax;
    u64 flags = start.flags;
    return catch_trap([&] {
        iret_flags = flags;
        enter_frame(&frame);
    });
}

} // namespace guest
