// What this is: more vCPUs than one: bringing them up as a PV kernel does, and knowing which one runs.
#pragma once

#include "abi.hpp"
#include "runtime.hpp"

namespace guest {

constexpr u32 max_vcpus = 8;

extern vcpu_info* vcpu_infos[max_vcpus]; ///< where each vCPU's flags are now

u32 this_vcpu(); ///< found from the stack
long move_vcpu_info(u32 vcpu, vcpu_info* where);

void fill_context(vcpu_guest_context& context, u32 vcpu, void (*function)(void*), void* argument);
/// VCPUOP_initialise and VCPUOP_up; 0 or the first error. `function` must not return.
long start_vcpu(u32 vcpu, void (*function)(void*), void* argument);

template <class Condition> bool wait_until(Condition holds, u64 spins = 50'000'000)
{
    for (; spins && !holds(); spins--)
        pause();
    return holds();
}

} // namespace guest

extern "C" char ap_start[];
