/* SPDX-License-Identifier: Apache-2.0 */
/* Other processes, by /proc: where they run, what they take. */
#ifndef BENCH_RPC_PROCESS_H
#define BENCH_RPC_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#define ANY_PROCESSOR (-1)

/* How many processors this process may use. */
unsigned int processors(void);

/* Binds all threads of @pid to the @index-th of them, as bench_measure() does its own. */
void process_pin(pid_t pid, int index);

/* A figure of /proc/PID/status such as "VmRSS". VACCEL_ENOENT if there is none. */
int process_kib(pid_t pid, const char *figure, double *ret_kib);

/* From now on VmHWM is the most since now. */
void process_reset_peak(pid_t pid);

/* What its threads have had of processors, ns. VACCEL_ENOENT without such a process. */
int process_busy(pid_t pid, double *ret_ns);

/* The children of @pid whose name, argv[0], begins with @name; how many there are. */
size_t process_children(pid_t pid, const char *name, pid_t *ret_pids, size_t room);

#endif
