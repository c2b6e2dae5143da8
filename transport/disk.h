/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to a block device that bypass caches and have a deadline: one that is not
 * answered in time goes on, and can be waited for again.
 */
#ifndef VACCEL_TRANSPORT_DISK_H
#define VACCEL_TRANSPORT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <linux/aio_abi.h>

/*
 * How a drive is found and used; tests have one of their own. Functions return an errno, and
 * their pieces of memory and places are multiples of a page.
 */
struct disk_access;
struct disk_kind {
	/* The serial number of the block device @path, as text; ENODEV for what is none. */
	int (*serial)(const char *path, char *text, size_t room);

	/* The first device with that serial number. ENODEV. */
	int (*find)(const char *serial, char *path, size_t room);
	int (*open)(const char *path, int *ret_fd);
	int (*size)(int fd, uint64_t *ret_size);

	/* Pieces of memory that one request to the device can have; 1 if it is not known. */
	unsigned int (*segments)(int fd);
	int (*setup)(struct disk_access *access);
	int (*start)(struct disk_access *access, bool is_write, const struct iovec *at, int nr,
		     uint64_t place);

	/* Up to @until, 0: not at all. EAGAIN: the access is still under way. */
	int (*wait)(struct disk_access *access, int64_t until);

	/* Waits for what is under way. */
	void (*end)(struct disk_access *access);
};

extern const struct disk_kind disk_of_system;
extern const struct disk_kind *disk;

/* One access after the other, by one thread at a time. */
struct disk_access {
	int fd; /* -1: it was not set up */
	bool is_busy;
	size_t size;
	aio_context_t context;
	struct iocb request;
	void *simulated; /* a test's */
};

/* As those above. Only one is under way, and access_end() may be called of any. */
int access_setup(struct disk_access *access, int fd);
int access_start(struct disk_access *access, bool is_write, const struct iovec *at, int nr,
		 uint64_t place);
int access_wait(struct disk_access *access, int64_t until);
void access_end(struct disk_access *access);

#endif
