/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that have made a call and are silent since. They are made by a module,
 * bench-links.so beside the plugins, so that the command itself needs no
 * carriers, and what these bring along; it exports one `const struct bench_links
 * bench_links`.
 */
#ifndef BENCH_RPC_LINKS_H
#define BENCH_RPC_LINKS_H

#include <stddef.h>

struct bench_idle;

struct bench_links {
	/*
	 * @count of them to @address, all of one client and in one session of it. @directory has
	 * the certificate that bench_agent made. 0 or a VACCEL_E* code with words.
	 */
	int (*open)(const char *address, const char *directory, size_t count,
		    struct bench_idle **ret_idle);
	void (*close)(struct bench_idle *idle);
};

#endif
