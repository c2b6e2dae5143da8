/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/accelN: calls from a program in a guest to the agent of its host. An open file is one
 * connection of vaccel's protocol (docs/protocol.md), its first call HELLO; any number of its
 * threads may call at once. docs/virtio.md has what becomes of a call.
 *
 * poll() on it says POLLOUT while calls can be made, POLLIN and POLLRDHUP once the agent has
 * said GOAWAY, and POLLHUP and POLLERR when the file is of no more use.
 */
#ifndef _UAPI_LINUX_VACCEL_H
#define _UAPI_LINUX_VACCEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Some memory of the caller's, at any address. */
struct accel_buffer {
	__u64 address;
	__u64 size; /* bytes, may be 0 */
};

/* That a call can have, in and out together. */
#define ACCEL_BUFFERS_MAX 1024

/*
 * How it went, in accel_call.code. The words are those of docs/virtio.md; the call has, or may
 * have, run with the first, NOSPACE and STALE only.
 */
enum accel_code {
	ACCEL_OK = 0,	    /* there is an answer of accel_call.used bytes */
	ACCEL_BAD = 1,	    /* refused as nonsense; the ioctl fails with EPROTO */
	ACCEL_NOSPACE = 2,  /* it has accel_call.wanted bytes: see ACCEL_FETCH */
	ACCEL_CANCELED = 3, /* before it ran */
	ACCEL_STALE = 4,    /* the connection is lost: open another file */
	ACCEL_BUSY = 5,	    /* the agent has no memory or place for it now */
	ACCEL_GONE = 6,	    /* there is no agent */
};

/* accel_call.flags: to the driver, */
#define ACCEL_FETCH 1u /* no new request, but the answer that had no room in accel_call.request */
#define ACCEL_LEAVE 2u /* the buffers may be left to the device: see accel_call */

/* and from it. */
#define ACCEL_GOAWAY 1u /* this file takes no new requests: open another */
#define ACCEL_LEFT   4u /* the buffers have been left to it */

/*
 * The buffers of @in, one behind the other, are what the agent reads; those of @out are what it
 * writes. Each needs pages that can be pinned, those of @out writable ones; until the call
 * returns, they belong to it.
 *
 * A call that is given up, since its time is over or its caller is killed, or since the device has
 * given nothing back for @patience_ns, is canceled, and returns when it is back. If
 * it does not come back the device is reset, which takes long, and as long as the agent does
 * not go on stops the whole machine under some VMMs. With LEAVE the call returns without that
 * if it is killed, or is not back after @patience_ns; LEFT says so. The pages stay pinned
 * until the device gives them back; it may write to those of @out, and read those of @in, at any
 * time until then: the program must have nothing else there, and unmap @out before it goes on.
 */
struct accel_call {
	__u64 in;	  /* array of struct accel_buffer */
	__u64 out;	  /* array of struct accel_buffer */
	__u32 nr_in;	  /* elements */
	__u32 nr_out;	  /* elements */
	__u64 timeout_ns; /* from now; 0: however long it takes */
	__u64 used;	  /* returned: bytes of the answer in @out */
	__u64 wanted;	  /* returned, with ACCEL_NOSPACE: bytes that the answer has */
	__u32 code;	  /* returned: enum accel_code */
	__u32 flags;
	__u64 request;	   /* returned: the call's number; with ACCEL_FETCH: of which call */
	__u64 patience_ns; /* how long the agent may be silent; 0: however long */
};

/* The device's limits. */
struct accel_info {
	__u32 version;
	__u32 features; /* ACCEL_HAS_… */
	__u32 queues;
	__u32 segments_max; /* pieces of memory in one descriptor chain */
	__u64 readable_max; /* bytes of @in */
	__u64 writable_max; /* bytes of @out */
	__u64 pinned_max;   /* bytes that the calls of a file have pinned at a time */
	__u64 reserved;
};

#define ACCEL_HAS_ECHO 1u

/*
 * ACCEL_CALL and ACCEL_ECHO return 0 if the agent, or the driver for it, has said how it went
 * in @code. ECHO brings back what is in @in, as far as @out has room, and never leaves the
 * queue: it must fit into one chain. Else they fail with
 *
 * EPROTO: the agent understood nothing (code BAD), or the driver nothing of what came back
 * ETIMEDOUT: the time was over; whether it ran is not known. EINTR: the caller is being killed
 * EHOSTDOWN: the agent has been silent for longer than it may; whether it ran is not known
 * EINVAL: flags, counts, or sizes are none
 * EFAULT: memory is not there, or cannot be pinned, or not be written to
 * E2BIG: more bytes than the device takes
 * ENOMEM: no memory; or no page may be pinned: all that RLIMIT_MEMLOCK permits is pinned by
 * others than calls, as registered buffers of io_uring are; or calls had all for @patience_ns
 * EOPNOTSUPP: ECHO, if the device has none
 * ENODEV: the device was unplugged
 */
#define ACCEL_CALL _IOWR(0xBC, 0x00, struct accel_call)
#define ACCEL_ECHO _IOWR(0xBC, 0x01, struct accel_call)
#define ACCEL_INFO _IOR(0xBC, 0x02, struct accel_info)

#endif
