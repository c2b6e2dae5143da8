// SPDX-License-Identifier: Apache-2.0
/*
 * Block devices of Linux by its own asynchronous interface, of which four system
 * calls are needed and no library: unlike io_uring it is there in every
 * kernel and container. What sysfs says of serial numbers everybody may read.
 */
#include "transport/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <linux/fs.h>

#include "base/util.h"
#include "transport/transport.h"

const struct disk_kind *disk = &disk_of_system;

/* The first line of a file. */
static int read_line(const char *path, char *text, size_t room)
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	if (!file)
		return errno;
	if (!fgets(text, (int)room, file))
		*text = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int serial_of(const char *path, char *text, size_t room)
{
	char name[64];
	struct stat about;

	if (stat(path, &about))
		return errno;
	if (!S_ISBLK(about.st_mode))
		return ENOTBLK;
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/serial", major(about.st_rdev),
		 minor(about.st_rdev));
	return read_line(name, text, room) ? ENODEV : 0;
}

static int find(const char *serial, char *path, size_t room)
{
	_cleanup_(closedirp) DIR *dir = opendir("/sys/block");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char name[sizeof(entry->d_name) + 32], text[64];

		snprintf(name, sizeof(name), "/sys/block/%s/serial", entry->d_name);
		if (read_line(name, text, sizeof(text)) || strcmp(text, serial))
			continue;
		return snprintf(path, room, "/dev/%s", entry->d_name) < (int)room ? 0
										  : ENAMETOOLONG;
	}
	return ENODEV;
}

static int open_device(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

static int size_of(int fd, uint64_t *ret_size)
{
	return ioctl(fd, BLKGETSIZE64, ret_size) ? errno : 0;
}

static unsigned int segments_of(int fd)
{
	char name[64], text[32];
	struct stat about;
	long segments;

	if (fstat(fd, &about))
		return 1;
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/queue/max_segments",
		 major(about.st_rdev), minor(about.st_rdev));
	segments = read_line(name, text, sizeof(text)) ? 1 : strtol(text, NULL, 10);
	return (unsigned int)MIN_OF(MAX_OF(segments, 1), UINT16_MAX);
}

static int setup(struct disk_access *access)
{
	access->context = 0;
	return syscall(SYS_io_setup, 1, &access->context) ? errno : 0;
}

static int start(struct disk_access *access, bool is_write, const struct iovec *at, int nr,
		 uint64_t place)
{
	struct iocb *list = &access->request;

	access->request = (struct iocb){
		.aio_lio_opcode = is_write ? IOCB_CMD_PWRITEV : IOCB_CMD_PREADV,
		.aio_fildes = (uint32_t)access->fd,
		.aio_buf = (uintptr_t)at,
		.aio_nbytes = (uint64_t)nr,
		.aio_offset = (int64_t)place,
	};
	return syscall(SYS_io_submit, access->context, 1, &list) == 1 ? 0 : errno;
}

static int wait_for(struct disk_access *access, int64_t until)
{
	struct io_event event;
	long nr;

	do {
		int64_t left = until ? MAX_OF(until - time_now(), 0) : 0;
		/* That of the kernel's old interface, on machines of 32 bits too. */
		struct {
			long s, ns;
		} time = {(long)MIN_OF(left / SECOND, 3600), (long)(left % SECOND)};

		nr = syscall(SYS_io_getevents, access->context, 1, 1, &event, &time);
	} while (nr < 0 && errno == EINTR);
	if (nr < 0)
		return errno;
	if (!nr)
		return EAGAIN;
	if (event.res < 0)
		return (int)-event.res;
	return event.res == (int64_t)access->size ? 0 : EIO;
}

static void end(struct disk_access *access)
{
	syscall(SYS_io_destroy, access->context);
}

const struct disk_kind disk_of_system = {
	.serial = serial_of,
	.find = find,
	.open = open_device,
	.size = size_of,
	.segments = segments_of,
	.setup = setup,
	.start = start,
	.wait = wait_for,
	.end = end,
};

int access_setup(struct disk_access *access, int fd)
{
	int error;

	access->fd = fd;
	error = disk->setup(access);
	if (error)
		access->fd = -1;
	return error;
}

int access_start(struct disk_access *access, bool is_write, const struct iovec *at, int nr,
		 uint64_t place)
{
	int error;

	access->size = 0;
	for (int i = 0; i < nr; i++)
		access->size += at[i].iov_len;
	error = disk->start(access, is_write, at, nr, place);
	access->is_busy = !error;
	return error;
}

int access_wait(struct disk_access *access, int64_t until)
{
	int error = access->is_busy ? disk->wait(access, until) : 0;

	if (error != EAGAIN)
		access->is_busy = false;
	return error;
}

void access_end(struct disk_access *access)
{
	if (access->fd >= 0)
		disk->end(access);
	access->fd = -1;
}
