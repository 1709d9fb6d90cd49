// Clocks of dom0 under test, through the C library and the vDSO.
//   clock-check walk SECONDS   one thread a CPU: no clock may ever be seen to go back, on one CPU or between two
//   clock-check now            prints CLOCK_REALTIME in nanoseconds for each line it reads, for comparing with the host
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_uint_fast64_t latest[2], backwards, worst, reads;
static atomic_bool stop;

static uint64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void look(int which, clockid_t clock)
{
    // What anyone had seen before we read must not be later than what we read.
    uint64_t seen = atomic_load(&latest[which]);
    uint64_t value = now(clock);
    if (value < seen) {
        atomic_fetch_add(&backwards, 1);
        uint64_t step = seen - value, old = atomic_load(&worst);
        while (step > old && !atomic_compare_exchange_weak(&worst, &old, step)) {}
    }
    while (value > seen && !atomic_compare_exchange_weak(&latest[which], &seen, value)) {}
    atomic_fetch_add(&reads, 1);
}

static void* walk(void* argument)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((int)(intptr_t)argument, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    while (!atomic_load(&stop)) {
        look(0, CLOCK_MONOTONIC);
        look(1, CLOCK_REALTIME);
    }
    return NULL;
}

int main(int count, char** words)
{
    if (count == 3 && !strcmp(words[1], "walk")) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        pthread_t threads[64];
        for (long n = 0; n < cpus && n < 64; ++n) pthread_create(&threads[n], NULL, walk, (void*)(intptr_t)n);
        sleep((unsigned)atoi(words[2]));
        atomic_store(&stop, 1);
        for (long n = 0; n < cpus && n < 64; ++n) pthread_join(threads[n], NULL);
        printf("clock-check: cpus=%ld reads=%lu backwards=%lu worst=%lu ns\n", cpus, (unsigned long)reads,
               (unsigned long)backwards, (unsigned long)worst);
        return backwards != 0;
    }
    if (count == 2 && !strcmp(words[1], "now")) {
        char line[64];
        while (fgets(line, sizeof line, stdin) && line[0] != 'q') {
            printf("now=%lu.\n", (unsigned long)now(CLOCK_REALTIME));
            fflush(stdout);
        }
        return 0;
    }
    fprintf(stderr, "usage: clock-check walk SECONDS | now\n");
    return 2;
}
