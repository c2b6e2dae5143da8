// SPDX-License-Identifier: Apache-2.0
/* See update.h. */
#include "agent/vhost/update.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/base/passed.h"
#include "base/util.h"

int update_send(int channel, const struct update *update, int first, int second)
{
	struct iovec bytes = {(void *)update, sizeof(*update)};
	const int given[UPDATE_FDS] = {first, second};
	int fds[UPDATE_FDS];
	size_t nr = 0;
	ssize_t sent;

	for (size_t i = 0; i < UPDATE_FDS; i++)
		if (given[i] >= 0)
			fds[nr++] = given[i];
	sent = passed_send(channel, &bytes, 1, MSG_DONTWAIT | MSG_NOSIGNAL, fds, nr);
	if (sent == (ssize_t)sizeof(*update))
		return VACCEL_OK;
	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS))
		return VACCEL_EAGAIN;
	return vaccel_fail(VACCEL_EREMOTEIO, "the other end of the machine's channel is gone: %s",
			   strerror(errno));
}

int update_receive(int channel, struct update *ret_update, int ret_fds[UPDATE_FDS])
{
	struct update update;
	struct iovec bytes = {&update, sizeof(update)};
	_cleanup_(passed_release) struct passed passed;
	ssize_t size;

	do
		size = passed_receive(channel, &bytes, MSG_DONTWAIT, &passed);
	while (size < 0 && errno == ECONNRESET);
	if (size < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (size <= 0)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the other end of the machine's channel is gone");
	if (size != (ssize_t)sizeof(update) || passed.flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    passed.nr > UPDATE_FDS)
		return vaccel_fail(VACCEL_EREMOTEIO, "the other end of the machine's channel says "
						     "nonsense");
	update.words[sizeof(update.words) - 1] = '\0';
	*ret_update = update;
	for (size_t i = 0; i < UPDATE_FDS; i++)
		ret_fds[i] = passed_take(&passed);
	return VACCEL_OK;
}
