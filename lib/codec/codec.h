/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments as bytes, for every operation from its description alone;
 * docs/protocol.md, "Arguments", has the form. A message has a *head* of small
 * items, which is made and read here, and a *payload section* of bulk bytes,
 * which is never copied here: an encoder says where they lie, and decoders point
 * at them or say where they go.
 *
 * An encoder or decoder is used by one thread at a time. Set what is above the
 * line in it, leave the rest zero; it may be used again after its release.
 */
#ifndef VACCEL_CODEC_CODEC_H
#define VACCEL_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <vaccel/op.h>
#include <vaccel/resource.h>

#include "codec/arena.h"
#include "codec/frame.h"

/* Items and payloads start at multiples of it. */
#define CODEC_ALIGN 8

enum payload_place {
	PAYLOAD_NONE,	/* a NULL pointer */
	PAYLOAD_INLINE, /* in the payload section of the message */
	PAYLOAD_REGION, /* in a shared region of the connection */
	PAYLOAD_PAGES	/* in pages of a guest */
};

/* Where a payload lies, as on the wire. */
struct payload {
	uint64_t size;
	uint32_t place;
	uint32_t region;
	uint64_t offset;
};

/*
 * What the codec asks of those who use it. A member that is NULL means that there
 * is no such thing. The functions run in the thread that encodes or decodes, and
 * those that return a code say with vaccel_fail() what is wrong.
 */
struct codec_hooks {
	void *context;

	/* The id by which the other end knows a resource, and back. */
	int (*resource_id)(void *context, struct vaccel_resource *resource, int64_t *ret_id);
	int (*resource)(void *context, int64_t id, struct vaccel_resource **ret_resource);

	/*
	 * Encoders: puts payload->size bytes somewhere else than in the message, sets
	 * the other members, the offset to a multiple of CODEC_ALIGN, and returns true.
	 * @dir: IN if the other end is to read them, OUT if to write, or both. An OUT in
	 * a request is room only: its bytes come with the reply.
	 */
	bool (*place)(void *context, const void *data, enum vaccel_dir dir,
		      struct payload *payload);

	/*
	 * Decoders: the memory of a payload in a region or in pages, which is there until
	 * the decoder's release, and whose bytes the other end may change all the
	 * while. All members of @payload are the peer's. An offset that is no multiple
	 * of CODEC_ALIGN is refused; of a request, the memory is aligned to that, too.
	 */
	int (*at)(void *context, const struct payload *payload, enum vaccel_dir dir,
		  void **ret_data);
};

/* Pieces of memory that make up the payload section, its padding included. */
struct pieces {
	struct iovec *at;
	size_t count;
	size_t room;
	uint64_t size; /* of all together */
};

struct encoder {
	const struct codec_hooks *hooks;
	/* ---- */
	unsigned char *head;
	size_t head_size;
	/* To be written after the head. Points to what the arguments point to. */
	struct pieces payload;

	size_t head_room;
	const struct vaccel_op *op;
	const struct vaccel_field *field;
	int error;
};

/*
 * The arguments of @op as a request: the content of IN and INOUT, and how much
 * room there is for OUT; or as a reply: the content of INOUT and OUT. Starts
 * anew, and keeps memory for the next time. VACCEL_EINVAL, VACCEL_ERANGE,
 * VACCEL_ENOMEM, or the error of a hook.
 */
int encode_request(struct encoder *encoder, const struct vaccel_op *op, const void *args);
int encode_reply(struct encoder *encoder, const struct vaccel_op *op, const void *args);

/* One argument alone, as it is in a reply. */
int encode_argument(struct encoder *encoder, const struct vaccel_op *op,
		    const struct vaccel_field *field, const void *args);

/*
 * The reply of a call that failed: the error's words, made printable and cut at
 * FRAME_TEXT_MAX bytes, the scalars among the outputs, such as TensorFlow's status, and
 * INOUT arguments as they are by now. Without @args, where the call never ran, the
 * words alone; @op may be NULL then.
 */
int encode_failure(struct encoder *encoder, const struct vaccel_op *op, const void *args,
		   const char *words);
void encoder_release(struct encoder *encoder);

/* What a peer may make a decoder allocate. */
struct codec_limits {
	size_t memory; /* bytes */
	size_t count;  /* elements of one list */
};

struct codec_message {
	/* Private to the decoder: what lies in shared memory is copied first. */
	const void *head;
	size_t head_size;
	/* Aligned to CODEC_ALIGN. */
	void *payload;
	size_t payload_size;
};

struct text;

