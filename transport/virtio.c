// SPDX-License-Identifier: Apache-2.0
/*
 * virtio:///dev/accel0: a guest's end of a connection to the agent of its host, through
 * the guest's driver (kernel/) and the device of docs/virtio.md. A call to the driver
 * takes a message there and brings the answer, from and to the pages that the caller's
 * arguments lie in. So writing only notes where a message is, which must stay there until
 * its answer has been read, and it is the reading that makes the call.
 *
 * What the driver says without the agent is given to the reader as an answer of the agent's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "kernel/uapi/linux/vaccel.h"
#include "transport/link.h"
#include "transport/pile.h"

/* For an answer's message without its larger results; one that is longer is fetched. */
#define ROOM UINT64_C(16384)

/* Pieces up to this are copied, while there is place; pinning their pages costs more. */
#define SMALL  ((size_t)1024)
#define COPIES ((size_t)16384)

#define LENT_MIN 4096 /* an argument worth pages of its own */
#define JOIN	 "; join the group that it belongs to, as a rule 'render'"

/* The longest answer beside what was lent: the memory for it is had before it comes. */
#define ANSWER_MAX (UINT64_C(1) << 30)

/* An agent that has given nothing back for so long is lost, as over other carriers. */
#define PATIENCE_NS (15 * SECOND)

/* So often, and for as long as a worker that is replaced may take, a connection is asked for. */
#define AGAIN_NS      (20 * MILLISECOND)
#define AGAIN_MOST_NS (30 * SECOND)

/* Pages of their own, which are unmapped when they are left to the device. */
struct shared {
	unsigned char room[ROOM];
	unsigned char copies[COPIES]; /* of small pieces of the message */
	unsigned char padding[8];
};

struct virtio {
	struct shared *shared; /* NULL: left to the device */
	size_t copied;
	unsigned char *large; /* for an answer that is larger than ROOM; as @shared */
	size_t large_size;
	unsigned char own[FRAME_SIZE * 2 + 8 * FRAME_TEXT_MAX]; /* what the driver has said */

	/* The request */
	uint64_t request;	      /* whose arguments are lent */
	struct pile message, in, out; /* the last two are lent */
	uint64_t room;		      /* for the answer's message, with results that are not lent */
	struct frame frame;
	uint64_t left;	 /* bytes of the message that are still to be written */
	bool is_pending; /* it is whole, and not sent yet */

	/* The answer: first what is in @own, then in @answer */
	size_t own_left, own_at;
	const unsigned char *answer;
	uint64_t answer_left;
};

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	vaccel_fail(VACCEL_ENOMEM, "no memory for an answer of %zu bytes", size);
	return NULL;
}

static void unmap(struct virtio *io)
{
	if (io->shared)
		munmap(TAKE(io->shared), sizeof(*io->shared));
	if (io->large)
		munmap(TAKE(io->large), io->large_size);
	io->large_size = 0;
}

static bool has_shared(struct virtio *io)
{
	if (!io->shared)
		io->shared = map(sizeof(*io->shared));
	return io->shared;
}

/* Memory for an answer's message. NULL in words. */
static unsigned char *room_of(struct virtio *io, uint64_t size)
{
	if (size <= ROOM)
		return io->shared->room;
	if (size <= io->large_size)
		return io->large;
	if (io->large)
		munmap(TAKE(io->large), io->large_size);
	io->large_size = 0;
	io->large = map((size_t)size);
	if (io->large)
		io->large_size = (size_t)size;
	return io->large;
}

/* Addresses */

static int parse(const char *rest, struct address *address)
{
	if (strncmp(rest, "//", 2))
		return address_is_not(address, "// is missing");
	return parse_socket_path(rest + 2, strlen(rest + 2), address);
}

