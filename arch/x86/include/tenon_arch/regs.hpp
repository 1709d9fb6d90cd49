// The register frame that every entry into the hypervisor builds; same order as the public cpu_user_regs up to ss.
#pragma once
#include <tenon/lib/types.hpp>

namespace tenon {

struct Regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u32 error_code, entry_vector;
    u64 rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(Regs) == 168);

} // namespace tenon
