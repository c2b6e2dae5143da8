// SPDX-License-Identifier: Apache-2.0
/*
 * A machine of Firecracker's or Cloud Hypervisor's kind at an agent that runs, and in it a
 * program that calls it. test_vmm.py starts the agent, and when it reads "restart" another.
 *
 * usage: test_vmm KIND SOCKET QUEUES SIZE
 */
#include "bed.h"
#include "guest_disk.h"
#include "vmm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/noop.h>

#include "agent/vhost/drive.h"
#include "agent/vhost/ring.h"
#include "base/util.h"

#define NUMBERS (1 << 18) /* a MiB, several parcels of a drive's */

static const struct vmm_kind *const kinds[] = {
	&vmm_firecracker,
	&vmm_cloud_hypervisor_disk,
	&vmm_cloud_hypervisor_device,
};

static struct {
	const struct vmm_kind *kind;
	const char *path;
	unsigned int queues;
	uint16_t size;
} options;

static bool is_disk(void)
{
	return options.kind->config_size;
}

static uint64_t number_at(struct vmm *vmm, uint32_t offset, uint32_t size)
{
	uint64_t number = 0;

	vmm_read_config(vmm, offset, &number, size);
	return le64toh(number);
}

/* The driver, up to its queues. */
static void probe(struct vmm *vmm)
{
	struct guest_disk disk = {.front = vmm->front, .queues = vmm->queues};

	if (is_disk()) {
		disk.capacity = 512 * number_at(vmm, 0, 8);
		assert_int_equal(disk.capacity, drive_capacity());
		/* Without a feature that says how many, a request's memory is in one piece. */
		if (vmm->features & UINT64_C(1) << 2) {
			assert_true(number_at(vmm, 12, 4) >= 64);
			disk.segment = 40 << 10;
		}
		guest_disk_attach(&disk);
	} else {
		assert_int_equal(number_at(vmm, 0, 4), DEVICE_MAGIC);
		assert_int_equal(number_at(vmm, 4, 2), DEVICE_VERSION);
		assert_true(number_at(vmm, 6, 2) >= vmm->queues);
		assert_int_equal(number_at(vmm, 12, 4), SEGMENTS_MAX);
		for (uint32_t i = 32; i < 64; i++)
			assert_int_equal(number_at(vmm, i, 1), 0);
		/* What a guest writes there must not end its machine. */
		vmm_write_config(vmm, 0, "abcd", 4);
		assert_int_equal(number_at(vmm, 0, 4), DEVICE_MAGIC);
	}
}

/* Programs */

static struct link *connect_disk(void)
{
	struct address address;
	struct link *link;

	assert_int_equal(address_parse("blk:", &address), VACCEL_OK);
	if (link_connect(&address, NULL, FOREVER, &link))
		fail_msg("%s", vaccel_error_text());
	address_release(&address);
	return link;
}

static void open_program(struct program *program, struct front *front)
{
	*program = (struct program){0};
	program->link = is_disk() ? connect_disk() : front_open(front, 8192);
	link_set_limits(program->link, &(struct frame_limits){1 << 24, UINT64_C(1) << 32});
	program->decoder.limits = (struct codec_limits){1 << 30, 1 << 16};
	assert_int_equal(program_hello(program, NULL, NULL, 0, NULL), VACCEL_OK);
}

static void use(struct program *program)
{
	static int32_t in[NUMBERS], out[NUMBERS];
	struct vaccel_fpga_arraycopy_args args = {{in, 0}, {out, 0}};
	int64_t session = program_session(program);

	for (int i = 0; i < 100; i++)
		assert_int_equal(program_noop(program, session), VACCEL_OK);
	for (int32_t i = 0; i < NUMBERS; i++)
		in[i] = i;
	for (size_t count = 1; count <= NUMBERS; count *= 8) {
		memset(out, 0, sizeof(out));
		args.a.count = args.out.count = count;
		assert_int_equal(program_call(program, session, &vaccel_op_fpga_arraycopy, &args),
				 VACCEL_OK);
		assert_memory_equal(in, out, count * sizeof(in[0]));
	}
}