static int connect_to(const struct address *address, int64_t until, int *ret_fd)
{
	_cleanup_(closep) int fd = open(address->path, O_RDWR | O_CLOEXEC);
	struct accel_info info;

	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		return vaccel_fail(VACCEL_ENOENT,
				   "%s: there is no such device; is the module virtio_vaccel "
				   "loaded, and has the machine an accelerator?",
				   address->text);
	if (fd < 0)
		return vaccel_fail(errno == EACCES ? VACCEL_EACCES : VACCEL_EREMOTEIO, "%s: %s%s",
				   address->text, strerror(errno), errno == EACCES ? JOIN : "");
	if (ioctl(fd, ACCEL_INFO, &info))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s is no device of vaccel's; give the one that virtio_vaccel "
				   "has made",
				   address->text);
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

static int listen_at(const struct address *address, mode_t mode, int *ret_fd)
{
	return vaccel_fail(VACCEL_EINVAL,
			   "%s is for programs in a virtual machine; its agent listens at "
			   "vhost-user:///PATH",
			   address->text);
}

static int start(struct link *link, struct tls *tls, const struct address *address, int64_t until)
{
	struct virtio *io = calloc(1, sizeof(*io));

	if (!io)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	io->room = ROOM;
	link->io = io;
	return VACCEL_OK;
}

static void end(struct link *link)
{
	struct virtio *io = link->io;

	if (!io)
		return;
	pile_release(&io->message);
	pile_release(&io->in);
	pile_release(&io->out);
	unmap(io);
	free(io);
}

/* Writing */

static void begin_request(struct virtio *io, uint64_t request)
{
	io->request = request;
	io->room = ROOM;
	pile_clear(&io->in);
	pile_clear(&io->out);
}

static bool note(struct virtio *io, const struct iovec *piece)
{
	const void *data = piece->iov_base;

	if (piece->iov_len <= SMALL && piece->iov_len <= COPIES - io->copied) {
		data = memcpy(io->shared->copies + io->copied, data, piece->iov_len);
		io->copied += piece->iov_len;
	}
	return !piece->iov_len || pile_add(&io->message, data, piece->iov_len);
}

static bool has_answer(enum frame_kind kind)
{
	return kind == FRAME_HELLO || kind == FRAME_CALL || kind == FRAME_PING;
}

static int begin(struct virtio *io, const struct iovec *from)
{
	static const struct frame_limits any = {UINT64_MAX / 4, UINT64_MAX / 4};
	int ret = frame_get(from->iov_base, &any, &io->frame);

	if (!ret && !has_shared(io))
		ret = VACCEL_ENOMEM;
	if (ret)
		return ret;
	if (io->request != io->frame.request)
		begin_request(io, io->frame.request);
	pile_clear(&io->message);
	io->copied = 0;
	io->left = FRAME_SIZE + io->frame.head_size + io->frame.payload_size;
	if (has_answer(io->frame.kind)) /* CANCEL leaves the last one, which is owed */
		io->own_left = io->answer_left = 0;
	return VACCEL_OK;
}

static ssize_t virtio_write(struct link *link, const struct iovec *from, int nr, int64_t until,
			    int passed)
{
	struct virtio *io = link->io;
	size_t size = 0;
	int ret = io->left ? VACCEL_OK : begin(io, from);

	for (int i = 0; !ret && i < nr; i++) {
		if (!note(io, &from[i]))
			ret = vaccel_fail(VACCEL_ENOMEM, "no memory for a message's places");
		size += from[i].iov_len;
	}
	if (ret)
		return -ret;
	io->left -= MIN_OF(io->left, (uint64_t)size);
	/* The driver itself cancels a call whose time is over. */
	io->is_pending = !io->left && has_answer(io->frame.kind);
	return (ssize_t)size;
}

/* Calling */

static void say(struct virtio *io, struct frame *frame, const void *head, size_t head_size)
{
	unsigned char *at = io->own + io->own_at + io->own_left;

	frame->head_size = head_size;
	frame_put(frame, at);
	if (head_size)
		memcpy(at + FRAME_SIZE, head, head_size);
	io->own_left += FRAME_SIZE + head_size;
}

