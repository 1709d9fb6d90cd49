// One sysctl being executed, and the handlers by file. Every one gives the structure back.
#pragma once
#include <abi/sysctl.h>
#include <tenon/hypercall/table.hpp>

namespace tenon::sysctls {

struct Request {
    Call& call;
    xen_sysctl& op;
};

// console.cpp
CallResult read_console(Request& r);
CallResult debug_keys(Request& r);
// machine.cpp
CallResult physical_info(Request& r);
CallResult cpu_topology(Request& r);
CallResult numa_info(Request& r);
CallResult available_heap(Request& r);
// domains.cpp
CallResult list_domains(Request& r);
// scheduler.cpp
CallResult scheduler_id(Request& r);
CallResult scheduler_op(Request& r);
CallResult cpu_pool(Request& r);
// cpu.cpp
CallResult cpu_features(Request& r);
CallResult cpu_policy(Request& r);
CallResult levelling_caps(Request& r);

} // namespace tenon::sysctls
