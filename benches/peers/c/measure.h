/* What every C client of the benchmark ends with: the CPU seconds, the wall seconds and the peak memory in KiB. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_begin, wall_begin;

static inline void measure_begin(void) {
    cpu_begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
    wall_begin = seconds(CLOCK_MONOTONIC);
}

static inline void measure_end(void) {
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin, wall = seconds(CLOCK_MONOTONIC) - wall_begin;
    long peak = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &peak);
    printf("%.6f %.6f %ld\n", cpu, wall, peak);
}

static inline void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

#endif