/* An answer that says so, with this thread's last words. The call did not run. */
static int refuse(struct virtio *io, int code)
{
	struct frame frame = {
		.kind = io->frame.kind == FRAME_HELLO ? FRAME_WELCOME : FRAME_REPLY,
		.op = io->frame.op,
		.request = io->frame.request,
		.status = code,
	};
	struct encoder encoder = {0};
	int ret;

	if (io->frame.kind == FRAME_PING)
		return code;
	ret = encode_failure(&encoder, NULL, NULL, vaccel_error_text());
	if (!ret)
		say(io, &frame, encoder.head, encoder.head_size);
	encoder_release(&encoder);
	return ret;
}

/* Whoever gave up waiting still reads the answer, some time. */
static int give_up(struct virtio *io)
{
	vaccel_fail(VACCEL_ECANCELED, "its time was over");
	return refuse(io, VACCEL_ECANCELED) ? VACCEL_EREMOTEIO : VACCEL_EAGAIN;
}

/* What the driver could not do. */
static int fail(struct link *link, int error)
{
	struct virtio *io = link->io;

	switch (error) {
	case ETIMEDOUT:
		return give_up(io);
	case ENOMEM:
		return refuse(io, vaccel_fail(VACCEL_ENOMEM,
					      "this machine has no memory for the call, or "
					      "RLIMIT_MEMLOCK (ulimit -l) does not let any more "
					      "of it be pinned"));
	case E2BIG:
		return refuse(io, vaccel_fail(VACCEL_EDQUOT,
					      "a call with %" PRIu64 " bytes is larger than the "
					      "device takes",
					      io->message.size + io->in.size + io->out.size));
	case EFAULT:
		return refuse(io,
			      vaccel_fail(VACCEL_EFAULT, "an argument's memory cannot be pinned"));
	case EHOSTDOWN:
		link->silent = true;
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the host's agent has not been heard of for %d seconds",
				   (int)(PATIENCE_NS / SECOND));
	case EPROTO:
		return vaccel_fail(VACCEL_EREMOTEIO, "the host's agent takes this for nonsense");
	case ENODEV:
		return vaccel_fail(VACCEL_EREMOTEIO, "the accelerator was unplugged");
	default:
		return vaccel_fail(VACCEL_EREMOTEIO, "calling the driver: %s", strerror(error));
	}
}

/*
 * 0, or an errno. Where the agent writes to memory of the program's own, that must be given
 * back; all else can be left to a device that is silent.
 */
static int call(struct link *link, struct accel_call *call)
{
	struct virtio *io = link->io;
	int64_t now = time_now();
	int error;

	if (link->answer_until != FOREVER && link->answer_until <= now)
		return ETIMEDOUT;
	call->timeout_ns = link->answer_until == FOREVER ? 0 : (uint64_t)(link->answer_until - now);
	call->patience_ns = PATIENCE_NS;
	call->flags |= io->out.nr ? 0 : ACCEL_LEAVE;
	error = ioctl(link->fd, ACCEL_CALL, call) ? errno : 0;
	if (call->flags & ACCEL_LEFT)
		unmap(io);
	return error;
}

/* A connection is begun when there is a place for it, as while the agent's worker is replaced. */
static int call_until_taken(struct link *link, struct accel_call *call_now)
{
	const struct virtio *io = link->io;
	const struct timespec pause = {.tv_nsec = AGAIN_NS};
	int64_t until = MIN_OF(link->answer_until, time_now() + AGAIN_MOST_NS);
	struct accel_call first = *call_now;
	int error;

	while (!(error = call(link, call_now)) && call_now->code == ACCEL_BUSY &&
	       io->frame.kind == FRAME_HELLO && !(call_now->flags & ACCEL_LEFT) &&
	       time_now() + AGAIN_NS < until) {
		nanosleep(&pause, NULL);
		*call_now = first;
	}
	return error;
}

