/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership in C: a variable declared _cleanup_(x_freep) frees what it owns at
 * the end of its scope; TAKE() hands ownership on and leaves NULL behind.
 */
#ifndef VACCEL_BASE_UTIL_H
#define VACCEL_BASE_UTIL_H

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)
#define hidden	      __attribute__((visibility("hidden")))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b)  ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)  ((a) > (b) ? (a) : (b))

#define TAKE(p)                             \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void unlockp(pthread_mutex_t **m)
{
	if (*m)
		pthread_mutex_unlock(*m);
}

#define CONCAT_(a, b) a##b
#define CONCAT(a, b)  CONCAT_(a, b)

/*
 * In the child of a fork: frees a lock whose holder may be a thread that the child has not.
 * Returns whether it was held, and what it protects half-way between two states.
 */
static inline bool unlock_in_child(pthread_mutex_t *m)
{
	bool held = pthread_mutex_trylock(m) != 0;

	if (held)
		pthread_mutex_init(m, NULL);
	else
		pthread_mutex_unlock(m);
	return held;
}

/* Holds the mutex to the end of the enclosing scope. */
#define SCOPED_LOCK(m)                                                     \
	_cleanup_(unlockp) pthread_mutex_t *CONCAT(lock_, __LINE__) = (m); \
	pthread_mutex_lock(CONCAT(lock_, __LINE__))

#endif
