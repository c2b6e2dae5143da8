// SPDX-License-Identifier: Apache-2.0
/*
 * tls://host:port. An SSL object is for one thread at a time, so a lock guards it,
 * and nobody waits while holding it: who reads waits for bytes of the socket first
 * and gives them to OpenSSL then, and who writes has OpenSSL send what is
 * possible at once. A small message is one system call at each end, as on plain TCP.
 * A peer may keep TLS itself busy for as long as it likes, with new keys above all; so
 * whoever does not wait goes after each look at the socket, and there are bounds.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"
#include "transport/tls.h"
#include "transport/tls_ssl.h"

/* What a record may hold; and what is read of the socket at once, more than a record. */
#define RECORD_MAX 16384
#define CHUNK	   (RECORD_MAX + 1024)

/* Messages of TLS' own that a peer may send after the handshake: a few, and more with more data. */
#define ASIDES_FREE	16
#define BYTES_PER_ASIDE 65536

struct tls_io {
	struct tls *tls;
	_Atomic bool is_open; /* the handshake is done */
	int64_t started;

	pthread_mutex_t lock;
	SSL *ssl;		 /* and all below: whoever holds @lock */
	const unsigned char *in; /* bytes of the socket that OpenSSL may read */
	size_t in_size;
	uint64_t taken;	 /* bytes of the peer's, in all */
	uint64_t asides; /* new keys and the like, that were among them */
	int fd;
	bool has_more; /* another record follows the one that is written */
	int error;     /* errno of the last write that failed */

	/* Who may receive; to change with @lock held, too. */
	unsigned char *saved; /* what of @in was left as the caller's memory was full */
	size_t saved_size;
	bool has_pending; /* OpenSSL holds such bytes */
	bool wants_write; /* OpenSSL could read on if it could write */
	bool had_room;	  /* and could not, where there was said to be room */
	bool has_read;
	char name[TLS_NAME_MAX];
};

static void count_aside(int is_ours, int version, int type, const void *bytes, size_t size,
			SSL *ssl, void *context)
{
	struct tls_io *io = context;

	if (!is_ours && type == SSL3_RT_HANDSHAKE && io->is_open)
		io->asides++;
}

static bool has_too_many_asides(const struct tls_io *io)
{
	return io->asides > ASIDES_FREE + io->taken / BYTES_PER_ASIDE;
}

static int socket_bio_read(BIO *bio, char *to, int size)
{
	struct tls_io *io = BIO_get_data(bio);
	size_t nr = has_too_many_asides(io) ? 0 : MIN_OF((size_t)size, io->in_size);

	BIO_clear_retry_flags(bio);
	if (!nr) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(to, io->in, nr);
	io->in += nr;
	io->in_size -= nr;
	io->taken += nr;
	return (int)nr;
}

static int socket_bio_write(BIO *bio, const char *from, int size)
{
	struct tls_io *io = BIO_get_data(bio);
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (io->has_more ? MSG_MORE : 0);
	ssize_t nr;

	BIO_clear_retry_flags(bio);
	do
		nr = send(io->fd, from, (size_t)size, flags);
	while (nr < 0 && errno == EINTR);
	if (nr < 0)
		io->error = errno;
	if (nr < 0 && errno == EAGAIN)
		BIO_set_retry_write(bio);
	return (int)nr;
}

static long socket_bio_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_socket_new(void)
{
	BIO_METHOD *method =
		BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "a link's socket");

	if (!method)
		return NULL;
	BIO_meth_set_read(method, socket_bio_read);
	BIO_meth_set_write(method, socket_bio_write);
	BIO_meth_set_ctrl(method, socket_bio_control);
	return method;
}

static void tls_end(struct link *link)
{
	struct tls_io *io = TAKE(link->io);

	if (!io)
		return;
	SSL_free(io->ssl);
	pthread_mutex_destroy(&io->lock);
	tls_delete(io->tls);
	free(io->saved);
	free(io);
}

/* A name is told to the agent and checked; a number is checked alone. */
static bool expect_host(SSL *ssl, const char *host)
{
	struct in6_addr number;

	if (inet_pton(AF_INET, host, &number) == 1 || inet_pton(AF_INET6, host, &number) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, host);
}

