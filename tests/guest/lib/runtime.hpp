// What this is: what the framework knows about the guest it runs in: the registers it was entered with,
// boot_info, the shared page, and the few C library functions that the compiler and the tests want.
#pragma once

#include "abi.hpp"

namespace guest {

struct EntryState {
    u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, rflags;
};
struct EntrySelectors {
    u16 cs, ss, ds, es, fs, gs;
};

extern start_info* boot_info;
extern shared_info* shared;  ///< mapped before test() runs
extern u64* phys_to_machine; ///< the list the hypervisor built
extern vcpu_info* vcpu0;     ///< where vCPU 0's event flags are now

const char* argument(const char* name); ///< value of name=value on the guest's command line, or nullptr
[[noreturn]] void shut_down(u32 reason);

inline void barrier() { asm volatile("" ::: "memory"); }
inline void pause() { asm volatile("pause" ::: "memory"); }
inline u64 read_tsc()
{
    u32 low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return u64{high} << 32 | low;
}

} // namespace guest

extern "C" {
extern guest::EntryState entry_registers;
extern guest::EntrySelectors entry_selectors;
extern char boot_stack[], boot_stack_top[], image_start[], image_end[], user_start[], user_end[];
void* memcpy(void* to, const void* from, size_t size);
void* memset(void* to, int byte, size_t size);
int memcmp(const void* a, const void* b, size_t size);
size_t strlen(const char* text);
int strcmp(const char* a, const char* b);
int strncmp(const char* a, const char* b, size_t size);
}