static void call_and_close(struct front *front)
{
	struct program program;

	open_program(&program, front);
	use(&program);
	program_close(&program);
}

/* Machines */

static void begin(struct vmm *vmm, struct front *front)
{
	front_init_sized(front, options.size);
	vmm_boot(vmm, options.kind, front, options.queues, options.path);
	front->indirect = vmm->features & VIRTIO_INDIRECT;
	probe(vmm);
	vmm_activate(vmm);
}

static void end(struct vmm *vmm)
{
	guest_disk_detach();
	vmm_end(vmm);
	front_release(vmm->front);
}

static void test_calls(void **state)
{
	struct front front;
	struct vmm vmm;

	begin(&vmm, &front);
	call_and_close(&front);
	end(&vmm);
}

/* The guest boots again, or another kernel in it; Firecracker's has to end for that. */
static void test_reset(void **state)
{
	struct front front;
	struct vmm vmm;

	if (options.kind == &vmm_firecracker)
		skip();
	begin(&vmm, &front);
	call_and_close(&front);
	vmm_reset(&vmm);
	for (unsigned int i = 0; i < vmm.queues; i++)
		front_reset_queue(&front, i);
	vmm_activate(&vmm);
	call_and_close(&front);
	end(&vmm);
}

/* What is asked while the machine rests is answered when it goes on. */
static void test_pause(void **state)
{
	struct vaccel_noop_args args = {0};
	struct program program;
	struct front front;
	int64_t session;
	struct vmm vmm;

	if (options.kind == &vmm_firecracker)
		skip();
	begin(&vmm, &front);
	open_program(&program, &front);
	session = program_session(&program);
	for (int i = 0; i < 20; i++) {
		vmm_pause(&vmm, true);
		program_send(&program, session, &vaccel_op_noop, &args);
		vmm_pause(&vmm, false);
		assert_int_equal(program_reply(&program, program.request, &vaccel_op_noop, &args),
				 VACCEL_OK);
	}
	program_close(&program);
	end(&vmm);
}

/* Memory that is plugged in while the guest runs. */
static void test_more_memory(void **state)
{
	struct vhost_region region = {.guest = UINT64_C(1) << 40, .size = 4096, .front = 1 << 20};
	struct front front;
	struct vmm vmm;
	int fd;

	if (is_disk())
		skip();
	begin(&vmm, &front);
	fd = memfd_create("more", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 4096), 0);
	vmm_add_memory(&vmm, &region, fd);
	call_and_close(&front);
	close(fd);
	end(&vmm);
}

/* Another agent: Cloud Hypervisor connects again, and the guest goes on. */
static void test_another_agent(void **state)
{
	struct program program;
	struct front front;
	struct vmm vmm;
	char line[16];

	if (options.kind == &vmm_firecracker)
		skip();
	begin(&vmm, &front);
	call_and_close(&front);
	open_program(&program, &front);
	printf("restart\n");
	fflush(stdout);
	vmm_wait_for_end(&vmm);
	assert_non_null(fgets(line, sizeof(line), stdin));
	vmm_connect_again(&vmm);
	/* Its connection is lost, and it learns so. */
	program_send(&program, 1, &vaccel_op_noop, &(struct vaccel_noop_args){0});
	program_expect_end(&program);
	program_close(&program);
	call_and_close(&front);
	end(&vmm);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),	      cmocka_unit_test(test_reset),
		cmocka_unit_test(test_pause),	      cmocka_unit_test(test_more_memory),
		cmocka_unit_test(test_another_agent),
	};

	if (argc != 5)
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i]->name, argv[1]))
			options.kind = kinds[i];
	options.path = argv[2];
	options.queues = (unsigned int)atoi(argv[3]);
	options.size = (uint16_t)atoi(argv[4]);
	if (!options.kind || options.queues > FRONT_QUEUES || options.size > FRONT_MAX)
		return 2;
	return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