static bool make_ssl(struct tls_io *io, const struct address *address)
{
	BIO *bio = BIO_new(io->tls->socket);

	io->ssl = SSL_new(io->tls->ctx);
	if (!bio || !io->ssl) {
		BIO_free(bio);
		return false;
	}
	BIO_set_data(bio, io);
	BIO_set_init(bio, 1);
	SSL_set_bio(io->ssl, bio, bio);
	SSL_set_msg_callback(io->ssl, count_aside);
	SSL_set_msg_callback_arg(io->ssl, io);
	if (!address) {
		SSL_set_accept_state(io->ssl);
		return true;
	}
	SSL_set_connect_state(io->ssl);
	return expect_host(io->ssl, address->host);
}

/* Why a call of OpenSSL's did not succeed, as link_read_fn has it; VACCEL_OK at the end. */
static int result_of(struct tls_io *io)
{
	switch (SSL_get_error(io->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return VACCEL_EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return VACCEL_OK;
	case SSL_ERROR_SYSCALL:
		return vaccel_fail(VACCEL_EREMOTEIO, "the connection broke: %s",
				   strerror(io->error));
	default:
		return tls_fail(io->ssl, io->tls->is_client);
	}
}

/*
 * What failed before must not be taken for what fails next. Emptying OpenSSL's queue of errors
 * costs a tenth of a small record, and it is empty nearly always.
 */
static void forget_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
}

/*
 * OpenSSL may read these bytes of the socket now; without any, those that it left before, which
 * come first. It leaves some where it has to write.
 */
static void offer(struct tls_io *io, const unsigned char *from, size_t size)
{
	io->in = size ? from : io->saved;
	io->in_size = size ? size : io->saved_size;
	forget_errors();
}

static int keep_rest(struct tls_io *io)
{
	size_t size = io->in_size;
	unsigned char *rest = NULL;

	io->in_size = 0;
	io->wants_write = SSL_want(io->ssl) == SSL_WRITING;
	io->had_room &= io->wants_write;
	if (size) {
		rest = malloc(size);
		if (!rest)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
		memcpy(rest, io->in, size);
	}
	free(io->saved);
	io->saved = rest;
	io->saved_size = size;
	return VACCEL_OK;
}

static int handshake_step(struct tls_io *io, const unsigned char *from, size_t size)
{
	SCOPED_LOCK(&io->lock);
	const X509 *certificate;
	int ret;

	offer(io, from, size);
	if (SSL_do_handshake(io->ssl) <= 0) {
		ret = result_of(io);
		keep_rest(io);
		return ret ? ret : vaccel_fail(VACCEL_EREMOTEIO, "TLS: the peer wants no TLS");
	}
	certificate = SSL_get0_peer_certificate(io->ssl);
	if (certificate && !tls_certificate_name(certificate, io->name))
		io->name[0] = '\0';
	ret = keep_rest(io);
	io->is_open = !ret;
	return ret;
}

/* After a write that found none; with a pause if there was said to be some before that one. */
static int wait_for_room(struct link *link, int64_t until, bool *was_there)
{
	int ret = socket_wait(link->fd, POLLOUT, until);

	if (!ret && *was_there)
		socket_pause();
	*was_there = !ret;
	return ret;
}

/* More of the peer's bytes, or room for ours. 0: no bytes, but go on; else as link_read_fn. */
static ssize_t handshake_wait(struct link *link, struct iovec *to, int64_t until)
{
	struct tls_io *io = link->io;
	int passed = -1;
	ssize_t size;

	if (time_now() > io->started + TLS_HANDSHAKE_NS)
		return -vaccel_fail(VACCEL_EREMOTEIO,
				    "the peer takes too long over TLS' handshake");
	if (io->wants_write)
		return -wait_for_room(link, until, &io->had_room);
	size = socket_read(link, to, 1, until, &passed);
	if (!size)
		return -vaccel_fail(VACCEL_EREMOTEIO,
				    "the connection was closed in TLS' handshake; tls:// must "
				    "be at both ends");
	return size;
}

