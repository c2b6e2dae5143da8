// SPDX-License-Identifier: Apache-2.0
#include <vaccel/error.h>

#include "base/util.h"
#include "channel_bed.h"
#include "remote/wait.h"

struct fake *fake;
struct server server;
struct channel *channel;
struct welcome welcome;

void hang_up_here(void)
{
	channel_delete(TAKE(channel));
	fake_await_connections(fake, 0);
}

void connect_anew(void)
{
	const struct greeting greeting = {.epoch = 0};

	hang_up_here();
	assert_int_equal(channel_new(&server, &greeting, FOREVER, &channel, &welcome), VACCEL_OK);
}

int channel_bed_begin(void **state)
{
	fake = fake_start();
	server = (struct server){.name = fake_address(fake)};
	assert_int_equal(address_parse(fake_address(fake), &server.address), VACCEL_OK);
	connect_anew();
	patience = (struct patience){.ping_after = SLACK, .lost_after = SLACK};
	return 0;
}

int channel_bed_end(void **state)
{
	channel_delete(TAKE(channel));
	address_release(&server.address);
	fake_stop(fake);
	return 0;
}

int ask_on(struct channel *asked)
{
	int64_t id;
	struct vaccel_session_open_args args = {.session = &id};
	struct request request = {.op = &vaccel_op_session_open, .args = &args, .fd = -1};

	return channel_ask(asked, &request);
}

int ask(void)
{
	return ask_on(channel);
}
