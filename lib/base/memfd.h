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

#endif
