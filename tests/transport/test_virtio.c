// SPDX-License-Identifier: Apache-2.0
/*
 * A guest's end of virtio:///dev/accel0, with a driver that is this file: what it is asked for,
 * and what becomes of each thing that it can say. Drivers and devices are tested in guests.
 */
#include "files.h"

#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "kernel/uapi/linux/vaccel.h"
#include "transport/transport.h"

#define MIB  ((size_t)1 << 20)
#define MOST (2 * MIB)

/* The driver */

static struct {
	int (*answer)(struct accel_call *call); /* an errno */
	unsigned int calls;
	uint64_t request;
} driver;

int __wrap_ioctl(int fd, unsigned long command, ...);

int __wrap_ioctl(int fd, unsigned long command, ...)
{
	struct accel_call *call;
	va_list arguments;

	va_start(arguments, command);
	call = va_arg(arguments, void *);
	va_end(arguments);
	if (command == ACCEL_INFO)
		return 0;
	assert_int_equal(command, ACCEL_CALL);
	driver.calls++;
	if (!(call->flags & ACCEL_FETCH))
		call->request = ++driver.request;
	errno = driver.answer(call);
	return errno ? -1 : 0;
}

static struct accel_buffer *outs(const struct accel_call *call)
{
	return (struct accel_buffer *)(uintptr_t)call->out;
}

static uint64_t room_of(const struct accel_call *call)
{
	uint64_t room = 0;

	for (uint32_t i = 0; i < call->nr_out; i++)
		room += outs(call)[i].size;
	return room;
}

/* What is asked, from its first byte on. */
static struct frame asked(const struct accel_call *call)
{
	const struct accel_buffer *in = (struct accel_buffer *)(uintptr_t)call->in;
	const struct frame_limits any = {MOST, MOST};
	struct frame frame;

	assert_true(in->size >= FRAME_SIZE);
	assert_int_equal(frame_get((void *)(uintptr_t)in->address, &any, &frame), VACCEL_OK);
	return frame;
}

/* A reply with a payload of as many bytes, all 7, into the first buffer. */
static int reply(struct accel_call *call, uint64_t request, size_t size)
{
	const struct frame frame = {.kind = FRAME_REPLY, .request = request, .payload_size = size};
	unsigned char *to = (void *)(uintptr_t)outs(call)->address;

	assert_true(outs(call)->size >= FRAME_SIZE + size);
	frame_put(&frame, to);
	memset(to + FRAME_SIZE, 7, size);
	call->used = FRAME_SIZE + size;
	call->flags = 0;
	return 0;
}

static int answer_small(struct accel_call *call)
{
	return reply(call, asked(call).request, 8);
}

static int answer_large(struct accel_call *call)
{
	return reply(call, asked(call).request, MIB);
}

/* The client */

static struct link *open_link(void)
{
	char *directory = dir_new(), *path = file_new(directory, "accel0", ""), *text;
	struct address address;
	struct link *link;

	assert_true(asprintf(&text, "virtio://%s", path) > 0);
	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	assert_int_equal(link_connect(&address, NULL, FOREVER, &link), VACCEL_OK);
	link_set_limits(link, &(struct frame_limits){MOST, MOST});
	address_release(&address);
	free(text);
	free(path);
	dir_remove(directory);
	driver.calls = 0;
	return link;
}

static void ask(struct link *link, uint64_t request, int64_t until)
{
	struct frame frame = {.kind = FRAME_CALL, .request = request};

	assert_int_equal(link_send(link, &frame, NULL, NULL, -1, until), VACCEL_OK);
}

static void expect_reply(struct link *link, uint64_t request, size_t size)
{
	unsigned char *bytes = malloc(size);
	struct iovec piece = {bytes, size};
	const struct pieces payload = {.at = &piece, .count = 1, .size = size};
	struct message message;

	assert_int_equal(link_receive(link, FOREVER, &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_REPLY);
	assert_int_equal(message.frame.request, request);
	assert_int_equal(message.frame.payload_size, size);
	assert_int_equal(link_receive_payload(link, &payload, FOREVER), VACCEL_OK);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], 7);
	free(bytes);
}

/* A result that comes inline is told by its argument: there is room for it at once. */
static void test_room_that_is_known(void **state)
{
	struct link *link = open_link();
	static char argument[MIB];
	struct payload payload = {.size = sizeof(argument)};

	driver.answer = answer_large;
	assert_false(link_place(link, 1, argument, VACCEL_DIR_INOUT, &payload));
	ask(link, 1, FOREVER);
	expect_reply(link, 1, MIB);
	assert_int_equal(driver.calls, 1);
	/* The next one has no such argument. */
	driver.answer = answer_small;
	ask(link, 2, FOREVER);
	expect_reply(link, 2, 8);
	assert_int_equal(driver.calls, 2);
	link_delete(link);
}

