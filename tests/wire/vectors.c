// SPDX-License-Identifier: Apache-2.0
/* Writes vectors.json. */
#include <inttypes.h>
#include <stdlib.h>

#include "wire.h"

static void put_bytes(const char *name, const unsigned char *bytes, size_t size, const char *end)
{
	printf("   \"%s\": \"", name);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\"%s\n", end);
}

static void put_meaning(const struct wire_case *of)
{
	static const char *const forms[] = {
		[FORM_REQUEST] = "request", [FORM_REPLY] = "reply", [FORM_FAILURE] = "failure"};

	printf("  \"form\": \"%s\",\n  \"signature\": \"%s\",\n", forms[of->form],
	       of->op->signature);
	if (of->words) {
		printf("  \"words\": ");
		put_text(stdout, of->words);
		printf(",\n");
	}
	if (!of->args)
		return;
	printf("  \"arguments\": ");
	put_arguments(stdout, &wire_json, of->op, of->args, of->form);
	printf(",\n");
}

static void put_case(const struct wire_case *of)
{
	struct wire_message message = wire_encode(of);
	const struct frame *frame = &of->frame;

	printf(" {\n  \"name\": \"%s\",\n", of->name);
	printf("  \"frame\": {\"kind\": %d, \"op\": %" PRIu32 ", \"request\": %" PRIu64
	       ", \"session\": %" PRId64 ", \"epoch\": %" PRIu64 ", \"status\": %" PRIu32
	       ", \"head_size\": %zu, \"payload_size\": %zu},\n",
	       (int)frame->kind, frame->op, frame->request, frame->session, frame->epoch,
	       status_to_wire(frame->status), message.head_size, message.payload_size);
	if (of->form != FORM_NONE)
		put_meaning(of);
	printf("  \"bytes\": {\n");
	put_bytes("frame", message.frame, FRAME_SIZE, ",");
	put_bytes("head", message.head, message.head_size, ",");
	put_bytes("payload", message.payload, message.payload_size, "");
	printf("  }\n }");
	wire_message_release(&message);
}

int main(void)
{
	const struct wire_case *of;

	printf("[\n");
	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		if (i)
			printf(",\n");
		put_case(of);
	}
	printf("\n]\n");
	return EXIT_SUCCESS;
}
