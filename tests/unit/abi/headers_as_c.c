// The headers must also be plain C: this file only has to compile.
#include <abi/arch_x86.h>
#include <abi/callback.h>
#include <abi/console.h>
#include <abi/cpuid.h>
#include <abi/domctl.h>
#include <abi/event_channel.h>
#include <abi/grant_table.h>
#include <abi/hypercall.h>
#include <abi/mca.h>
#include <abi/memory.h>
#include <abi/mmu.h>
#include <abi/multicall.h>
#include <abi/physdev.h>
#include <abi/platform.h>
#include <abi/sched.h>
#include <abi/shared_info.h>
#include <abi/start_info.h>
#include <abi/sysctl.h>
#include <abi/types.h>
#include <abi/vcpu.h>
#include <abi/version.h>

const struct start_info* const abi_headers_compile_as_c = 0;