static int answer_later(struct accel_call *call)
{
	if (call->flags & ACCEL_FETCH) {
		assert_int_equal(call->request, driver.request);
		return reply(call, 1, MIB);
	}
	assert_true(room_of(call) < FRAME_SIZE + MIB);
	call->code = ACCEL_NOSPACE;
	call->wanted = FRAME_SIZE + MIB;
	call->flags = 0;
	return 0;
}

static void test_an_answer_that_is_fetched(void **state)
{
	struct link *link = open_link();

	driver.answer = answer_later;
	ask(link, 1, FOREVER);
	expect_reply(link, 1, MIB);
	assert_int_equal(driver.calls, 2);
	link_delete(link);
}

static unsigned char output[8192];

static int answer_in_place(struct accel_call *call)
{
	/* Memory of the program's own is never left to the device. */
	assert_int_equal(call->flags, 0);
	assert_true(call->patience_ns);
	assert_int_equal(call->nr_out, 2);
	assert_ptr_equal(outs(call)[1].address, output);
	assert_int_equal(outs(call)[1].size, sizeof(output));
	return answer_small(call);
}

static void test_an_output_that_is_lent(void **state)
{
	struct link *link = open_link();
	struct payload payload = {.size = sizeof(output)}, large = {.size = MIB};
	void *data;

	driver.answer = answer_in_place;
	assert_true(link_place(link, 1, output, VACCEL_DIR_OUT, &payload));
	assert_int_equal(payload.place, PAYLOAD_PAGES);
	assert_int_equal(payload.region, 1);
	/* What comes behind cannot move it any more. */
	assert_false(link_place(link, 1, output, VACCEL_DIR_INOUT, &large));
	ask(link, 1, FOREVER);
	expect_reply(link, 1, 8);
	assert_int_equal(link_at(link, 1, &payload, VACCEL_DIR_OUT, &data), VACCEL_OK);
	assert_ptr_equal(data, output);
	payload.offset += 8;
	assert_int_equal(link_at(link, 1, &payload, VACCEL_DIR_OUT, &data), VACCEL_EREMOTEIO);
	link_delete(link);
}

static unsigned char *nowhere_special;

static int answer_wherever(struct accel_call *call)
{
	assert_int_equal(call->nr_out, 3);
	assert_ptr_equal(outs(call)[1].address, output);
	assert_ptr_equal(outs(call)[2].address, nowhere_special);
	return answer_small(call);
}

/* One is lent wherever it lies, also behind another: there is no more room in the answer then. */
static void test_outputs_that_are_not_aligned(void **state)
{
	static unsigned char memory[MIB + 1];
	struct payload first = {.size = sizeof(output)}, second = {.size = MIB};
	struct link *link = open_link();
	void *data;

	nowhere_special = memory + 1;
	driver.answer = answer_wherever;
	assert_true(link_place(link, 1, output, VACCEL_DIR_OUT, &first));
	assert_true(link_place(link, 1, nowhere_special, VACCEL_DIR_OUT, &second));
	assert_int_equal(second.offset, first.offset + sizeof(output));
	ask(link, 1, FOREVER);
	expect_reply(link, 1, 8);
	assert_int_equal(link_at(link, 1, &second, VACCEL_DIR_OUT, &data), VACCEL_OK);
	assert_ptr_equal(data, nowhere_special);
	link_delete(link);
}

/* A message that is longer than its room, though not than all that the device may write. */
static int answer_beyond(struct accel_call *call)
{
	uint64_t room = outs(call)->size;

	reply(call, asked(call).request, 8);
	call->used = room + 1;
	return 0;
}

static void test_an_answer_beyond_its_room(void **state)
{
	struct link *link = open_link();
	struct payload payload = {.size = sizeof(output)};
	struct message message;

	driver.answer = answer_beyond;
	assert_true(link_place(link, 1, output, VACCEL_DIR_OUT, &payload));
	ask(link, 1, FOREVER);
	assert_int_equal(link_receive(link, FOREVER, &message), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "room"));
	link_delete(link);
}

static void *left; /* to the device */

static int leave(struct accel_call *call, int error)
{
	assert_true(call->flags & ACCEL_LEAVE);
	left = (void *)(uintptr_t)outs(call)->address;
	call->flags = ACCEL_LEFT;
	return error;
}

static int be_silent(struct accel_call *call)
{
	return leave(call, EHOSTDOWN);
}

static int be_late(struct accel_call *call)
{
	assert_true(call->timeout_ns);
	return leave(call, ETIMEDOUT);
}

static bool is_mapped(void *page)
{
	unsigned char there;

	return !mincore(page, 1, &there);
}