/* The answer that found no room; nobody else has asked for it. */
static int fetch(struct link *link, const struct accel_call *first, struct accel_call *ret_call)
{
	struct virtio *io = link->io;
	struct accel_buffer to = {.size = first->wanted};
	struct accel_call again = {
		.out = (uintptr_t)&to,
		.nr_out = 1,
		.flags = ACCEL_FETCH,
		.request = first->request,
	};
	int error;

	if (first->wanted <= io->room || first->wanted > ANSWER_MAX)
		return vaccel_fail(VACCEL_EREMOTEIO, "an answer of %" PRIu64 " bytes",
				   (uint64_t)first->wanted);
	io->answer = room_of(io, first->wanted);
	if (!io->answer)
		return VACCEL_ENOMEM;
	to.address = (uintptr_t)io->answer;
	error = call(link, &again);
	if (error)
		return fail(link, error);
	*ret_call = again;
	return VACCEL_OK;
}

/* What serves the device now knows nothing of this file, and has not begun with the call. */
static int decline(struct link *link)
{
	link->declined = true;
	return vaccel_fail(VACCEL_EREMOTEIO, "the host's agent has begun anew");
}

static int take_code(struct link *link, const struct accel_call *call)
{
	struct virtio *io = link->io;

	switch (call->code) {
	case ACCEL_OK:
		io->answer_left = call->used;
		return VACCEL_OK;
	case ACCEL_CANCELED:
		return give_up(io);
	case ACCEL_BUSY:
		if (call->flags & ACCEL_GOAWAY)
			return decline(link);
		return refuse(io, vaccel_fail(VACCEL_EBUSY, "the host's agent has no place or no "
							    "memory for the call now; try again"));
	case ACCEL_STALE:
		return vaccel_fail(VACCEL_EREMOTEIO, "the host's agent has lost this connection");
	case ACCEL_GONE:
		return vaccel_fail(VACCEL_EREMOTEIO, "no agent of the host is behind the device");
	default:
		return vaccel_fail(VACCEL_EREMOTEIO, "the driver answers with code %u", call->code);
	}
}

/* The message and what it lends, and where its answer goes. */
static bool collect(struct virtio *io, struct pile *ret_in, struct pile *ret_out)
{
	const struct pile *lent[] = {&io->in, &io->out};
	struct pile *piles[] = {ret_in, ret_out};
	bool fits = pile_add(ret_out, io->answer, io->room);

	for (size_t i = 0; fits && i < io->message.nr; i++)
		fits = pile_add(ret_in, (void *)(uintptr_t)io->message.at[i].address,
				io->message.at[i].size);
	for (size_t way = 0; way < ARRAY_SIZE(lent); way++)
		for (size_t i = 0; fits && i < lent[way]->nr; i++)
			fits = pile_add(piles[way], (void *)(uintptr_t)lent[way]->at[i].address,
					lent[way]->at[i].size);
	return fits;
}

/* The request to the device and its answer back. VACCEL_EAGAIN: its time is over. */
static int exchange(struct link *link)
{
	_cleanup_(pile_release) struct pile in = {0}, out = {0};
	struct virtio *io = link->io;
	struct accel_call now = {0};
	struct frame goaway = {.kind = FRAME_GOAWAY};
	int error, ret;

	io->is_pending = false;
	io->own_at = io->own_left = 0;
	io->answer = room_of(io, io->room);
	if (!io->answer)
		return refuse(io, VACCEL_ENOMEM);
	if (!collect(io, &in, &out) || in.nr + out.nr > ACCEL_BUFFERS_MAX)
		return refuse(io, vaccel_fail(VACCEL_EDQUOT, "a call of more than %u pieces",
					      ACCEL_BUFFERS_MAX));
	now.in = (uintptr_t)in.at;
	now.nr_in = (uint32_t)in.nr;
	now.out = (uintptr_t)out.at;
	now.nr_out = (uint32_t)out.nr;
	error = call_until_taken(link, &now);
	if (error)
		return fail(link, error);
	/* The driver knows all that the agent may write, but not what of it is the message's. */
	if (now.used > io->room)
		return vaccel_fail(VACCEL_EREMOTEIO, "an answer that is longer than its room");
	if (now.flags & ACCEL_GOAWAY)
		say(io, &goaway, NULL, 0);
	ret = now.code == ACCEL_NOSPACE ? fetch(link, &now, &now) : VACCEL_OK;
	return ret ? ret : take_code(link, &now);
}

/* Reading */

