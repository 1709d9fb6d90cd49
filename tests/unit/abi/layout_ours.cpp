// The layout as our own headers describe it.
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

#include "layout_collect.hpp"

Layout our_layout() { return collect_layout(); }
