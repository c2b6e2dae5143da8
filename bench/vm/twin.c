// SPDX-License-Identifier: Apache-2.0
/* See twin.h. It has the same functions at the same addresses, so that they are sent as they are.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "bench/vm/twin.h"

struct order {
	bench_work *work;
	size_t times;
};

struct report {
	int ret;
	char words[256];
};

_Noreturn static void serve(int socket, void *context)
{
	struct order order;

	while (recv(socket, &order, sizeof(order), 0) == sizeof(order)) {
		struct report report = {.ret = order.work(context, order.times)};

		if (report.ret)
			strncpy(report.words, vaccel_error_text(), sizeof(report.words) - 1);
		if (send(socket, &report, sizeof(report), MSG_NOSIGNAL) != sizeof(report))
			break;
	}
	/* What this process has not written yet is the other's to write. */
	_exit(EXIT_SUCCESS);
}

int twin_start(struct twin *twin, void *context)
{
	pid_t parent = getpid();
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return vaccel_fail(errno, "no socket to measure with: %s", strerror(errno));
	twin->pid = fork();
	if (!twin->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sockets[0]);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		serve(sockets[1], context);
	}
	close(sockets[1]);
	twin->socket = sockets[0];
	return twin->pid < 0 ? vaccel_fail(errno, "no process to measure with: %s", strerror(errno))
			     : VACCEL_OK;
}

void twin_stop(struct twin *twin)
{
	if (twin->pid <= 0)
		return;
	close(twin->socket);
	waitpid(twin->pid, NULL, 0);
	twin->pid = 0;
}

int twin_do(const struct twin *twin, bench_work *work, size_t times)
{
	const struct order order = {work, times};
	struct report report;

	if (send(twin->socket, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order) ||
	    recv(twin->socket, &report, sizeof(report), 0) != sizeof(report))
		return vaccel_fail(VACCEL_EREMOTEIO, "the process that measures vsock has ended");
	return report.ret ? vaccel_fail(report.ret, "%s", report.words) : VACCEL_OK;
}
