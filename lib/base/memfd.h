/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that can be passed to another process: a file without a name, of ordinary
 * pages, whose size is fixed for ever, so that no access to it can miss.
 */
#ifndef VACCEL_BASE_MEMFD_H
#define VACCEL_BASE_MEMFD_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/util.h"

/* Newer than the headers of some systems; kernels from 6.3 may insist on it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
/* From Linux 5.1 */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif

#define MEMFD_FIXED (F_SEAL_SHRINK | F_SEAL_GROW)

static inline int memfd_open(const char *name)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

/* A file of more than the process may write would end it by a signal. */
static inline int memfd_resize(int fd, size_t size)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_FSIZE, &limit) && size > limit.rlim_cur) {
		errno = EFBIG;
		return -1;
	}
	return ftruncate(fd, (off_t)size);
}

/*
 * @size bytes, mapped for reading and writing, and their descriptor. With @for_readers nobody
 * else can map them for writing, where the kernel knows how. NULL: errno says why.
 */
static inline void *memfd_map(const char *name, size_t size, bool for_readers, int *ret_fd)
{
	_cleanup_(closep) int fd = memfd_open(name);
	int more = for_readers ? F_SEAL_FUTURE_WRITE : 0;
	void *memory;

	if (fd < 0 || memfd_resize(fd, size))
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (fcntl(fd, F_ADD_SEALS, MEMFD_FIXED | more) && fcntl(fd, F_ADD_SEALS, MEMFD_FIXED)) {
		munmap(memory, size);
		return NULL;
	}
	*ret_fd = TAKE_FD(fd);
	return memory;
}

/* Whether each page up to there is in memory, or was and is in swap. */
static inline bool memfd_is_full(int fd, size_t size)
{
	return lseek(fd, 0, SEEK_HOLE) >= (off_t)size;
}

/*
 * Pages that nobody has touched are put in place, so that they are this process's and not
 * of who touches them first; the others stay as they are. All of it is mapped at @memory.
 * False: errno says why. In steps, since a signal undoes one.
 */
static inline bool memfd_fill(int fd, const void *memory, size_t size)
{
	const volatile unsigned char *bytes = memory;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), step = (size_t)1 << 20;

	if (memfd_is_full(fd, size))
		return true;
	for (size_t at = 0; at < size; at += step) {
		size_t end = at + MIN_OF(step, size - at);

		while (fallocate(fd, 0, (off_t)at, (off_t)(end - at)))
			if (errno != EINTR)
				return false;
		/* Still a hole before it is looked at. */
		for (size_t i = at; i < end; i += page)
			(void)bytes[i];
	}
	return true;
}

#endif