/* What of @size bytes at @from there is room for, from the start of @to on. */
static size_t scatter(const struct iovec *to, int nr, const unsigned char *from, uint64_t size)
{
	size_t done = 0;

	for (int i = 0; i < nr && done < size; i++) {
		size_t part = (size_t)MIN_OF((uint64_t)to[i].iov_len, size - done);

		memcpy(to[i].iov_base, from + done, part);
		done += part;
	}
	return done;
}

static ssize_t virtio_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed)
{
	struct virtio *io = link->io;
	size_t size;

	if (!io->own_left && !io->answer_left && io->is_pending) {
		int ret = exchange(link);

		if (ret)
			return -ret;
	}
	if (io->own_left) {
		size = scatter(to, nr, io->own + io->own_at, io->own_left);
		io->own_at += size;
		io->own_left -= size;
	} else if (io->answer_left) {
		size = scatter(to, nr, io->answer, io->answer_left);
		io->answer += size;
		io->answer_left -= size;
	} else if (!until) {
		return -VACCEL_EAGAIN;
	} else {
		return -vaccel_fail(VACCEL_EREMOTEIO, "nothing was asked that has an answer");
	}
	return (ssize_t)size;
}

static bool has_read_ahead(const struct link *link)
{
	const struct virtio *io = link->io;

	return io->own_left || io->answer_left;
}

static bool is_stale(struct link *link)
{
	struct pollfd ask = {.fd = link->fd, .events = POLLIN};

	return has_read_ahead(link) || poll(&ask, 1, 0) != 0;
}

/* Lent memory */

/* A result comes with the answer. What is lent lies behind that, so then it is too late. */
static void want_room(struct virtio *io, uint64_t size)
{
	if (!io->out.nr && size <= ANSWER_MAX - io->room)
		io->room += size + padding_of(size);
}

static bool place(struct link *link, uint64_t request, const void *data, enum vaccel_dir dir,
		  struct payload *payload)
{
	struct virtio *io = link->io;
	bool is_out = dir == VACCEL_DIR_OUT;
	struct pile *pile = is_out ? &io->out : &io->in;

	if (payload->size > PTRDIFF_MAX || !has_shared(io))
		return false;
	if (io->request != request)
		begin_request(io, request);
	if (dir == VACCEL_DIR_INOUT || payload->size < LENT_MIN) {
		if (dir != VACCEL_DIR_IN)
			want_room(io, payload->size);
		return false;
	}
	payload->place = PAYLOAD_PAGES;
	payload->region = is_out;
	payload->offset = pile->size + (is_out ? io->room : 0);
	/* Without memory for it the sizes do not match, and the call is refused. */
	if (!pile_add(pile, data, payload->size))
		return false;
	return !padding_of(payload->size) ||
	       pile_add(pile, io->shared->padding, padding_of(payload->size));
}

/* An output is where the agent has written it, which is where it was to go. */
static int at(struct link *link, uint64_t request, const struct payload *payload,
	      enum vaccel_dir dir, void **ret_data)
{
	const struct virtio *io = link->io;
	uint64_t offset = io->room;

	for (size_t i = 0; payload->region == 1 && i < io->out.nr; i++) {
		const struct accel_buffer *lent = &io->out.at[i];

		if (payload->offset >= offset && payload->offset - offset <= lent->size &&
		    payload->size <= lent->size - (payload->offset - offset)) {
			*ret_data = (char *)(uintptr_t)lent->address + (payload->offset - offset);
			return VACCEL_OK;
		}
		offset += lent->size;
	}
	return vaccel_fail(VACCEL_EREMOTEIO,
			   "an answer of %" PRIu64 " bytes in pages that no output was given",
			   payload->size);
}

const struct carrier carrier_virtio = {
	.scheme = "virtio",
	.form = "virtio:///dev/accelN",
	.only_connects = true,
	.abilities = LINK_PAGES,
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.start = start,
	.read = virtio_read,
	.write = virtio_write,
	.has_read_ahead = has_read_ahead,
	.is_stale = is_stale,
	.at = at,
	.place = place,
	.end = end,
};
