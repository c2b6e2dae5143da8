/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of an open file, between file.c, which reads requests, file_answer.c, which
 * writes answers, and file_pages.c, which has what they lend.
 */
#ifndef VACCEL_AGENT_VHOST_FILE_H
#define VACCEL_AGENT_VHOST_FILE_H

#include "agent/vhost/device.h"

/* Answered by a code alone, and gone; BUSY: it was not begun. The lock is held. */
void file_finish(struct file *file, struct exchange *exchange, enum code code);
void file_finish_all(struct file *file, struct exchange **list, enum code code);

/* Members of the link's carrier. */
ssize_t file_write(struct link *link, const struct iovec *from, int nr, int64_t until, int passed);
int file_at(struct link *link, uint64_t number, const struct payload *payload, enum vaccel_dir dir,
	    void **ret_data);
bool file_place(struct link *link, uint64_t number, const void *data, enum vaccel_dir dir,
		struct payload *payload);

#endif
