/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is loaded once for a content, whoever brings that and however often: a
 * process holds one copy of a model's weights.
 */
#ifndef MODEL_SHARE_H
#define MODEL_SHARE_H

#include <stdbool.h>

#include "model/files.h"

#ifdef __cplusplus
extern "C" {
#endif

/** struct shared - the first member of what is shared; all of it is share.c's */
struct shared {
	struct shared *next;
	struct digest digest;
	size_t refs;
	bool loading;
	int failure_code;
	char *failure;
};

/**
 * struct share - what is shared of one kind; a static variable
 * @size: bytes of each; all but its struct shared is zero before it is loaded
 * @load: fills one from @content; a code, with words
 * @unload: frees what load() filled, also as far as it came before it failed
 */
struct share {
	size_t size;
	int (*load)(struct shared *shared, const void *content);
	void (*unload)(struct shared *shared);

	/* The rest is share.c's, under its lock. */
	struct shared *first;
};

/**
 * share_get() - the one of that content, loaded if it is not
 * @share: of which kind
 * @digest: of @content
 * @content: for load()
 * @ret_shared: to be given back with share_put()
 *
 * While one thread loads it, others that ask for the same content wait, and
 * share its success or failure; other contents do not wait.
 *
 * Return: 0; ENOMEM; the errors of load().
 */
int share_get(struct share *share, const struct digest *digest, const void *content,
	      struct shared **ret_shared);

/** share_put() - give one back; after the last user it is gone. NULL is fine. */
void share_put(struct share *share, struct shared *shared);

/** share_count() - how many are loaded */
size_t share_count(const struct share *share);

#ifdef __cplusplus
}
#endif

#endif
