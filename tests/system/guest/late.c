// How late a process runs that sleeps mostly: for each 100 sleeps of 20 ms, by the guest's own clock, one line
//   TENON-GUEST: late N median=US p90=US
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { sleeps = 100, pause_ns = 20 * 1000 * 1000 };

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int order(const void* a, const void* b)
{
    int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
    return (x > y) - (x < y);
}

int main(void)
{
    for (unsigned round = 1;; round++) {
        int64_t late[sleeps];
        for (unsigned i = 0; i < sleeps; i++) {
            int64_t when = now() + pause_ns;
            struct timespec until = {when / 1000000000, when % 1000000000};
            while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)) {}
            late[i] = now() - when;
        }
        qsort(late, sleeps, sizeof *late, order);
        printf("TENON-GUEST: late %u median=%ld p90=%ld\n", round, late[sleeps / 2] / 1000, late[sleeps * 9 / 10] / 1000);
        fflush(stdout);
    }
}
