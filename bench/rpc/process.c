// SPDX-License-Identifier: Apache-2.0
/* See process.h. What cannot be bound, or found, is left out: it is for measuring only. */
#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "bench/rpc/process.h"

static cpu_set_t allowed_at_start;
static bool known;

/* Before any thread of ours is pinned. */
static const cpu_set_t *allowed(void)
{
	if (!known)
		sched_getaffinity(0, sizeof(allowed_at_start), &allowed_at_start);
	known = true;
	return &allowed_at_start;
}

unsigned int processors(void)
{
	return (unsigned int)CPU_COUNT(allowed());
}

static cpu_set_t set_of(int index)
{
	cpu_set_t set;
	unsigned int left;

	if (index == ANY_PROCESSOR)
		return *allowed();
	left = (unsigned int)index % processors();
	CPU_ZERO(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed()) || left--)
			continue;
		CPU_SET(cpu, &set);
		break;
	}
	return set;
}

static FILE *open_file(pid_t pid, pid_t thread, const char *name)
{
	char path[64];

	if (thread)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)thread, name);
	else
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

static void for_each_thread(pid_t pid, void (*see)(pid_t pid, pid_t thread, void *context),
			    void *context)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			see(pid, (pid_t)atoi(entry->d_name), context);
	if (directory)
		closedir(directory);
}

static void pin_thread(pid_t pid, pid_t thread, void *set)
{
	(void)pid;
	sched_setaffinity(thread, sizeof(cpu_set_t), set);
}

void process_pin(pid_t pid, int index)
{
	cpu_set_t set = set_of(index);

	/* A thread that was made meanwhile has its maker's set, old or new: the second round sees
	 * to it. */
	for_each_thread(pid, pin_thread, &set);
	for_each_thread(pid, pin_thread, &set);
}

int process_kib(pid_t pid, const char *figure, double *ret_kib)
{
	FILE *file = open_file(pid, 0, "status");
	size_t length = strlen(figure);
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		found = !strncmp(line, figure, length) && line[length] == ':';
		if (found)
			*ret_kib = strtod(line + length + 1, NULL);
	}
	if (file)
		fclose(file);
	return found ? VACCEL_OK
		     : vaccel_fail(VACCEL_ENOENT, "process %d has no %s", (int)pid, figure);
}

void process_reset_peak(pid_t pid)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)pid);
	file = fopen(path, "we");
	if (!file)
		return;
	fputs("5", file);
	fclose(file);
}

/* Threads that have ended count as well. */
int process_busy(pid_t pid, double *ret_ns)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time))
		return vaccel_fail(VACCEL_ENOENT, "there is no process %d", (int)pid);
	*ret_ns = (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
	return VACCEL_OK;
}

static bool is_named(pid_t pid, const char *name)
{
	FILE *file = open_file(pid, 0, "cmdline");
	char line[256] = "";
	bool named;

	if (!file)
		return false;
	named = fread(line, 1, sizeof(line) - 1, file) && !strncmp(line, name, strlen(name));
	fclose(file);
	return named;
}

struct search {
	const char *name;
	pid_t *pids;
	size_t room, count;
};

static void find_children(pid_t pid, pid_t thread, void *context)
{
	FILE *file = open_file(pid, thread, "children");
	struct search *search = context;
	int child;

	while (file && fscanf(file, "%d", &child) == 1) {
		if (!is_named(child, search->name))
			continue;
		if (search->count < search->room)
			search->pids[search->count] = child;
		search->count++;
	}
	if (file)
		fclose(file);
}

/* Whichever of its threads has started them. */
size_t process_children(pid_t pid, const char *name, pid_t *ret_pids, size_t room)
{
	struct search search = {name, ret_pids, room, 0};

	for_each_thread(pid, find_children, &search);
	return search.count;
}
