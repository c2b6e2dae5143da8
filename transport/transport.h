/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carriers: how frames get from one end to the other. An address names one,
 * "tcp://host:port"; a *link* is one connection of it, seen from either end, that
 * sends and receives whole messages. Everything above, in plugins/remote and in
 * agent/, is the same for all carriers.
 *
 * Of a time that calls take, FOREVER never comes, and 0 has always passed: such a
 * call does not wait. Functions that return a code say with
 * vaccel_fail() what is wrong, but for VACCEL_EAGAIN, which has no words: the time
 * was over, and the same call may go on later where it was.
 */
#ifndef VACCEL_TRANSPORT_TRANSPORT_H
#define VACCEL_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "codec/codec.h"
#include "codec/frame.h"
#include "transport/clock.h"

/* Addresses */

struct carrier;

struct address {
	const struct carrier *carrier;
	char *text;   /* as it was given, for words */
	char *path;   /* unix, vsock-uds: of the socket file */
	char *host;   /* tcp, tls: a name or a number */
	char *number; /* tcp, tls: where address_resolve() found the host; else NULL */
	uint32_t cid;
	uint32_t port; /* tcp, tls, vsock, vsock-uds */
};

/*
 * "unix:///run/a.sock", "tcp://host:port", "tcp://[::1]:port", "vsock://2:2048" … EINVAL: what
 * is wrong, and which forms there are for who connects, or for who listens.
 */
int address_parse(const char *text, struct address *ret_address);
int address_parse_to_listen(const char *text, struct address *ret_address);
void address_release(struct address *address);

/* The socket file of who listens there; false: there is none. */
#define ADDRESS_FILE_ROOM 640
bool address_file(const struct address *address, char file[ADDRESS_FILE_ROOM]);

/*
 * One address for each that the name of a host stands for; of other carriers a copy. May wait
 * for a name server, as link_connect() may, as long as the system is set up to.
 * To be freed by addresses_free(). ENOENT, EREMOTEIO.
 */
int address_resolve(const struct address *address, struct address **ret_list, size_t *ret_count);
void addresses_free(struct address *list, size_t count);

/* Whether it takes a name server to resolve it. */
bool address_has_name(const struct address *address);

/* The names of all carriers, for words: walk from 0 to NULL. */
const char *carrier_name_at(size_t index);

/* Who is at the other end, as far as the kernel says. */
struct peer {
	bool has_uid; /* unix */
	uid_t uid;
	pid_t pid;
	bool has_cid; /* vsock */
	uint32_t cid;
	uint64_t host; /* tcp, tls: stands for the address, in IPv6 for its network; else 0 */
	char text[64]; /* "uid 1000, pid 77", "10.0.0.1:4711", "cid 3": for logs */
};

/* What both ends of a carrier with TLS need to know, see tls.h; NULL for other carriers. */
struct tls;

/* Listening, in the agent's supervisor */

/*
 * A listening socket that does not block and is closed on exec. A socket file that nobody
 * listens on any more is taken over; one in use, or a port, is VACCEL_EBUSY. @mode: of a
 * socket file.
 */
int address_listen(const struct address *address, mode_t mode, int *ret_fd);

/* Removes its socket file if it has one, and closes it unless it is -1. */
void address_unlisten(const struct address *address, int listener);

/* Whether one listening socket serves both: of those over TCP, TLS is what comes after. */
bool address_is_same(const struct address *one, const struct address *other);

/* Of the socket file of a listener that address_listen() made; others have none. */
int listener_set_mode(int listener, mode_t mode);

/* Whether only this machine, or the VM whose socket file it is, can reach it. */
bool listener_is_local(int listener);

/* Its address with the port that the system chose for port 0; for tests and logs. */
int listener_text(const struct address *address, int listener, char *text, size_t room);

/* The next connection, ready for link_adopt(). VACCEL_EAGAIN: there is none now. */
int address_accept(const struct address *address, int listener, struct peer *ret_peer, int *ret_fd);

/* Links */

struct link;

enum link_ability {
	LINK_REGIONS = 1, /* descriptors can be passed: shared memory */
	LINK_PAGES = 2	  /* a request can lend memory as it is: link_place() of the client's end */
};

/*
 * A new connection to an agent. No frame has been sent. ENOENT, EREMOTEIO, ETIMEDOUT, EACCES …
 * The child of a fork closes its descriptor until it is made: until its maker's own child can.
 */
int link_connect(const struct address *address, struct tls *tls, int64_t until,
		 struct link **ret_link);

void link_is_made(struct link *link);

/* For pthread_atfork(), inside of the locks with which links are made. */
void links_before_fork(void);
void links_after_fork(bool in_child);

/*
 * The agent's end of an accepted connection. Takes @fd also when it fails. A TLS
 * handshake is done by the first link_receive().
 */
int link_adopt(const struct carrier *carrier, int fd, struct tls *tls, struct link **ret_link);
void link_delete(struct link *link);

unsigned int link_abilities(const struct link *link);

