// SPDX-License-Identifier: Apache-2.0
/*
 * What calls are measured beside: an echo by the queue of the device of docs/virtio.md, which
 * nobody but the queue has a part in, and accesses to the drive, of which a call by it needs
 * two at least.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/vm/vm.h"
#include "kernel/uapi/linux/vaccel.h"
#include "transport/drive.h"

/* About what a small message has. */
#define ECHO_SIZE 128

static int open_accelerator(char path[VM_PATH], const char **ret_why)
{
	int fd;

	snprintf(path, VM_PATH, "/dev/accel0");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		*ret_why = errno == ENOENT ? "there is no /dev/accel0"
					   : "/dev/accel0 cannot be opened";
	return fd;
}

static int echo(void *context, size_t times)
{
	const struct vm *vm = context;
	unsigned char there[ECHO_SIZE] = {1}, back[ECHO_SIZE];
	const struct accel_buffer in = {(uintptr_t)there, sizeof(there)};
	const struct accel_buffer out = {(uintptr_t)back, sizeof(back)};

	for (size_t i = 0; i < times; i++) {
		struct accel_call call = {
			.in = (uintptr_t)&in,
			.out = (uintptr_t)&out,
			.nr_in = 1,
			.nr_out = 1,
		};

		if (ioctl(vm->fd, ACCEL_ECHO, &call) || call.code != ACCEL_OK)
			return vaccel_fail(VACCEL_EREMOTEIO, "the device echoes nothing");
	}
	return VACCEL_OK;
}

const struct bare bare_virtio = {"virtio", open_accelerator, echo, NULL};

static bool is_ours(const char *serial_file)
{
	FILE *file = fopen(serial_file, "re");
	char serial[32] = "";

	if (file && !fgets(serial, sizeof(serial), file))
		serial[0] = '\0';
	if (file)
		fclose(file);
	serial[strcspn(serial, "\n")] = '\0';
	return !strcmp(serial, DRIVE_SERIAL);
}

static int open_drive(char path[VM_PATH], const char **ret_why)
{
	glob_t serials = {0};
	char name[33];
	int fd = -1;

	*ret_why = "there is no drive with the serial number " DRIVE_SERIAL;
	glob("/sys/block/*/serial", 0, NULL, &serials);
	for (size_t i = 0; i < serials.gl_pathc && fd < 0; i++) {
		if (!is_ours(serials.gl_pathv[i]) ||
		    sscanf(serials.gl_pathv[i], "/sys/block/%32[^/]", name) != 1)
			continue;
		snprintf(path, VM_PATH, "/dev/%s", name);
		fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
		*ret_why = "the drive cannot be opened";
	}
	globfree(&serials);
	return fd;
}

/* Of blocks in which there is nothing, so that the agent has least to do. */
static int access_twice(void *context, size_t times)
{
	const struct vm *vm = context;

	for (size_t i = 0; i < 2 * times; i++)
		if (pread(vm->fd, vm->block, DRIVE_BLOCK, DRIVE_BLOCK) != DRIVE_BLOCK)
			return vaccel_fail(VACCEL_EREMOTEIO, "the drive cannot be read");
	return VACCEL_OK;
}

/* From its end, where nobody has anything: whole, as fast as the kernel can ask for it. */
static int read_bulk(void *context, size_t times)
{
	const struct vm *vm = context;
	off_t start = (lseek(vm->fd, 0, SEEK_END) - (off_t)vm->bulk_size) & -(off_t)DRIVE_BLOCK;

	for (size_t i = 0; i < times; i++)
		if (pread(vm->fd, vm->copies, vm->bulk_size, start) != (ssize_t)vm->bulk_size)
			return vaccel_fail(VACCEL_EREMOTEIO, "the drive cannot be read");
	return VACCEL_OK;
}

const struct bare bare_blk = {"blk", open_drive, access_twice, read_bulk};
