# Compilers and the flags of freestanding code. TOOLCHAIN=gcc (default) or clang.
ifeq ($(TOOLCHAIN),clang)
HV_CXX := $(firstword $(shell command -v clang++-14 clang++-16 clang++ 2>/dev/null))
HV_WARN := -Wno-unused-command-line-argument -Wno-pass-failed
# Clang's -mgeneral-regs-only refuses the long double that <atomic> only mentions.
HV_REGS := -mno-mmx -mno-sse -msoft-float
# Clang always reads the stack guard's address from the GOT; ld would shorten that to a 32-bit constant, which does not fit.
HV_LD_EXTRA := --no-relax
else
HV_CXX := g++
HV_WARN :=
HV_REGS := -mgeneral-regs-only
HV_LTO := -flto -flto-partition=one -fno-fat-lto-objects
HV_LD_EXTRA :=
endif
LD := ld
OBJCOPY := objcopy

# What the check's second build has instead: -O1.
HV_OPTIMIZE ?= -O2 -g
FREESTANDING = -std=c++20 $(HV_OPTIMIZE) -ffreestanding -fno-exceptions -fno-rtti $(HV_REGS) -mno-red-zone -fPIE \
  -fvisibility=hidden -fno-threadsafe-statics -fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
  -fno-strict-aliasing -momit-leaf-frame-pointer $(HV_LTO) -fcf-protection=none -Wall -Wextra -Werror $(HV_WARN)
HV_FLAGS = $(FREESTANDING) -fstack-protector-strong -mstack-protector-guard=global -D_GLIBCXX_ASSERTIONS -include include/tenon/lib/hidden.hpp \
  -Iinclude -Iarch/x86/include -I$(BUILD)/include