static int handshake(struct link *link, int64_t until)
{
	unsigned char chunk[4096];
	struct iovec to = {chunk, sizeof(chunk)};
	ssize_t size = 0;

	for (bool has_read = false;; has_read = true) {
		int ret = handshake_step(link->io, chunk, (size_t)size);

		if (ret != VACCEL_EAGAIN || (has_read && time_now() >= until))
			return ret;
		size = handshake_wait(link, &to, until);
		if (size < 0)
			return (int)-size;
	}
}

static int tls_start(struct link *link, struct tls *tls, const struct address *address,
		     int64_t until)
{
	struct tls_io *io;
	int ret;

	if (!tls || tls->is_client != !!address)
		return vaccel_fail(VACCEL_EINVAL, "tls:// needs certificates, and none are set");
	io = calloc(1, sizeof(*io));
	if (!io)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	link->io = io;
	pthread_mutex_init(&io->lock, NULL);
	tls->refs++;
	io->tls = tls;
	io->fd = link->fd;
	io->started = time_now();
	if (!make_ssl(io, address))
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection, or a wrong host");
	if (!address)
		return VACCEL_OK;
	ret = handshake(link, MIN_OF(until, io->started + TLS_HANDSHAKE_NS));
	if (ret == VACCEL_EAGAIN)
		return vaccel_fail(VACCEL_ETIMEDOUT,
				   "%s does not answer in TLS; is that what listens there?",
				   address->text);
	return ret;
}

/* OpenSSL holds bytes for the caller, or may read some that could be. */
static bool has_bytes(const struct tls_io *io)
{
	return io->in_size || SSL_pending(io->ssl);
}

static ssize_t read_records(struct tls_io *io, const struct iovec *to, int nr)
{
	size_t total = 0;

	for (int i = 0; i < nr; i++) {
		size_t filled = 0, size;

		for (; filled < to[i].iov_len; filled += size, total += size) {
			if (total && !has_bytes(io))
				return (ssize_t)total;
			if (!SSL_read_ex(io->ssl, (char *)to[i].iov_base + filled,
					 to[i].iov_len - filled, &size)) {
				int ret = result_of(io);
				bool is_whole = !ret || ret == VACCEL_EAGAIN;

				return total && is_whole ? (ssize_t)total : -ret;
			}
		}
	}
	return (ssize_t)total;
}

static ssize_t decrypt(struct tls_io *io, const unsigned char *from, size_t from_size,
		       const struct iovec *to, int nr)
{
	SCOPED_LOCK(&io->lock);
	ssize_t size;
	int ret;

	offer(io, from, from_size);
	size = read_records(io, to, nr);
	io->has_pending = SSL_pending(io->ssl);
	ret = keep_rest(io);
	if (!ret && size == -VACCEL_EAGAIN && has_too_many_asides(io))
		ret = vaccel_fail(VACCEL_EREMOTEIO, "TLS: the peer changes keys again and again");
	return ret ? -ret : size;
}

static ssize_t read_more(struct link *link, const struct iovec *to, int nr, int64_t until,
			 int *ret_passed)
{
	struct tls_io *io = link->io;
	unsigned char chunk[CHUNK];
	struct iovec place = {chunk, sizeof(chunk)};
	ssize_t size;

	if (io->wants_write) {
		int ret = wait_for_room(link, until, &io->had_room);

		return ret ? -ret : decrypt(io, NULL, 0, to, nr);
	}
	size = socket_read(link, &place, 1, until, ret_passed);
	return size > 0 ? decrypt(io, chunk, (size_t)size, to, nr) : size;
}

static ssize_t tls_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			int *ret_passed)
{
	struct tls_io *io = link->io;
	ssize_t size = -VACCEL_EAGAIN;
	int ret = io->is_open ? VACCEL_OK : handshake(link, until);

	if (ret)
		return -ret;
	if (io->saved_size || io->has_pending)
		size = decrypt(io, NULL, 0, to, nr);
	while (size == -VACCEL_EAGAIN) {
		size = read_more(link, to, nr, until, ret_passed);
		if (size == -VACCEL_EAGAIN && time_now() >= until)
			break;
	}
	io->has_read |= size >= 0;
	return size;
}

/*
 * What the next record holds: a piece as it is if it fills one, else several in @room. One that
 * could not be written whole comes again the same, as OpenSSL wants it.
 */
