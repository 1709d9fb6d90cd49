// Fills memory and registers of a guest with patterns that test_isolation.py looks for in other domains' address spaces,
// and spins. All come from guest.seed=HEX on the kernel's command line (tests/system/guest_secrets.py computes the same):
// no file has them. Without a seed it only spins.
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { memory, vector_low = 100, vector_high = 200, general = 300, fs_base = 400, gs_base, stack_pointer, breakpoint,
       console_line };
enum { vectors = 16, generals = 12, copies = 1 << 16 };

static uint64_t seed;
static uint32_t tag; // every pattern begins with these four characters

static uint64_t mixed(uint64_t n)
{
    uint64_t z = seed + n * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void pattern(unsigned number, void* to, unsigned bytes)
{
    unsigned char* p = to;
    for (unsigned i = 0; i < bytes; i++)
        p[i] = i < 4 ? tag >> (8 * i) : mixed(number * 64 + i / 8) >> (8 * (i % 8));
}

/// A user address; also a valid base.
static uint64_t address(unsigned number) { return tag | (mixed(number * 64) & 0x7fff) << 32; }

static void text(unsigned number, char* to)
{
    pattern(number, to, 32);
    for (unsigned i = 4; i < 32; i++)
        to[i] = 'a' + (unsigned char)to[i] % 26;
    to[32] = 0;
}

static void write_line(const char* device, const char* line)
{
    int fd = open(device, O_WRONLY);
    if (fd < 0 || dprintf(fd, "%s\n", line) < 0)
        perror(device);
    close(fd);
}

static long set_breakpoint(uint64_t at)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_BREAKPOINT, .size = sizeof attr, .bp_type = HW_BREAKPOINT_W, .bp_len = 1,
                                   .sample_period = 1, .exclude_kernel = 1, .exclude_hv = 1};
    attr.bp_addr = at;
    return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

struct __attribute__((aligned(32))) Registers {
    unsigned char vector[vectors][32];
    uint64_t general[generals], stack_pointer;
};

/// From here on nothing uses the stack or thread-local memory.
static __attribute__((noreturn)) void hold(const struct Registers* r, int has_avx, uint64_t fs, uint64_t gs)
{
    long number = SYS_arch_prctl;
    asm volatile("syscall" : "+a"(number) : "D"(ARCH_SET_GS), "S"(gs) : "rcx", "r11", "memory");
    number = SYS_arch_prctl;
    asm volatile("syscall" : "+a"(number) : "D"(ARCH_SET_FS), "S"(fs) : "rcx", "r11", "memory");
#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15)
#define XMM(n) "movdqa 32*" #n "(%%rax), %%xmm" #n "\n"
#define YMM(n) "vmovdqa 32*" #n "(%%rax), %%ymm" #n "\n"
    if (has_avx)
        asm volatile(EACH(YMM)::"a"(r));
    else
        asm volatile(EACH(XMM)::"a"(r));
    asm volatile("mov 0(%%rax), %%rbx; mov 8(%%rax), %%rdx; mov 16(%%rax), %%rsi; mov 24(%%rax), %%rdi\n"
                 "mov 32(%%rax), %%rbp; mov 40(%%rax), %%r8; mov 48(%%rax), %%r9; mov 56(%%rax), %%r10\n"
                 "mov 64(%%rax), %%r12; mov 72(%%rax), %%r13; mov 80(%%rax), %%r14; mov 88(%%rax), %%r15\n"
                 "mov 96(%%rax), %%rsp; xor %%eax, %%eax\n"
                 "1: jmp 1b" ::"a"(r->general)
                 : "memory");
    __builtin_unreachable();
}

int main(void)
{
    static char line[4096];
    int fd = open("/proc/cmdline", O_RDONLY);
    ssize_t n = read(fd, line, sizeof line - 1);
    char* option = n > 0 ? strstr(line, "guest.seed=") : NULL;
    if (!option) {
        puts("TENON-GUEST: spins");
        fflush(stdout);
        for (;;)
            asm volatile("");
    }
    seed = strtoull(option + 11, NULL, 16);
    for (unsigned i = 0; i < 4; i++)
        tag |= (uint32_t)('A' + (mixed(~0ull) >> (8 * i) & 255) % 26) << (8 * i);

    unsigned char* many = aligned_alloc(4096, copies * 64);
    for (unsigned i = 0; i < copies; i++)
        pattern(memory, many + 64 * i, 64);
    static struct Registers r;
    for (unsigned i = 0; i < vectors; i++) {
        pattern(vector_low + i, r.vector[i], 16);
        pattern(vector_high + i, r.vector[i] + 16, 16);
    }
    for (unsigned i = 0; i < generals; i++)
        pattern(general + i, &r.general[i], 8);
    r.stack_pointer = address(stack_pointer);
    int has_avx = __builtin_cpu_supports("avx") != 0;
    long has_breakpoint = set_breakpoint(address(breakpoint)) >= 0;

    char words[40];
    text(console_line, words);
    write_line("/dev/hvc0", words);
    printf("TENON-GUEST: keeps secrets avx=%d breakpoint=%ld\n", has_avx, has_breakpoint);
    fflush(stdout);
    sleep(1); // the console's ring is emptied
    hold(&r, has_avx, address(fs_base), address(gs_base));
}
