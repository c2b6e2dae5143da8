/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a carrier is made of: one table each, and one line in carriers.c.
 * docs/writing-a-transport.md makes one. Functions that return a code say with
 * vaccel_fail() what is wrong.
 */
#ifndef VACCEL_TRANSPORT_CARRIER_H
#define VACCEL_TRANSPORT_CARRIER_H

#include <sys/socket.h>

#include "transport/transport.h"

struct carrier {
	const char *scheme;	/* of its addresses */
	const char *form;	/* "tcp://HOST:PORT", for words */
	bool only_listens;	/* programs cannot connect there: its form is not for them */
	bool only_connects;	/* and neither is this one's for who listens */
	unsigned int abilities; /* of enum link_ability */

	/* What follows "scheme:", for instance "//host:7"; sets members of @address. Any end. */
	int (*parse)(const char *rest, struct address *address);

	/* Client, a thread that makes a call: waits until @until at most. The descriptor is the
	 * caller's, blocks, and is closed on exec. Where connecting can wait it is opened by
	 * making_socket(). */
	int (*connect)(const struct address *address, int64_t until, int *ret_fd);

	/* The agent's supervisor; these never wait. The caller owns what they return. */
	int (*listen)(const struct address *address, mode_t mode, int *ret_fd);
	int (*accept)(const struct address *address, int listener, struct peer *ret_peer,
		      int *ret_fd);

	/* NULL, or removes what listen() left in the file system. */
	void (*unlisten)(const struct address *address);

	/*
	 * The members below are NULL in carriers that are plain sockets.
	 *
	 * Once before all others; may set link->io. A client's end has @address, and may
	 * wait until @until; the agent's has NULL and must not wait.
	 */
	int (*start)(struct link *link, struct tls *tls, const struct address *address,
		     int64_t until);

	/* Instead of socket_read() and socket_write(), as which they are; see link.h. */
	ssize_t (*read)(struct link *link, const struct iovec *to, int nr, int64_t until,
			int *ret_passed);
	ssize_t (*write)(struct link *link, const struct iovec *from, int nr, int64_t until,
			 int passed);

	/* Whether read() may have something though the socket has not. */
	bool (*has_read_ahead)(const struct link *link);
	const char *(*peer_name)(const struct link *link);

	/* Whether the handshake is done; for who reads. NULL: there is none. */
	bool (*is_open)(const struct link *link);

	/* Where the socket does not show it: whether there is what nobody waits for. It may wait
	 * a moment. NULL: the socket shows it. */
	bool (*is_stale)(struct link *link);

	/* Makes read() return, beside what shutdown() of the descriptor does. Any thread. */
	void (*shut_down)(struct link *link);

	/* The codec's hooks, for payloads that a request of that number has in a guest's pages:
	 * link_at(), link_place(). */
	int (*at)(struct link *link, uint64_t request, const struct payload *payload,
		  enum vaccel_dir dir, void **ret_data);
	bool (*place)(struct link *link, uint64_t request, const void *data, enum vaccel_dir dir,
		      struct payload *payload);

	/* Before the descriptor is closed. Also after a start() that failed. */
	void (*end)(struct link *link);
};

extern const struct carrier carrier_unix, carrier_tcp, carrier_tls, carrier_vsock,
	carrier_vsock_uds, carrier_blk, carrier_virtio, carrier_vhost_user, carrier_vhost_user_blk;

/* By number from 0, and by name; NULL if there is none. */
const struct carrier *carrier_at(size_t index);
const struct carrier *carrier_by_scheme(const char *scheme);

/* For parse(): VACCEL_EINVAL with what is wrong and the carrier's form. */
int address_is_not(const struct address *address, const char *why);

/* "HOST:PORT", also "[HOST]:PORT"; "PORT" of at most @max; the first @size characters, a path. */
int parse_host_and_port(const char *rest, struct address *address);
int parse_port(const char *text, uint32_t max, struct address *address);
int parse_socket_path(const char *path, size_t size, struct address *address);
bool parse_number(const char *text, uint32_t max, uint32_t *ret_number);

/* Who takes no connection is given up after so long, also without a deadline. */
#define CONNECT_NS (10 * SECOND)

/*
 * Any socket: a connection, or the errno of why there is none, which connect_failed()
 * puts in words; and the next connection of a listener, as address_accept().
 */
int socket_connect(int family, const void *to, socklen_t size, int64_t until, int *ret_fd);
int connect_failed(const char *where, int error);
int socket_accept(int listener, struct sockaddr_storage *ret_from, int *ret_fd);
int socket_make_blocking(int fd);

/*
 * making.c: between the two calls of making_links() a thread makes a link. What it opens by
 * making_socket(), or notes, the child of a fork closes, until it is forgotten. Who may have made
 * one closes it so.
 */
void making_links(bool begins);
int making_socket(int family, int type);
void making_note(int fd);
void making_forget(int fd);
void making_close(int fd);
void making_closep(const int *fd); /* as closep() where no link is made */

/* Waits for poll()'s @events. VACCEL_OK, or VACCEL_EAGAIN without words. */
int socket_wait(int fd, short events, int64_t until);

/*
 * A moment for who finds no room to write although poll() has just said that there is some: as long
 * as the system has no memory for sockets it says so.
 */
void socket_pause(void);

/* For carriers over TCP. */
int tcp_connect(const struct address *address, int64_t until, int *ret_fd);
int tcp_listen(const struct address *address, mode_t mode, int *ret_fd);
int tcp_accept(const struct address *address, int listener, struct peer *ret_peer, int *ret_fd);

/* What getaddrinfo() says of the host; never none. */
struct addrinfo;
int host_look_up(const struct address *address, struct addrinfo **ret_list);
void addrinfo_freep(struct addrinfo **list);

/* "10.0.0.1:4711", "[::1]:4711" */
void socket_text(const struct sockaddr_storage *at, char *text, size_t room);

/*
 * The peer of this unix socket can pass no descriptors, where the kernel (6.16) knows of that:
 * those that nobody takes are closed by who reads, which may take long.
 */
void unix_refuse_passed(int fd);

/* For carriers over socket files. */
int unix_connect(const char *path, int64_t until, int *ret_fd);
int unix_listen(const char *path, mode_t mode, int *ret_fd);
int unix_check_path(const char *path); /* whether unix_listen() has room for it */
int unix_set_mode(int listener, mode_t mode);
int unix_accept(int listener, struct ucred *ret_who, int *ret_fd);

/* A carrier's accept(), where who connects is the monitor of a virtual machine. */
int unix_accept_machine(const struct address *address, int listener, struct peer *ret_peer,
			int *ret_fd);

#endif
