// Other CPUs: bringing them up, and asking things of them.
#pragma once
#include "per_cpu.hpp"

namespace tenon::x86 {

/// Starts every CPU that the firmware lists, up to maxcpus. Boot CPU.
void start_other_cpus();
/// Answers the requests that others left for this CPU.
void answer_requests();
void send_request_interrupt(PerCpu& cpu);
void flush_this_cpu();
/// The idle vCPU's endless work.
[[noreturn]] void idle_loop();
/// Stops all other CPUs for good (panic, reboot).
void stop_other_cpus();
bool is_stopping();
extern constinit CpuSet online;

} // namespace tenon::x86
