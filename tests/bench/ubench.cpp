// What this is: operations that a Linux program costs its system, each run many times between two marks that
// tests/bench/opcount.c recognises. The same binary runs without a hypervisor, on Tenon and on Xen.
//
//   ubench [SCALE [NAME]]  all operations or one, SCALE times as often (default 1)
//   ubench compile FILE... compiles the preprocessed files one after the other, with the cc1 in the image
//   ubench clock           prints the monotonic clock, for what a shell wants to time
//   ubench mark begin|end  executes one mark, for what is not a single program's work
//
// Results are printed at the end, so that no console is at work while something is measured:
//   BENCH <id> <operations> <nanoseconds for all> <name>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr long page = 4096;
constexpr unsigned end_of = 0x8000;

struct Result {
    unsigned id;
    long operations;
    long long nanoseconds;
    const char* name;
};
Result results[32];
int result_count;
double scale = 1;
const char* only;

template <unsigned Id> inline void mark()
{
    asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00, %c0, %c1, 0xe7, 0x7e" ::"i"(Id & 0xff), "i"(Id >> 8) : "memory");
}

long long nanoseconds()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

[[noreturn]] void die(const char* what)
{
    perror(what);
    exit(1);
}

void must(bool good, const char* what)
{
    if (!good)
        die(what);
}

/// Runs `operation` a tenth as often to warm up, then between the marks. `per` operations count as one run.
template <unsigned Id, class Operation> void bench(const char* name, long count, Operation operation, long per = 1)
{
    if (only && strcmp(only, name))
        return;
    count = static_cast<long>(count * scale);
    if (count < 1)
        count = 1;
    for (long i = 0; i <= count / 10; i++)
        operation();
    long long began = nanoseconds();
    mark<Id>();
    for (long i = 0; i < count; i++)
        operation();
    mark<Id | end_of>();
    results[result_count++] = {Id, count * per, nanoseconds() - began, name};
}

void* fresh_pages(long count)
{
    void* pages = mmap(nullptr, count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(pages != MAP_FAILED, "mmap");
    return pages;
}

void wait_for(pid_t child)
{
    int status;
    must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

void bench_memory()
{
    constexpr long pages = 256, block = 64;
    bench<103>(
        "page fault", 20,
        [] {
            auto bytes = static_cast<volatile char*>(fresh_pages(pages));
            for (long i = 0; i < pages; i++)
                bytes[i * page] = 1;
            must(munmap(const_cast<char*>(bytes), pages * page) == 0, "munmap");
        },
        pages);
    void* area = fresh_pages(block);
    memset(area, 1, block * page);
    bench<104>("mprotect of 64 pages, twice", 500, [area] {
        must(mprotect(area, block * page, PROT_READ) == 0, "mprotect");
        must(mprotect(area, block * page, PROT_READ | PROT_WRITE) == 0, "mprotect");
        *static_cast<volatile char*>(area) = 2;
    });
}

void bench_processes()
{
    bench<105>("fork + exit + wait", 100, [] {
        pid_t child = fork();
        if (!child)
            _exit(0);
        wait_for(child);
    });
    bench<106>("fork + exec + wait", 40, [] {
        pid_t child = fork();
        if (!child) {
            execl("/proc/self/exe", "ubench", "nothing", nullptr);
            _exit(1);
        }
        wait_for(child);
    });
}

/// A byte goes to another process and comes back, on one CPU: two system calls and a switch each way.
void bench_pipe()
{
    int there[2], back[2];
    must(pipe(there) == 0 && pipe(back) == 0, "pipe");
    pid_t child = fork();
    if (!child) {
        char byte;
        close(there[1]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {
        }
        _exit(0);
    }
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    must(!sched_setaffinity(child, sizeof first, &first) && !sched_setaffinity(0, sizeof first, &first), "affinity");
    bench<107>("pipe round trip", 1000, [&] {
        char byte = 'x';
        must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
    });
    close(there[1]);
    wait_for(child);
}

void bench_sleep_and_signal()
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    must(sigaction(SIGUSR1, &action, nullptr) == 0, "sigaction");
    bench<108>("signal", 2000, [] { raise(SIGUSR1); });
    bench<109>("nanosleep", 200, [] {
        timespec microsecond{0, 1000};
        nanosleep(&microsecond, nullptr);
    });
}

/// Two million steps of a xorshift generator: nothing but registers.
void bench_compute()
{
    bench<102>("compute", 10, [] {
        unsigned long x = 0x2545f4914f6cdd1d;
        for (int i = 0; i < 2'000'000; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        asm volatile("" ::"r"(x)); // the result is used
    });
}

void compile(char** files, int count)
{
    for (int i = 0; i < count; i++) {
        const char* words[] = {"cc1", "-quiet", "-O2", "-fpreprocessed", files[i], "-o", "/tmp/out.s", nullptr};
        pid_t child;
        must(!posix_spawn(&child, "/usr/bin/cc1", nullptr, nullptr, const_cast<char**>(words), environ), "cc1");
        wait_for(child);
    }
}

void report()
{
    for (int i = 0; i < result_count; i++)
        printf("BENCH %u %ld %lld %s\n", results[i].id, results[i].operations, results[i].nanoseconds, results[i].name);
    puts("ubench: done");
}

} // namespace

int main(int argc, char** argv)
{
    const char* what = argc > 1 ? argv[1] : "1";
    if (!strcmp(what, "nothing"))
        return 0;
    if (!strcmp(what, "clock"))
        return printf("%lld\n", nanoseconds()) < 0;
    if (!strcmp(what, "mark")) {
        argc > 2 && !strcmp(argv[2], "begin") ? mark<130>() : mark<130 | end_of>();
        return 0;
    }
    if (!strcmp(what, "compile")) {
        bench<120>("compile", 1, [=, runs = 0]() mutable { compile(argv + 2, runs++ ? argc - 2 : 1); });
        report();
        return 0;
    }
    scale = atof(what);
    only = argc > 2 ? argv[2] : nullptr;
    bench<101>("getppid", 20000, [] { syscall(SYS_getppid); });
    bench_compute();
    bench_memory();
    bench_processes();
    bench_pipe();
    bench_sleep_and_signal();
    report();
    return 0;
}
