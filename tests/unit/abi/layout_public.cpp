// The layout as the distribution's public headers (libxen-dev) describe it.
#include "layout.hpp"

#define __XEN_TOOLS__  // makes them show the control interface
#undef __STRICT_ANSI__ // lets them use unnamed members
#include <xen/xen.h>

#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "layout_collect.hpp"

Layout public_layout() { return collect_layout(); }
