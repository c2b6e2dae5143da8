// SPDX-License-Identifier: Apache-2.0
/* Where an agent is looked for that nobody has named, in machines that are a directory each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include <vaccel.h>

#include "../../transport/drive.h"
#include "base/util.h"
#include "file/place.h"
#include "file/rundir.h"
#include "files.h"

#define NOBODY	 65534
#define NR_MOST	 8
#define SOCKET	 "/run/vaccel/agent.sock"
#define VIRTIO	 "/sys/bus/virtio/devices/virtio7"
#define OF_OURS	 "../../../drivers/virtio_vaccel"
#define OF_VSOCK "../../../drivers/vmw_vsock_virtio_transport"

enum { DEVICE = 1, DRIVE, VSOCK }; /* behind the system's socket file, which is 0 */

static char *root;

static struct {
	size_t nr;
	int code[NR_MOST];
	char address[NR_MOST][128], sentence[NR_MOST][512], advice[NR_MOST][512];
} seen;

static void see(void *context, const struct vaccel_agent_place *place)
{
	assert_ptr_equal(context, &seen);
	assert_true(seen.nr < NR_MOST);
	seen.code[seen.nr] = place->code;
	snprintf(seen.address[seen.nr], sizeof(seen.address[0]), "%s", place->address);
	snprintf(seen.sentence[seen.nr], sizeof(seen.sentence[0]), "%s", place->sentence);
	snprintf(seen.advice[seen.nr], sizeof(seen.advice[0]), "%s",
		 place->advice ? place->advice : "");
	seen.nr++;
}

static void look_as(bool is_remote_named)
{
	seen.nr = 0;
	places_look(root, is_remote_named, see, &seen);
}

static void assert_place(size_t index, int code, const char *address, const char *sentence,
			 const char *advice)
{
	assert_true(index < seen.nr);
	assert_int_equal(seen.code[index], code);
	assert_string_equal(seen.address[index], address);
	assert_string_equal(seen.sentence[index], sentence);
	if (!strstr(seen.advice[index], advice) || !*advice != !*seen.advice[index])
		fail_msg("'%s' is not in '%s'", advice, seen.advice[index]);
}

/* What the machine has */

