/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that take no descriptors, which some kernels do not know, nor any emulator. */
#ifndef TESTS_SUPPORT_PASSING_H
#define TESTS_SUPPORT_PASSING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* Skips a test where no socket can refuse descriptors. An emulator may read that option only. */
static inline void need_refusal_of_passed(void)
{
	int ends[2], off = 0, ret;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ret = setsockopt(ends[0], SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
	close(ends[0]);
	close(ends[1]);
	if (!ret)
		return;
	print_message("here no socket can be told to take no descriptors\n");
	skip();
}

#endif