struct decoder {
	const struct codec_hooks *hooks;
	struct codec_limits limits;
	/* ---- */
	/* Of a reply: where the payload section is to be read to. */
	struct pieces payload;

	struct arena arena; /* what is made for a request, and charged for a reply */
	struct text *texts; /* of a reply: what decode_reply_end() has to do */
	bool has_run;	    /* of a failure: outputs follow its words */
	const struct vaccel_op *op;
	const struct vaccel_field *field;
	const char *what; /* "request", "reply" */
	int malformed;	  /* the code of what the peer has got wrong */
	int error;
	const unsigned char *head;
	size_t head_left;
	unsigned char *section;
	size_t section_size;
	size_t section_used;
	char padding[CODEC_ALIGN]; /* of a reply: where it is read to */
};

/*
 * Makes the arguments of @op from a request. They live in @message's payload
 * section, which backends write INOUT arguments to, and in memory that the
 * decoder holds until it is cleared. GROWS outputs that a backend made are not part
 * of that. The result has the right structure; args_check() does the rest.
 * VACCEL_EINVAL for bytes that are no such request, VACCEL_ERANGE for sizes that
 * this machine cannot have, VACCEL_EDQUOT past the limits, VACCEL_ENOMEM, or the
 * error of a hook.
 */
int decode_request(struct decoder *decoder, const struct vaccel_op *op,
		   const struct codec_message *message, void **ret_args);

/* One argument alone, as it is in a request; what it needs is the decoder's. */
int decode_argument(struct decoder *decoder, const struct vaccel_op *op,
		    const struct vaccel_field *field, const struct codec_message *message,
		    void *args);

/*
 * Brings a reply into the arguments that the request was made of. First
 * decode_reply() reads the head, allocates GROWS outputs and says in
 * decoder->payload where the section of @payload_size bytes goes: straight into the
 * caller's memory. When those bytes are there, by readv() or pieces_fill(),
 * decode_reply_end() sees to the ends of texts. Nothing is written beyond what the
 * arguments have room for. After a failure args_drop_outputs() is the caller's to
 * do. Beside the codes of decode_request(), VACCEL_EREMOTEIO for bytes that are no
 * such reply.
 */
int decode_reply(struct decoder *decoder, const struct vaccel_op *op, const void *head,
		 size_t head_size, size_t payload_size, void *args);
int decode_reply_end(struct decoder *decoder);

/*
 * The reply of a call that failed: sets the scalars among the outputs, if there are
 * @args and the call has run, which decoder->has_run says, and @ret_words, printable
 * whatever the agent sent. The payload section is that of INOUT arguments, and goes
 * where decode_reply() has it go.
 * VACCEL_EREMOTEIO for bytes that are no such reply, with @ret_words as it was.
 */
int decode_failure(struct decoder *decoder, const struct vaccel_op *op, const void *head,
		   size_t head_size, size_t payload_size, void *args,
		   char ret_words[FRAME_TEXT_MAX + 1]);

/* Gives back what was made for a message, but for a little memory that the next one can use. */
void decoder_clear(struct decoder *decoder);
void decoder_release(struct decoder *decoder);

/* Adds a piece. VACCEL_ENOMEM without words. */
int pieces_add(struct pieces *pieces, const void *data, size_t size);

/* The same, and the bytes that fill up to CODEC_ALIGN: zeros to write, or a place to read to. */
int pieces_add_padded(struct pieces *pieces, const void *data, size_t size, const void *padding);

/* Copies pieces->size bytes to the pieces, or out of them. */
void pieces_fill(const struct pieces *pieces, const void *bytes);
void pieces_gather(const struct pieces *pieces, void *ret_bytes);
void pieces_clear(struct pieces *pieces);
void pieces_release(struct pieces *pieces);

/* Bytes that fill @size up to a multiple of CODEC_ALIGN. */
static inline size_t padding_of(uint64_t size)
{
	return (size_t)(-size % CODEC_ALIGN);
}

/*
 * Whether an argument without a payload reference says first if it is there: where
 * a program may pass NULL, and where a backend may make nothing.
 */
static inline bool field_has_presence(const struct vaccel_field *field)
{
	return field->marks & VACCEL_MARK_OPTIONAL ||
	       (field->kind == VACCEL_KIND_LIST && field->marks & VACCEL_MARK_GROWS);
}

/* Whether a call that failed still says it: TensorFlow's status, or what is the program's to see.
 */
static inline bool field_outlives_failure(const struct vaccel_field *field)
{
	return field->dir == VACCEL_DIR_INOUT ||
	       (field->kind == VACCEL_KIND_ONE && field->dir & VACCEL_DIR_OUT);
}

#endif
