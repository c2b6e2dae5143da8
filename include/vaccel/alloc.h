/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that another process can be shown. An operation that runs elsewhere, with the
 * `remote` plugin over a unix socket, reads its inputs where they lie in such memory;
 * from other memory they are copied once. Everywhere else it is memory like any other.
 */
#ifndef VACCEL_ALLOC_H
#define VACCEL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vaccel_alloc() - memory for large arguments
 * @size: bytes; 0 gives a pointer that can only be freed
 *
 * Up to 16 KiB, and where the system gives no memory to share, it is plain memory
 * that travels by copies. Its content is undefined, as malloc()'s. Fill it anew for
 * each call, keep it for the next one: the first touch of a page costs ten times
 * the later ones.
 *
 * An agent that has been given an argument in it can read, but never write, all of this
 * allocation, also after the call and after vaccel_free(), while the memory is kept
 * for reuse. Keep secrets that the agent must not see elsewhere.
 *
 * A page takes memory from when it is first touched; all of them do from when the first
 * argument in the allocation goes to an agent, which must find no page lacking: that
 * touches those that the program has not, once. Where there is no memory for them,
 * arguments travel by copies.
 *
 * After fork() parent and child share it, as with MAP_SHARED: each sees what the
 * other writes. Each frees its own.
 *
 * Any thread.
 *
 * Return: memory aligned to 64 bytes, for vaccel_free(); NULL after vaccel_fail() with
 * VACCEL_ENOMEM.
 */
void *vaccel_alloc(size_t size);

/**
 * vaccel_free() - free memory of vaccel_alloc()
 * @memory: what vaccel_alloc() returned; NULL is fine
 *
 * No call may be using it. What a call that timed out has left with an agent is used
 * again only when that agent has answered or is gone. Some freed memory is kept,
 * up to 256 MiB, until vaccel_cleanup().
 */
void vaccel_free(void *memory);

/* For plugins that forward operations */

/**
 * struct vaccel_shared - where bytes lie in memory that can be shared
 * @fd: a memfd sealed against changes of its size and, from Linux 5.1, against being
 *	mapped for writing; the library's, open until vaccel_shared_release()
 * @offset: of the bytes in it
 * @size: of all of it
 * @id: its number, from 1, which no other one of this process ever has
 * @hold: the library's
 */
struct vaccel_shared {
	int fd;
	uint64_t offset;
	uint64_t size;
	uint64_t id;
	void *hold;
};

/**
 * vaccel_shared_hold() - look whether bytes lie in memory of vaccel_alloc()
 * @data: the first of them
 * @size: how many
 * @ret_shared: where they are
 *
 * While it is held, the memory stays and is not used again, even if it is freed.
 * Quick for other memory, too. Any thread.
 *
 * Return: true, and vaccel_shared_release() is to follow; false if they do not, and for NULL.
 */
bool vaccel_shared_hold(const void *data, size_t size, struct vaccel_shared *ret_shared);

/**
 * vaccel_shared_release() - end a hold
 * @shared: of vaccel_shared_hold(); NULL is fine
 */
void vaccel_shared_release(const struct vaccel_shared *shared);

/**
 * vaccel_shared_ended() - count what is not there any more
 *
 * Return: how many ids stand for nothing any more. Who remembers ids asks
 * vaccel_shared_exists() for them when this number has changed.
 */
uint64_t vaccel_shared_ended(void);

/**
 * vaccel_shared_exists() - whether an id still stands for something
 * @id: the id
 *
 * Memory that is kept for reuse keeps its id.
 *
 * Return: true if there is memory with that id.
 */
bool vaccel_shared_exists(uint64_t id);

#ifdef __cplusplus
}
#endif

#endif
