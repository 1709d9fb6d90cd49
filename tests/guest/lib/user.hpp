// What this is: guest user mode: a second L4 with one code and one stack page, and a way to run code there
// until it traps or makes a system call. User code is assembly in section .user, seen at user_code.
#pragma once

#include "abi.hpp"
#include "trap.hpp"

namespace guest {

constexpr u64 user_code = 0x400000;
constexpr u64 user_stack = 0x600000; ///< one page
constexpr u64 user_stack_top = user_stack + page_size;

/// Builds the user tables and tells the hypervisor about them (NEW_USER_BASEPTR). They are hooked into the
/// kernel's L4, too.
void set_up_user_mode();
void* user_l4();
void* user_stack_page(); ///< the same page in the kernel's mapping

/// What user code starts with. Everything else is zero.
struct UserStart {
    u64 rip = user_code;
    u64 rsp = user_stack_top;
    u64 rflags = 0x202;
    u64 rdi = 0, rsi = 0, rdx = 0, rax = 0;
    u64 cs = flat_cs, ss = flat_ss;
    u64 flags = 0; ///< of the iret hypercall
};

Trap run_user(const UserStart& start);

inline u64 user_address(const char* symbol)
{
    extern char user_section[] asm("user_start");
    return user_code + static_cast<u64>(symbol - user_section);
}

/// Top of the stack that the hypervisor was told to use on entry from user mode.
u64 user_entry_stack_top();

} // namespace guest
