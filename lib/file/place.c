// SPDX-License-Identifier: Apache-2.0
/*
 * See place.h. What devices a machine has sysfs tells, which everybody may read, in a container
 * too. A vsock cannot be looked at without connecting, so it counts only where the machine
 * surely is a guest, and one that has no guests itself.
 */
#include "file/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "file/file.h"
#include "file/rundir.h"

#define TEXT_MAX 512

/* Numbers of VirtIO devices: a vsock, and two of ours. */
#define ID_VSOCK      19
#define ID_VACCEL     21
#define ID_VACCEL_NEW 63

struct look {
	const char *root;
	vaccel_agent_seen_fn *seen;
	void *context;
};

static __attribute__((format(printf, 5, 6))) void tell(const struct look *look, int code,
						       const char *address, const char *advice,
						       const char *format, ...)
{
	char sentence[TEXT_MAX];
	struct vaccel_agent_place place = {address, code, sentence, advice};
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	look->seen(look->context, &place);
}

/* Files below the root */

static void path_of(const struct look *look, char path[TEXT_MAX], const char *below)
{
	snprintf(path, TEXT_MAX, "%s%s", look->root, below);
}

static bool is_there(const struct look *look, const char *below)
{
	char path[TEXT_MAX];

	path_of(look, path, below);
	return !access(path, F_OK);
}

/* Whether this user may read and write it: 0 or an errno. */
static int check_access(const struct look *look, const char *below)
{
	char path[TEXT_MAX];

	path_of(look, path, below);
	return access(path, R_OK | W_OK) ? errno : 0;
}

/* The first line of a file of sysfs. */
static bool read_line(const char *path, char line[64])
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	if (!file || !fgets(line, 64, file))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* The name of what a link of sysfs leads to. */
static bool leads_to(const char *link, const char *name)
{
	char target[TEXT_MAX];
	ssize_t size = readlink(link, target, sizeof(target) - 1);
	const char *slash;

	if (size < 0)
		return false;
	target[size] = '\0';
	slash = strrchr(target, '/');
	return !strcmp(slash ? slash + 1 : target, name);
}

/* Calls @match for what a directory has, by its name and path, until it is true. */
static bool any_in(const struct look *look, const char *below,
		   bool (*match)(const char *name, const char *path, void *context), void *context)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	char path[TEXT_MAX], one[TEXT_MAX + sizeof(entry->d_name) + 2];

	path_of(look, path, below);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(one, sizeof(one), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && match(entry->d_name, one, context))
			return true;
	}
	return false;
}

/* Socket files */

/*
 * Whether somebody listens, as an errno. The kernel looks for that before it finds that such a
 * socket is of the wrong type, so that who listens does not hear of it: EPROTOTYPE means yes.
 */
static int probe(const char *path)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	if (fd < 0)
		return errno;
	if (strlen(path) >= sizeof(name.sun_path))
		return ENAMETOOLONG;
	strcpy(name.sun_path, path);
	return connect(fd, (struct sockaddr *)&name, sizeof(name)) ? errno : ECONNREFUSED;
}

static void look_at_socket(const struct look *look, const char *path, bool is_safe)
{
	char whole[TEXT_MAX], address[TEXT_MAX + 8];

	path_of(look, whole, path);
	snprintf(address, sizeof(address), "unix://%s", whole);
	switch (is_safe ? probe(whole) : ENOENT) {
	case EPROTOTYPE:
		tell(look, VACCEL_OK, address, NULL, "an agent listens at %s", path);
		break;
	case EACCES:
	case EPERM:
		tell(look, VACCEL_EACCES, address,
		     "Join the group that the socket file belongs to.",
		     "this user may not write to the socket file %s", path);
		break;
	case ECONNREFUSED:
		tell(look, VACCEL_EREMOTEIO, address,
		     "Start vaccel-agent again, or remove the file.",
		     "nobody listens at %s, which an agent has left behind", path);
		break;
	default:
		tell(look, VACCEL_ENOENT, address, NULL, "there is no %s", path);
	}
}

static void look_at_sockets(const struct look *look)
{
	bool is_safe = false;
	_cleanup_(freep) char *own = geteuid() ? rundir_agent_socket(&is_safe) : NULL;

	if (own)
		look_at_socket(look, own, is_safe);
	look_at_socket(look, "/run/vaccel/agent.sock", true);
}

/* The device */

struct virtio {
	unsigned long id;
	const char *driver; /* NULL: none */
};