static void test_an_agent_that_is_silent(void **state)
{
	struct link *link = open_link();
	struct message message;

	driver.answer = be_silent;
	ask(link, 1, FOREVER);
	assert_false(link_is_silent(link));
	assert_int_equal(link_receive(link, FOREVER, &message), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "not been heard of for 15 seconds"));
	assert_true(link_is_silent(link));
	assert_false(is_mapped(left));
	link_delete(link);
}

/* Who gave up waiting goes on with other memory, and reads some time that it was canceled. */
static void test_a_call_that_is_late(void **state)
{
	struct frame cancel = {.kind = FRAME_CANCEL, .request = 1};
	struct link *link = open_link();
	struct message message;

	driver.answer = be_late;
	ask(link, 1, time_now() + 60 * SECOND);
	assert_int_equal(link_receive(link, FOREVER, &message), VACCEL_EAGAIN);
	assert_false(is_mapped(left));
	assert_int_equal(link_send(link, &cancel, NULL, NULL, -1, 0), VACCEL_OK);
	assert_int_equal(link_receive(link, 0, &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_REPLY);
	assert_int_equal(message.frame.request, 1);
	assert_int_equal(message.frame.status, VACCEL_ECANCELED);
	driver.answer = answer_small;
	ask(link, 2, FOREVER);
	expect_reply(link, 2, 8);
	assert_int_equal(driver.calls, 2);
	link_delete(link);
}

static unsigned int busy_for; /* so many calls more */

static int be_busy(struct accel_call *call)
{
	if (!busy_for)
		return reply(call, asked(call).request, 0);
	busy_for--;
	call->code = ACCEL_BUSY;
	call->flags = 0;
	return 0;
}

static int hello(struct link *link, int64_t until, struct message *ret_message)
{
	struct frame frame = {.kind = FRAME_HELLO, .request = 1};

	assert_int_equal(link_send(link, &frame, NULL, NULL, -1, until), VACCEL_OK);
	return link_receive(link, FOREVER, ret_message);
}

static int be_another(struct accel_call *call)
{
	call->code = ACCEL_BUSY;
	call->flags = ACCEL_GOAWAY;
	return 0;
}

/* What serves the device by now has never seen this file: nothing of the call has run. */
static void test_an_agent_that_begins_anew(void **state)
{
	struct link *link = open_link();
	struct message message;

	driver.answer = be_another;
	ask(link, 1, FOREVER);
	assert_false(link_has_declined(link));
	assert_int_equal(link_receive(link, FOREVER, &message), VACCEL_EREMOTEIO);
	assert_true(link_has_declined(link));
	link_delete(link);
}

/* While the agent's worker is being replaced there is no place for a connection. */
static void test_an_agent_that_is_busy(void **state)
{
	struct link *link = open_link();
	struct message message;
	int ret;

	driver.answer = be_busy;
	busy_for = 3;
	assert_int_equal(hello(link, FOREVER, &message), VACCEL_OK);
	assert_int_equal(message.frame.status, VACCEL_OK);
	assert_int_equal(driver.calls, 4);
	busy_for = UINT_MAX;
	ret = hello(link, time_now() + 100 * MILLISECOND, &message);
	/* Between two of its tries its time may be over, too. */
	assert_true(ret == VACCEL_EAGAIN || (!ret && message.frame.status == VACCEL_EBUSY));
	/* A call is not asked for twice. */
	driver.calls = 0;
	ask(link, 2, FOREVER);
	assert_int_equal(link_receive(link, FOREVER, &message), VACCEL_OK);
	assert_int_equal(message.frame.status, VACCEL_EBUSY);
	assert_int_equal(driver.calls, 1);
	link_delete(link);
}

/* The agent has refused, but keeps ECHO: then the memory of what was asked is gone, too. */
static int be_busy_and_silent(struct accel_call *call)
{
	assert_int_equal(driver.calls, 1);
	call->code = ACCEL_BUSY;
	return leave(call, 0);
}

static void test_a_refusal_that_keeps_memory(void **state)
{
	struct link *link = open_link();
	struct message message;

	driver.answer = be_busy_and_silent;
	assert_int_equal(hello(link, FOREVER, &message), VACCEL_OK);
	assert_int_equal(message.frame.status, VACCEL_EBUSY);
	assert_false(is_mapped(left));
	link_delete(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room_that_is_known),
		cmocka_unit_test(test_an_answer_that_is_fetched),
		cmocka_unit_test(test_an_output_that_is_lent),
		cmocka_unit_test(test_outputs_that_are_not_aligned),
		cmocka_unit_test(test_an_answer_beyond_its_room),
		cmocka_unit_test(test_an_agent_that_is_silent),
		cmocka_unit_test(test_a_call_that_is_late),
		cmocka_unit_test(test_an_agent_that_begins_anew),
		cmocka_unit_test(test_an_agent_that_is_busy),
		cmocka_unit_test(test_a_refusal_that_keeps_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
