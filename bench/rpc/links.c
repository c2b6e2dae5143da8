// SPDX-License-Identifier: Apache-2.0
/* See links.h. */
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/ops/noop.h>

#include "base/util.h"
#include "bench/rpc/links.h"
#include "transport/control.h"
#include "transport/tls.h"
#include "transport/transport.h"

#define PATIENCE    (10 * SECOND)
#define WELCOME_MAX 65536
#define PATH_ROOM   512

struct bench_idle {
	struct address address;
	struct tls *tls;
	uint8_t token[TOKEN_SIZE];
	bool has_token;
	uint64_t epoch;
	int64_t session;
	struct link **links;
	size_t count;
};

static int read_reply(struct link *link, const struct vaccel_op *op, void *args)
{
	struct decoder decoder = {.limits = {WELCOME_MAX, WELCOME_MAX}};
	char words[FRAME_TEXT_MAX + 1];
	struct message message;
	int ret = link_receive(link, time_now() + PATIENCE, &message);

	if (!ret && message.frame.status) {
		ret = decode_failure(&decoder, op, message.head, (size_t)message.frame.head_size,
				     (size_t)message.frame.payload_size, args, words);
		decoder_release(&decoder);
		return ret ? ret : vaccel_fail(message.frame.status, "%s", words);
	}
	if (!ret)
		ret = decode_reply(&decoder, op, message.head, (size_t)message.frame.head_size,
				   (size_t)message.frame.payload_size, args);
	if (!ret)
		ret = link_receive_payload(link, &decoder.payload, time_now() + PATIENCE);
	if (!ret)
		ret = decode_reply_end(&decoder);
	decoder_release(&decoder);
	return ret;
}

static int ask(struct link *link, struct frame *frame, const struct vaccel_op *op, void *args)
{
	struct encoder encoder = {.hooks = NULL};
	int ret = encode_request(&encoder, op, args);

	frame->head_size = encoder.head_size;
	if (!ret)
		ret = link_send(link, frame, encoder.head, &encoder.payload, -1,
				time_now() + PATIENCE);
	encoder_release(&encoder);
	return ret ? ret : read_reply(link, op, args);
}

static int greet(struct bench_idle *idle, struct link *link)
{
	const struct vaccel_known_op noop = {(uint32_t)vaccel_op_noop.number,
					     vaccel_op_hash(vaccel_op_noop.signature)};
	uint32_t agreed, spin_us, load, fate;
	uint64_t head_max, payload_max, region_max;
	struct vaccel_hello_args hello = {
		.version = PROTOCOL_VERSION,
		.program = "bench",
		.token = {idle->token, idle->has_token ? TOKEN_SIZE : 0},
		.ops = {&noop, 1},
		.agreed = &agreed,
		.now = &idle->epoch,
		.head_max = &head_max,
		.payload_max = &payload_max,
		.region_max = &region_max,
		.spin_us = &spin_us,
		.load = &load,
		.fate = &fate,
	};
	const struct frame_limits limits = {WELCOME_MAX, WELCOME_MAX};
	struct frame frame = {.kind = FRAME_HELLO, .request = 1};
	int ret;

	link_set_limits(link, &limits);
	ret = ask(link, &frame, &vaccel_op_hello, &hello);
	if (!ret && hello.client.count != TOKEN_SIZE)
		ret = vaccel_fail(VACCEL_EREMOTEIO, "a welcome without a token");
	if (!ret)
		memcpy(idle->token, hello.client.data, TOKEN_SIZE);
	idle->has_token = !ret;
	free(hello.client.data);
	free(hello.common.data);
	free(hello.fate_text.data);
	return ret;
}

/* The client's, on its first connection. */
static int open_session(struct bench_idle *idle, struct link *link)
{
	struct vaccel_session_open_args args = {.session = &idle->session};
	struct frame frame = {.kind = FRAME_CALL,
			      .op = VACCEL_OP_SESSION_OPEN,
			      .request = 2,
			      .epoch = idle->epoch};

	return ask(link, &frame, &vaccel_op_session_open, &args);
}

static int call(struct bench_idle *idle, struct link *link)
{
	struct vaccel_noop_args args = {0};
	struct frame frame = {.kind = FRAME_CALL,
			      .op = VACCEL_OP_NOOP,
			      .request = 3,
			      .session = idle->session,
			      .epoch = idle->epoch};

	return ask(link, &frame, &vaccel_op_noop, &args);
}

static void close_idle(struct bench_idle *idle)
{
	for (size_t i = 0; i < idle->count; i++)
		link_delete(idle->links[i]);
	free(idle->links);
	tls_delete(idle->tls);
	address_release(&idle->address);
	free(idle);
}

static int add(struct bench_idle *idle)
{
	struct link *link;
	int ret = link_connect(&idle->address, idle->tls, time_now() + PATIENCE, &link);

	if (ret)
		return ret;
	idle->links[idle->count++] = link;
	ret = greet(idle, link);
	if (!ret && !idle->session)
		ret = open_session(idle, link);
	if (!ret)
		ret = call(idle, link);
	link_rest(link);
	return ret;
}

static int make_tls(struct bench_idle *idle, const char *directory)
{
	char cert[PATH_ROOM], key[PATH_ROOM], ca[PATH_ROOM];
	struct tls_pem pem;
	int ret;

	snprintf(cert, sizeof(cert), "%s/bench.pem", directory);
	snprintf(key, sizeof(key), "%s/bench.key", directory);
	snprintf(ca, sizeof(ca), "%s/ca.pem", directory);
	ret = tls_pem_read(&(struct tls_files){.cert = cert, .key = key, .ca = ca}, &pem);
	if (ret)
		return ret;
	ret = tls_client_new(&pem, &idle->tls);
	tls_pem_release(&pem);
	return ret;
}

static int open_idle(const char *address, const char *directory, size_t count,
		     struct bench_idle **ret_idle)
{
	struct bench_idle *idle = calloc(1, sizeof(*idle));
	int ret;

	if (!idle)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for connections");
	ret = address_parse(address, &idle->address);
	if (ret) {
		free(idle);
		return ret;
	}
	idle->links = calloc(count, sizeof(struct link *));
	if (!idle->links)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for %zu connections", count);
	if (!ret && !strncmp(address, "tls:", 4))
		ret = make_tls(idle, directory);
	while (!ret && idle->count < count)
		ret = add(idle);
	if (ret)
		close_idle(idle);
	else
		*ret_idle = idle;
	return ret;
}

extern const struct bench_links bench_links;
__attribute__((visibility("default")))
const struct bench_links bench_links = {open_idle, close_idle};
