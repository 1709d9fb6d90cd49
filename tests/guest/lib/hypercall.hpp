// What this is: hypercalls by a plain SYSCALL, so that no hypercall page is needed. One generic stub that
// takes numbers and pointers alike, and short names for the calls most tests make.
#pragma once

#include "abi.hpp"

namespace guest {

template <class T> inline long as_long(T value) { return reinterpret_cast<long>(value); }
template <class T>
requires __is_enum(T) || (T(1) / T(2) == T(0)) inline long as_long(T value) { return static_cast<long>(value); }
inline long as_long(decltype(nullptr)) { return 0; }

inline long hypercall5(long nr, long a1, long a2, long a3, long a4, long a5)
{
    register long r10 asm("r10") = a4;
    register long r8 asm("r8") = a5;
    asm volatile("syscall" : "+a"(nr), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8) : : "rcx", "r11", "memory");
    return nr;
}

template <class A = long, class B = long, class C = long, class D = long, class E = long>
inline long hypercall(long nr, A a = {}, B b = {}, C c = {}, D d = {}, E e = {})
{
    return hypercall5(nr, as_long(a), as_long(b), as_long(c), as_long(d), as_long(e));
}

inline long mmu_updates(mmu_update* requests, u64 count, u32* done = nullptr, u64 domain = DOMID_SELF)
{
    return hypercall(__HYPERVISOR_mmu_update, requests, count, done, domain);
}

inline long mmu_update_one(u64 address_and_command, u64 value, u64 domain = DOMID_SELF)
{
    mmu_update request{address_and_command, value};
    return mmu_updates(&request, 1, nullptr, domain);
}

inline long mmuext(u32 command, u64 arg1 = 0, u64 arg2 = 0, u64 domain = DOMID_SELF)
{
    mmuext_op op{};
    op.cmd = command;
    op.arg1.mfn = arg1;
    op.arg2.nr_ents = static_cast<u32>(arg2);
    if (arg2 >> 32)
        *reinterpret_cast<u64*>(&op.arg2) = arg2;
    return hypercall(__HYPERVISOR_mmuext_op, &op, 1, nullptr, domain);
}

inline long update_va_mapping(u64 va, u64 entry, u64 flags = UVMF_INVLPG)
{
    return hypercall(__HYPERVISOR_update_va_mapping, va, entry, flags);
}

inline long xen_version(u32 command, void* arg = nullptr) { return hypercall(__HYPERVISOR_xen_version, command, arg); }
inline long memory_op(u32 command, void* arg) { return hypercall(__HYPERVISOR_memory_op, command, arg); }
inline long sched_op(u32 command, void* arg = nullptr) { return hypercall(__HYPERVISOR_sched_op, command, arg); }
inline long vcpu_op(u32 command, u32 vcpu, void* arg = nullptr) { return hypercall(__HYPERVISOR_vcpu_op, command, vcpu, arg); }
inline long event_op(u32 command, void* arg) { return hypercall(__HYPERVISOR_event_channel_op, command, arg); }
inline long grant_op(u32 command, void* ops, u32 count) { return hypercall(__HYPERVISOR_grant_table_op, command, ops, count); }
inline long physdev(u32 command, void* arg) { return hypercall(__HYPERVISOR_physdev_op, command, arg); }
inline long set_segment_base(u32 which, u64 base) { return hypercall(__HYPERVISOR_set_segment_base, which, base); }

} // namespace guest
