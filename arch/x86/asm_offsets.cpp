// Constants for assembly: compiled to text, from which the build takes the lines between == marks.
#include "cpu/features.hpp"
#include "cpu/per_cpu.hpp"
#include <abi/shared_info.h>

#define OFFSET(name, type, member) asm volatile(".ascii \"==" #name " %0==\"" ::"i"(__builtin_offsetof(type, member)))
#define CONSTANT(name, value) asm volatile(".ascii \"==" #name " %0==\"" ::"i"(int(value)))

using namespace tenon;
using namespace tenon::x86;

void offsets()
{
    OFFSET(REGS_R11, Regs, r11);
    OFFSET(REGS_RAX, Regs, rax);
    OFFSET(REGS_RCX, Regs, rcx);
    OFFSET(REGS_VECTOR, Regs, entry_vector);
    OFFSET(REGS_RIP, Regs, rip);
    OFFSET(REGS_CS, Regs, cs);
    OFFSET(REGS_RFLAGS, Regs, rflags);
    OFFSET(REGS_RSP, Regs, rsp);
    OFFSET(REGS_SS, Regs, ss);
    CONSTANT(REGS_SIZE, sizeof(Regs));
    OFFSET(STACK_CPU, StackInfo, cpu);
    OFFSET(STACK_VCPU, StackInfo, vcpu);
    OFFSET(FEATURES_SMAP, Features, smap);
    CONSTANT(GUEST_CS64, guest_cs64);
    CONSTANT(GUEST_SS, guest_ss);
    CONSTANT(VECTOR_SYSCALL, 0x100);
}