static struct iovec next_record(const struct place *from, unsigned char *room)
{
	struct place place = *from;
	struct iovec record = {room, 0};
	size_t left = place.at->iov_len - place.offset;

	if (place.count == 1 || left >= RECORD_MAX) {
		record.iov_base = (char *)place.at->iov_base + place.offset;
		record.iov_len = MIN_OF(left, (size_t)RECORD_MAX);
		return record;
	}
	while (place.count && record.iov_len < RECORD_MAX) {
		left = MIN_OF(place.at->iov_len - place.offset, RECORD_MAX - record.iov_len);
		memcpy(room + record.iov_len, (char *)place.at->iov_base + place.offset, left);
		record.iov_len += left;
		place_advance(&place, left);
	}
	return record;
}

static ssize_t write_record(struct tls_io *io, const struct iovec *record, bool has_more)
{
	SCOPED_LOCK(&io->lock);
	size_t size;
	int ret;

	io->has_more = has_more;
	forget_errors();
	if (SSL_write_ex(io->ssl, record->iov_base, record->iov_len, &size))
		return (ssize_t)size;
	ret = result_of(io);
	if (ret == VACCEL_EAGAIN && SSL_want(io->ssl) != SSL_WRITING)
		ret = vaccel_fail(VACCEL_EREMOTEIO, "TLS: the peer has begun another handshake");
	return -(ret ? ret : vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end"));
}

/*
 * An agent that refuses a client's certificate says so only after the client's handshake, and
 * may have gone by its first write. Nobody else reads before that one.
 */
static ssize_t why_broken(struct link *link, ssize_t ret)
{
	const struct tls_io *io = link->io;
	char byte;
	struct iovec to = {&byte, 1};
	int passed = -1;

	if (io->tls->is_client && !io->has_read) {
		ssize_t why = tls_read(link, &to, 1, 0, &passed);

		if (why < 0 && why != -VACCEL_EAGAIN)
			return why;
	}
	return ret;
}

static ssize_t tls_write(struct link *link, const struct iovec *from, int nr, int64_t until,
			 int passed)
{
	struct tls_io *io = link->io;
	struct place place = {.at = from, .count = (size_t)nr};
	unsigned char room[RECORD_MAX];
	size_t left = 0, total = 0;
	bool room_was_there = false;

	if (!io->is_open)
		return -vaccel_fail(VACCEL_EREMOTEIO, "TLS' handshake is not done yet");
	for (int i = 0; i < nr; i++)
		left += from[i].iov_len;
	while (total < left) {
		struct iovec record = next_record(&place, room);
		ssize_t size = write_record(io, &record, total + record.iov_len < left);
		int ret;

		if (size > 0) {
			total += (size_t)size;
			place_advance(&place, (uint64_t)size);
			continue;
		}
		if (total)
			break;
		if (size != -VACCEL_EAGAIN)
			return why_broken(link, size);
		if (room_was_there && time_now() >= until)
			return -VACCEL_EAGAIN;
		ret = wait_for_room(link, until, &room_was_there);
		if (ret)
			return -ret;
	}
	return (ssize_t)total;
}

void tls_end_writing(struct link *link)
{
	struct tls_io *io = link->io;
	SCOPED_LOCK(&io->lock);

	io->has_more = false;
	forget_errors();
	SSL_shutdown(io->ssl);
	forget_errors();
	shutdown(link->fd, SHUT_WR);
}

static bool tls_has_read_ahead(const struct link *link)
{
	const struct tls_io *io = link->io;

	return io->saved_size || io->has_pending || io->wants_write;
}

static const char *tls_peer_name(const struct link *link)
{
	const struct tls_io *io = link->io;

	return io->is_open && io->name[0] ? io->name : NULL;
}

static bool tls_is_open(const struct link *link)
{
	const struct tls_io *io = link->io;

	return io->is_open;
}

const struct carrier carrier_tls = {
	.scheme = "tls",
	.form = "tls://HOST:PORT",
	.parse = parse_host_and_port,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.start = tls_start,
	.read = tls_read,
	.write = tls_write,
	.has_read_ahead = tls_has_read_ahead,
	.peer_name = tls_peer_name,
	.is_open = tls_is_open,
	.end = tls_end,
};