static char *below(const char *path)
{
	char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s", root, path) > 0);
	for (char *slash = strchr(whole + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	return whole;
}

static void put(const char *path, const char *text)
{
	_cleanup_(freep) char *whole = below(path);

	file_fill(whole, text, strlen(text));
}

static void put_link(const char *path, const char *target)
{
	_cleanup_(freep) char *whole = below(path);

	assert_int_equal(symlink(target, whole), 0);
}

static void set_mode(const char *path, mode_t mode)
{
	_cleanup_(freep) char *whole = below(path);

	assert_int_equal(chmod(whole, mode), 0);
}

static void take_away(const char *path)
{
	_cleanup_(freep) char *whole = below(path);

	assert_int_equal(unlink(whole), 0);
}

static int listen_at(const char *path)
{
	_cleanup_(freep) char *whole = below(path);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && strlen(whole) < sizeof(name.sun_path));
	strcpy(name.sun_path, whole);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int setup(void **state)
{
	root = dir_new();
	assert_int_equal(chmod(root, 0755), 0);
	return 0;
}

static int teardown(void **state)
{
	dir_remove(root);
	return 0;
}

/* Root may do everything; what others may not is tried as somebody else. */
static void become_nobody(void)
{
	if (!geteuid())
		assert_int_equal(seteuid(NOBODY), 0);
}

static void become_oneself(void)
{
	assert_int_equal(seteuid(getuid()), 0);
}

/* Tests */

static void test_nothing(void **state)
{
	look_as(true);
	if (!geteuid())
		assert_int_equal(seen.nr, 4);
	for (size_t i = 0; i < seen.nr; i++)
		assert_int_equal(seen.code[i], VACCEL_ENOENT);
	if (geteuid())
		return;
	assert_string_equal(seen.sentence[0], "there is no " SOCKET);
	assert_string_equal(seen.sentence[DEVICE], "there is no /dev/accel0");
	assert_string_equal(seen.sentence[DRIVE], "no drive has the serial number vaccel-drive");
	assert_string_equal(seen.sentence[VSOCK], "there is no VirtIO vsock");
}

static void test_socket(void **state)
{
	int fd = listen_at(SOCKET);
	_cleanup_(freep) char *address = NULL;

	assert_true(asprintf(&address, "unix://%s" SOCKET, root) > 0);
	look_as(false);
	assert_place(0, VACCEL_OK, address, "an agent listens at " SOCKET, "");
	/* Who listens has not noticed. */
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
	look_as(false);
	assert_place(0, VACCEL_EREMOTEIO, address,
		     "nobody listens at " SOCKET ", which an agent has left behind",
		     "remove the file");
	take_away(SOCKET);
	put(SOCKET, "no socket");
	look_as(false);
	assert_int_equal(seen.code[0], VACCEL_EREMOTEIO);
}

static void test_socket_of_others(void **state)
{
	int fd = listen_at(SOCKET);

	set_mode(SOCKET, 0600);
	become_nobody();
	look_as(false);
	become_oneself();
	assert_int_equal(seen.code[seen.nr - 4], VACCEL_EACCES);
	assert_string_equal(seen.sentence[seen.nr - 4],
			    "this user may not write to the socket file " SOCKET);
	close(fd);
}

static void test_path_too_long(void **state)
{
	char *shorter = root, *deep = NULL;

	assert_true(asprintf(&deep, "%s/%0100d", root, 0) > 0);
	root = deep;
	look_as(false);
	assert_int_equal(seen.code[0], VACCEL_ENOENT);
	root = shorter;
	free(deep);
}

static void put_device(void)
{
	put(VIRTIO "/device", "0x0015\n");
	put_link(VIRTIO "/driver", OF_OURS);
	put_link("/sys/class/misc/accel0/device", "../../../bus/virtio/devices/virtio7");
}

static void test_device(void **state)
{
	const char *address = "virtio:///dev/accel0";

	put_device();
	look_as(false);
	assert_place(DEVICE, VACCEL_EACCES, address,
		     "the machine has the device /dev/accel0, and it is not in this /dev",
		     "--device /dev/accel0");
	put("/dev/accel0", "");
	look_as(false);
	assert_place(DEVICE, VACCEL_OK, address, "the host's agent has the device /dev/accel0", "");
}

static void test_device_without_driver(void **state)
{
	static const char *const ids[] = {"0x0015\n", "0x003f\n"};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		put(VIRTIO "/device", ids[i]);
		look_as(false);
		assert_place(
			DEVICE, VACCEL_EREMOTEIO, "virtio:///dev/accel0",
			"there is no /dev/accel0, but a VirtIO device of our number without a driver",
			"modprobe virtio_vaccel");
	}
}

static void test_device_of_another_driver(void **state)
{
	put("/dev/accel0", "");
	put("/sys/bus/virtio/devices/virtio8/device", "0x0001\n");
	look_as(false);
	assert_place(DEVICE, VACCEL_ENOENT, "virtio:///dev/accel0",
		     "of another driver is /dev/accel0", "");
}

static void test_drive(void **state)
{
	assert_string_equal(PLACE_DRIVE_SERIAL, DRIVE_SERIAL);
	put("/sys/block/vda/serial", "somebody-else\n");
	look_as(false);
	assert_int_equal(seen.code[DRIVE], VACCEL_ENOENT);
	put("/sys/block/vdb/serial", PLACE_DRIVE_SERIAL "\n");
	look_as(false);
	assert_place(DRIVE, VACCEL_EACCES, "blk:///dev/vdb",
		     "the machine has the agent's drive /dev/vdb, and it is not in this /dev",
		     "--device");
	put("/dev/vda", "");
	put("/dev/vdb", "");
	look_as(false);
	assert_place(DRIVE, VACCEL_OK, "blk:///dev/vdb", "the host's agent has the drive /dev/vdb",
		     "");
}

static void test_what_only_root_may(void **state)
{
	if (getuid()) {
		print_message("only root may do that\n");
		skip();
	}
	put_device();
	put("/dev/accel0", "");
	put("/sys/block/vdb/serial", PLACE_DRIVE_SERIAL "\n");
	put("/dev/vdb", "");
	set_mode("/sys/block/vdb/serial", 0444);
	set_mode(VIRTIO "/device", 0444);
	assert_int_equal(setresuid(NOBODY, NOBODY, 0), 0);
	look_as(false);
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_place(seen.nr - 3, VACCEL_EACCES, "virtio:///dev/accel0",
		     "this user may not read and write /dev/accel0", "render");
	assert_place(seen.nr - 2, VACCEL_EACCES, "blk:///dev/vdb",
		     "this user may not read and write the agent's drive /dev/vdb", "udev");
}

static void test_vsock(void **state)
{
	const char *address = "vsock://2:2048";

	put(VIRTIO "/device", "0x0013\n");
	look_as(true);
	assert_place(VSOCK, VACCEL_ENOENT, address, "there is no VirtIO vsock", "");
	put_link(VIRTIO "/driver", OF_VSOCK);
	look_as(true);
	assert_place(VSOCK, VACCEL_OK, address, "the host can be reached by vsock", "");
	look_as(false);
	assert_place(VSOCK, VACCEL_ENOTSUP, address,
		     "the host's vsock is tried only where VACCEL_PLUGINS names remote",
		     "VACCEL_PLUGINS=remote");
	/* A machine that may have guests itself. */
	put("/sys/class/misc/kvm/dev", "10:232\n");
	look_as(true);
	assert_place(VSOCK, VACCEL_ENOTSUP, address,
		     "vsock is not tried, since this machine can be a host itself", address);
}

static void test_nobody_looks(void **state)
{
	assert_int_equal(vaccel_agent_look(NULL, NULL), VACCEL_EINVAL);
	seen.nr = 0;
	assert_int_equal(vaccel_agent_look(see, &seen), VACCEL_OK);
	assert_true(seen.nr >= 4);
	assert_string_equal(seen.address[seen.nr - 1], "vsock://2:2048");
	assert_int_not_equal(seen.code[seen.nr - 1], VACCEL_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_socket),
		TEST(test_socket_of_others),
		TEST(test_path_too_long),
		TEST(test_device),
		TEST(test_device_without_driver),
		TEST(test_device_of_another_driver),
		TEST(test_drive),
		TEST(test_what_only_root_may),
		TEST(test_vsock),
		TEST(test_nobody_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