/*
 * For epoll: which events on which descriptor mean that link_receive() may have
 * something. Asked by who may receive: what the last one has read ahead is not in
 * the socket any more, and the events are such that epoll wakes at once.
 */
int link_fd(const struct link *link);
uint32_t link_events(struct link *link);

/* Whether epoll would wake now. By who may receive, too. */
bool link_has_news(struct link *link);

/* Gives back what the link holds for receiving, the last head too, if nothing is half read. */
void link_rest(struct link *link);

/* The name in the certificate that the peer has shown, after the first receive; else NULL. */
const char *link_peer_name(const struct link *link);

/* Whether the handshake is done, where there is one. By who may receive. */
bool link_is_open(const struct link *link);

/* What a HELLO may be: five hundred operations, a name and a token. */
#define HELLO_HEAD_MAX	  8192
#define HELLO_PAYLOAD_MAX 4096

/* What the peer may announce; at first no more than a HELLO. */
void link_set_limits(struct link *link, const struct frame_limits *limits);

/*
 * Sends one message. Any number of threads may; each message stays whole. @head is of
 * frame->head_size bytes; @payload may be NULL, and the frame gets its size. @fd, if >= 0,
 * is passed along and stays the caller's. A peer that takes nothing for 10 s is given up.
 *
 * VACCEL_EREMOTEIO: the message has not been taken whole, so that the peer never acts on
 * it. VACCEL_ETIMEDOUT at @until: the same. The link is of no more use after either.
 */
int link_send(struct link *link, struct frame *frame, const void *head,
	      const struct pieces *payload, int fd, int64_t until);

struct message {
	struct frame frame;
	const void *head; /* private memory, aligned; until the next receive, or link_rest() */
	int fd;		  /* that came along, the receiver's to close; or -1 */
};

/*
 * Whether descriptors that come along from now on are taken, where the carrier passes
 * any. At first they are not, and the kernel closes them: to look for them costs more
 * than all else that is done with a small message. By who may receive.
 */
void link_take_passed(struct link *link, bool take);

/*
 * The next message up to the end of its head. Its payload must be read, or
 * skipped, before the next one. One thread at a time. A message that came in part
 * stays in the link over VACCEL_EAGAIN; if there is none, no memory is held after it.
 *
 * VACCEL_EREMOTEIO: the link is of no more use: closed or broken, with frame.kind 0; or
 * nonsense came, with frame.kind FRAME_KIND_END. VACCEL_EDQUOT: past the limits;
 * @ret_message's frame is set, so that it can be refused; the link is of no more use for
 * receiving.
 */
int link_receive(struct link *link, int64_t until, struct message *ret_message);

/*
 * A timer costs a small message a thirtieth. Who may receive can do without for the next bytes:
 * link_receive() then waits in the socket, beyond its @until too, up to a link_end_wait() by any
 * thread and a signal to the thread that waits, which have to come again if it had not begun
 * to. The signal needs a handler with SA_RESTART.
 */
void link_time_outside(struct link *link, bool is_outside);
void link_end_wait(struct link *link);

/*
 * The payload of the message just received, into memory of just its size.
 * After VACCEL_EAGAIN to be called again with the same pieces. link_payload_left() says how much
 * is not there yet. Skipping ends not long after @until where bytes keep coming, too.
 */
int link_receive_payload(struct link *link, const struct pieces *payload, int64_t until);
int link_skip_payload(struct link *link, int64_t until);
uint64_t link_payload_left(const struct link *link);

/*
 * Whether the peer has closed it, or sent anything more than the part of a message that has been
 * read; does not block.
 */
bool link_is_stale(struct link *link);

/*
 * Memory that the request of that number lends beside its message; see struct codec_hooks. At the
 * agent's end one that has been received and not been answered, at the client's the one
 * that comes next, or whose answer has been received. EINVAL where there is no such thing.
 */
int link_at(struct link *link, uint64_t request, const struct payload *payload, enum vaccel_dir dir,
	    void **ret_data);
bool link_place(struct link *link, uint64_t request, const void *data, enum vaccel_dir dir,
		struct payload *payload);

/* Makes all that wait on it return, in any thread. */
void link_shut_down(struct link *link);

/* Whether it has ended since the peer gave no sign of life. */
bool link_is_silent(const struct link *link);

/* Whether it has ended, and the peer is known not to have begun with what was sent last. */
bool link_has_declined(const struct link *link);

/* When anything was last received: for idle and slow peers. */
int64_t link_last_heard(const struct link *link);

/*
 * From now on small messages go through @memory, of MAILBOX_SIZE bytes, which both
 * ends share and which stays until the link's end; this end spins @spin_us
 * before it sleeps. @is_client: which of its halves is ours. For carriers with
 * LINK_REGIONS, once, by who may receive and while nothing is on its way. VACCEL_ENOMEM.
 */
#define MAILBOX_SIZE 16384
int link_use_mailbox(struct link *link, void *memory, bool is_client, uint32_t spin_us);

#endif