static bool is_virtio(const char *name, const char *path, void *context)
{
	const struct virtio *wanted = context;
	char file[2 * TEXT_MAX], line[64];

	snprintf(file, sizeof(file), "%s/device", path);
	if (!read_line(file, line) || strtoul(line, NULL, 16) != wanted->id)
		return false;
	snprintf(file, sizeof(file), "%s/driver", path);
	return wanted->driver ? leads_to(file, wanted->driver) : access(file, F_OK) != 0;
}

static bool has_virtio(const struct look *look, unsigned long id, const char *driver)
{
	return any_in(look, "/sys/bus/virtio/devices", is_virtio, &(struct virtio){id, driver});
}

/* Not every /dev/accel0 is of our driver. */
static bool has_device(const struct look *look)
{
	char path[TEXT_MAX];

	path_of(look, path, "/sys/class/misc/accel0/device/driver");
	return leads_to(path, "virtio_vaccel");
}

static void look_at_device(const struct look *look)
{
	static const char path[] = "/dev/accel0", address[] = "virtio:///dev/accel0";

	if (!has_device(look)) {
		if (has_virtio(look, ID_VACCEL, NULL) || has_virtio(look, ID_VACCEL_NEW, NULL))
			tell(look, VACCEL_EREMOTEIO, address,
			     "Load the driver, `modprobe virtio_vaccel`; if it is loaded, `dmesg` "
			     "tells why it has not taken the device.",
			     "there is no %s, but a VirtIO device of our number without a driver",
			     path);
		else
			tell(look, VACCEL_ENOENT, address, NULL, "%s %s",
			     is_there(look, path) ? "of another driver is" : "there is no", path);
		return;
	}
	switch (check_access(look, path)) {
	case 0:
		tell(look, VACCEL_OK, address, NULL, "the host's agent has the device %s", path);
		break;
	case ENOENT:
		tell(look, VACCEL_EACCES, address,
		     "A container gets it with `--device /dev/accel0`.",
		     "the machine has the device %s, and it is not in this /dev", path);
		break;
	default:
		tell(look, VACCEL_EACCES, address,
		     "Join the group that it belongs to, as a rule `render`.",
		     "this user may not read and write %s", path);
	}
}

/* The drive */

static bool has_serial(const char *name, const char *path, void *context)
{
	char file[2 * TEXT_MAX], line[64];

	snprintf(file, sizeof(file), "%s/serial", path);
	if (!read_line(file, line) || strcmp(line, PLACE_DRIVE_SERIAL) != 0)
		return false;
	snprintf(context, TEXT_MAX, "/dev/%s", name);
	return true;
}

static void look_at_drive(const struct look *look)
{
	char path[TEXT_MAX], address[TEXT_MAX + 8];

	if (!any_in(look, "/sys/block", has_serial, path)) {
		tell(look, VACCEL_ENOENT, "blk:", NULL,
		     "no drive has the serial number " PLACE_DRIVE_SERIAL);
		return;
	}
	snprintf(address, sizeof(address), "blk://%s", path);
	switch (check_access(look, path)) {
	case 0:
		tell(look, VACCEL_OK, address, NULL, "the host's agent has the drive %s", path);
		break;
	case ENOENT:
		tell(look, VACCEL_EACCES, address, "A container gets it with `--device`.",
		     "the machine has the agent's drive %s, and it is not in this /dev", path);
		break;
	default:
		tell(look, VACCEL_EACCES, address,
		     "Let this user's group do so, for instance by a rule of udev for the serial "
		     "number " PLACE_DRIVE_SERIAL ".",
		     "this user may not read and write the agent's drive %s", path);
	}
}

/* vsock */

static void look_at_vsock(const struct look *look, bool is_remote_named)
{
	static const char address[] = "vsock://2:2048";

	if (!has_virtio(look, ID_VSOCK, "vmw_vsock_virtio_transport"))
		tell(look, VACCEL_ENOENT, address, NULL, "there is no VirtIO vsock");
	else if (is_there(look, "/sys/class/misc/kvm"))
		tell(look, VACCEL_ENOTSUP, address,
		     "If an agent listens on the host of this machine, set "
		     "VACCEL_RPC_ADDRESS=vsock://2:2048.",
		     "vsock is not tried, since this machine can be a host itself");
	else if (!is_remote_named)
		tell(look, VACCEL_ENOTSUP, address,
		     "If an agent listens there, set VACCEL_PLUGINS=remote.",
		     "the host's vsock is tried only where VACCEL_PLUGINS names remote");
	else
		tell(look, VACCEL_OK, address, NULL, "the host can be reached by vsock");
}

void places_look(const char *root, bool is_remote_named, vaccel_agent_seen_fn *seen, void *context)
{
	const struct look look = {root, seen, context};

	look_at_sockets(&look);
	look_at_device(&look);
	look_at_drive(&look);
	look_at_vsock(&look, is_remote_named);
}
