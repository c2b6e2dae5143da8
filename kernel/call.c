// SPDX-License-Identifier: GPL-2.0
/*
 * A call, from its first chain to its last, all in the thread that makes it. Most are one chain.
 * A larger one fills two in turns, so that the device reads one while the other is being pinned;
 * what its answer has too much comes in chains of room, one after another.
 *
 * A caller gives up when its time is over, when it is killed, or when the device gives nothing back
 * any more, not even an ECHO. Then CANCEL is sent, and the thread stays until every chain is back,
 * since its pages are the device's till then, unless the caller has said that it does not want
 * them back: then the call is left to the device, and freed when that has given it back. A
 * device that keeps what is wanted is reset.
 *
 * What comes back is checked, in a copy: the device could change it meanwhile.
 */
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "compat.h"
#include "virtio_vaccel.h"

static unsigned int reset_after = 30;
module_param(reset_after, uint, 0644);
MODULE_PARM_DESC(reset_after, "seconds after which a device that keeps a canceled call is reset");

void vaccel_header_stamp(struct vaccel_header *header, enum vaccel_type type,
			 const struct vaccel_file *file, u64 request)
{
	memset(header, 0, sizeof(*header));
	header->type = cpu_to_le16(type);
	header->uid = cpu_to_le32(from_kuid(&init_user_ns, current_uid()));
	header->pid = cpu_to_le32(task_tgid_nr(current));
	header->file = cpu_to_le64(file->number);
	header->request = cpu_to_le64(request);
}

/* Nanoseconds that the caller has left, or 0; U64_MAX if it has all of them. */
static u64 time_left(const struct vaccel_call *call)
{
	u64 now = ktime_get_ns();

	if (call->deadline == U64_MAX)
		return U64_MAX;
	return call->deadline > now ? call->deadline - now : 0;
}

static long jiffies_left(const struct vaccel_call *call)
{
	u64 left = time_left(call);

	if (left == U64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	return min_t(u64, nsecs_to_jiffies64(left) + 1, MAX_SCHEDULE_TIMEOUT - 1);
}

static long patience_jiffies(u64 patience)
{
	return min_t(u64, nsecs_to_jiffies64(patience) + 1, MAX_SCHEDULE_TIMEOUT - 1);
}

/* Something that any device gives back at once; if it has the last one still, that will do. */
static int send_probe(struct vaccel_call *call)
{
	if (!vaccel_chain_is_over(&call->probe))
		return 0;
	vaccel_chain_bare(&call->probe, call->probe_sg);
	vaccel_header_stamp(&call->probe.header, VACCEL_ECHO, call->file, call->request);
	call->probe.header.flags = cpu_to_le16(VACCEL_BEGIN | VACCEL_END);
	return vaccel_chain_send(&call->probe, call->file->life, true);
}

/*
 * 0 when @chain is over, -ETIMEDOUT, -EINTR; -EHOSTDOWN when nothing has come for a third of the
 * caller's patience, and in the rest of it not even what was asked for then, or could not be.
 */
static int wait_for(struct vaccel_call *call, struct vaccel_chain *chain)
{
	long quiet = call->patience ? patience_jiffies(call->patience / 3) : MAX_SCHEDULE_TIMEOUT;
	long most = patience_jiffies(call->patience - call->patience / 3);

	for (;;) {
		long left = jiffies_left(call);
		long ret = vaccel_wait(call->wait, vaccel_chain_is_over(chain), TASK_KILLABLE,
				       min(left, quiet));
		bool asked;

		if (ret)
			return ret < 0 ? -EINTR : 0;
		if (left <= quiet)
			return -ETIMEDOUT;
		asked = !send_probe(call);
		left = jiffies_left(call);
		ret = vaccel_wait(call->wait,
				  vaccel_chain_is_over(chain) ||
					  (asked && vaccel_chain_is_over(&call->probe)),
				  TASK_KILLABLE, min(left, most));
		if (ret < 0)
			return -EINTR;
		if (!ret)
			return left <= most ? -ETIMEDOUT : -EHOSTDOWN;
	}
}

/* Whether the device may say so of a chain; @answer: of the one with END. */
static const char *nonsense_in(const struct vaccel_call *call, const struct vaccel_chain *chain,
			       const struct vaccel_status *status, bool answer)
{
	u32 code = le32_to_cpu(status->code), flags = le32_to_cpu(status->flags);
	u64 used = le64_to_cpu(status->used), wanted = le64_to_cpu(status->wanted);
	u64 written = (u64)chain->len - sizeof(*status);
	bool has_all = call->out.done == call->out.size;

	if (chain->len < sizeof(*status) || written > chain->writable)
		return "a length that is no chain's";
	if (code > ACCEL_GONE)
		return "an unknown code";
	if (flags & ~(VACCEL_GOAWAY | VACCEL_MORE) || status->reserved)
		return "unknown flags";
	if (flags & VACCEL_MORE && (code || has_all || call->type != VACCEL_MESSAGE))
		return "more than there is room for";
	if (used && (code || !answer))
		return "bytes used in a chain that is no answer";
	if (used > call->out.size || min(used, chain->writable) > written)
		return "more bytes used than written";
	if (wanted && (code != ACCEL_NOSPACE || !answer))
		return "bytes wanted for an answer that has room";
	return NULL;
}

static void go_away(struct vaccel_file *file)
{
	if (READ_ONCE(file->goaway))
		return;
	WRITE_ONCE(file->goaway, true);
	wake_up_all(&file->device->changed);
}

/* Takes what the device says of @chain, which is over. */
static int take_status(struct vaccel_call *call, struct vaccel_chain *chain)
{
	u16 flags = le16_to_cpu(chain->header.flags);
	struct vaccel_status status = chain->status;
	const char *what;
	bool more;

	if (chain->state == CHAIN_LOST) {
		call->code = ACCEL_STALE;
		call->finished = true;
		return 0;
	}
	barrier(); /* from here on, the copy */
	what = nonsense_in(call, chain, &status, flags & VACCEL_END);
	if (what) {
		vaccel_device_break(call->file->device, what);
		call->finished = true;
		return -EPROTO;
	}

	more = le32_to_cpu(status.flags) & VACCEL_MORE;
	if (le32_to_cpu(status.flags) & VACCEL_GOAWAY)
		go_away(call->file);
	call->code = le32_to_cpu(status.code);
	if (flags & VACCEL_END) {
		call->used = le64_to_cpu(status.used);
		call->wanted = le64_to_cpu(status.wanted);
	}
	if (call->code || (flags & (VACCEL_END | VACCEL_ROOM) && !more))
		call->finished = true;
	return call->code == ACCEL_BAD ? -EPROTO : 0;
}

/* Waits until @chain can be filled again. */
static int settle(struct vaccel_call *call, struct vaccel_chain *chain)
{
	int ret;

	if (chain->state == CHAIN_IDLE)
		return 0;
	ret = wait_for(call, chain);
	if (ret)
		return ret;
	ret = take_status(call, chain);
	vaccel_chain_empty(chain, call->file);
	chain->state = CHAIN_IDLE;
	return ret;
}

static struct vaccel_chain *other_than(struct vaccel_call *call, const struct vaccel_chain *chain)
{
	return &call->chain[chain == &call->chain[0]];
}

/* Until others have given pages back; for as long as the device may be silent, too. */
static int wait_for_pages(struct vaccel_call *call)
{
	long left = jiffies_left(call);
	long most = call->patience ? patience_jiffies(call->patience) : MAX_SCHEDULE_TIMEOUT;
	int ret = vaccel_page_wait(call->file, min(left, most));

	return ret == -ETIMEDOUT && left > most ? -ENOMEM : ret;
}

/* If no page may be pinned just then, after the call's other chain, or those of other calls. */
static int fill(struct vaccel_call *call, struct vaccel_chain *chain)
{
	struct vaccel_chain *other = other_than(call, chain);
	int ret;

	for (;;) {
		ret = vaccel_chain_fill(chain, call->file, &call->in, &call->out);
		if (ret != -EDQUOT)
			return ret;
		vaccel_chain_empty(chain, call->file);
		ret = other->state == CHAIN_IDLE ? wait_for_pages(call) : settle(call, other);
		if (ret || call->finished)
			return ret;
	}
}

static int send(struct vaccel_call *call, struct vaccel_chain *chain, unsigned int flags,
		u64 offset)
{
	struct vaccel_header *header = &chain->header;
	u64 left = time_left(call);
	int ret;

	if (!left)
		return -ETIMEDOUT;
	vaccel_header_stamp(header, call->type, call->file, call->request);
	header->flags = cpu_to_le16(flags);
	header->offset = cpu_to_le64(offset);
	header->readable = cpu_to_le64(call->in.size);
	header->writable = cpu_to_le64(call->out.size);
	header->timeout_ns = cpu_to_le64(left == U64_MAX ? 0 : left);

	ret = vaccel_chain_send(chain, call->file->life, false);
	if (!ret || ret == -ENOMEM)
		return ret;
	call->code = ACCEL_STALE;
	call->finished = true;
	return 0;
}

static bool try_gather(struct vaccel_call *call)
{
	struct vaccel_queue *queue = call->queue;

	spin_lock_irq(&queue->lock);
	if (!queue->gathers)
		queue->gathers = call;
	call->gathering = queue->gathers == call;
	spin_unlock_irq(&queue->lock);
	return call->gathering;
}

static int gather_begin(struct vaccel_call *call)
{
	long ret = vaccel_wait(call->queue->gather, try_gather(call), TASK_KILLABLE,
			       jiffies_left(call));

	if (ret < 0)
		return -EINTR;
	return ret ? 0 : -ETIMEDOUT;
}

static void gather_end(struct vaccel_call *call)
{
	if (!call->gathering)
		return;
	spin_lock_irq(&call->queue->lock);
	call->queue->gathers = NULL;
	spin_unlock_irq(&call->queue->lock);
	call->gathering = false;
	wake_up(&call->queue->gather);
}

/* All that is readable, and room as far as the last of these chains takes it. */
static int send_readable(struct vaccel_call *call)
{
	unsigned int flags = VACCEL_BEGIN | (call->fetch ? VACCEL_FETCH : 0);
	struct vaccel_chain *chain = &call->chain[0];
	const struct vaccel_cursor start = call->in;

	do {
		int ret = settle(call, chain);

		if (!ret && !call->finished)
			ret = fill(call, chain);
		if (ret || call->finished)
			return ret;
		if (call->in.done == call->in.size)
			flags |= VACCEL_END;
		if (call->type == VACCEL_ECHO &&
		    (!(flags & VACCEL_END) || call->out.done < call->out.size))
			return -E2BIG;
		if (flags == VACCEL_BEGIN && !try_gather(call)) {
			/* Whoever gathers may need these pages for its own END. */
			vaccel_chain_empty(chain, call->file);
			call->in = start;
			ret = gather_begin(call);
			if (ret)
				return ret;
			continue;
		}
		ret = send(call, chain, flags, call->in.done - chain->readable);
		if (ret || call->finished)
			return ret;
		flags = 0;
		chain = other_than(call, chain);
	} while (call->in.done < call->in.size);

	gather_end(call);
	if (call->chain[1].state != CHAIN_IDLE)
		return settle(call, chain) ?: settle(call, other_than(call, chain));
	return settle(call, &call->chain[0]);
}

/* What the answer has more than there was room for. */
static int receive_more(struct vaccel_call *call)
{
	struct vaccel_chain *chain = &call->chain[0];
	int ret = 0;

	while (!ret && !call->finished) {
		ret = fill(call, chain);
		if (!ret)
			ret = send(call, chain, VACCEL_ROOM, call->out.done - chain->writable);
		if (!ret && !call->finished)
			ret = settle(call, chain);
	}
	return ret;
}

static bool all_over(struct vaccel_call *call)
{
	return vaccel_chain_is_over(&call->chain[0]) && vaccel_chain_is_over(&call->chain[1]) &&
	       vaccel_chain_is_over(&call->cancel) && vaccel_chain_is_over(&call->probe);
}

static void cancel(struct vaccel_call *call)
{
	vaccel_chain_bare(&call->cancel, call->cancel_sg);
	vaccel_header_stamp(&call->cancel.header, VACCEL_CANCEL, call->file, call->request);
	vaccel_chain_send(&call->cancel, call->file->life, true);
}

/* Of what has been left as much may be pinned as a file may have. */
static bool may_leave(struct vaccel_call *call)
{
	struct vaccel_device *device = call->file->device;
	unsigned long count = call->chain[0].nr_pages + call->chain[1].nr_pages;

	if (!call->may_leave)
		return false;
	if (atomic_long_add_return(count, &device->nr_left) <= vaccel_pages_max())
		return true;
	atomic_long_sub(count, &device->nr_left);
	return false;
}

/* Takes back what the device still has after the call has ended with @ret, or leaves it. */
static void take_back(struct vaccel_call *call, int ret)
{
	bool wait = !ret || ret == -ETIMEDOUT;
	long patience = wait ? patience_jiffies(call->patience) : 1;
	struct vaccel_chain *chains[] = {&call->chain[0], &call->chain[1], &call->cancel};
	unsigned int i;

	for (i = 0; i < 2; i++)
		vaccel_chain_withdraw(chains[i]);
	if (!call->finished && call->chain[0].sent)
		cancel(call);
	if (call->may_leave &&
	    vaccel_wait(call->wait, all_over(call), TASK_KILLABLE, patience) <= 0 &&
	    may_leave(call)) {
		call->left = true;
		return;
	}
	if (!vaccel_wait(call->wait, all_over(call), TASK_UNINTERRUPTIBLE,
			 READ_ONCE(reset_after) * HZ + 1)) {
		vaccel_device_reset(call->file->device);
		vaccel_wait(call->wait, all_over(call), TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	}
	for (i = 0; i < ARRAY_SIZE(chains); i++)
		if (chains[i]->state == CHAIN_BACK && !call->finished)
			take_status(call, chains[i]);
}

int vaccel_call_run(struct vaccel_call *call)
{
	int ret;

	init_waitqueue_head(&call->wait);
	vaccel_chain_init(&call->chain[0], call->queue, &call->wait);
	vaccel_chain_init(&call->chain[1], call->queue, &call->wait);
	vaccel_chain_init(&call->cancel, call->queue, &call->wait);
	vaccel_chain_init(&call->probe, call->queue, &call->wait);

	ret = send_readable(call);
	if (!ret && !call->finished)
		ret = receive_more(call);
	if (ret || !all_over(call)) {
		take_back(call, ret);
		/* The answer may have come just before the end. */
		if ((ret == -ETIMEDOUT || ret == -EINTR || ret == -EHOSTDOWN) && call->finished &&
		    !call->code)
			ret = 0;
	}
	gather_end(call);
	if (call->left)
		return ret;
	vaccel_chain_empty(&call->chain[0], call->file);
	vaccel_chain_empty(&call->chain[1], call->file);
	if (call->code)
		call->used = 0;
	return ret;
}

static struct vaccel_call *call_of(struct vaccel_chain *chain)
{
	return container_of(chain->wait, struct vaccel_call, wait);
}

static void left_over(struct vaccel_chain *chain)
{
	schedule_work(&call_of(chain)->file->device->reap);
}

void vaccel_call_leave(struct vaccel_call *call)
{
	struct vaccel_device *device = call->file->device;

	mmgrab(current->mm);
	kref_get(&call->file->ref);
	WRITE_ONCE(call->file->left, true);

	spin_lock_irq(&call->queue->lock);
	call->chain[0].over = left_over;
	call->chain[1].over = left_over;
	call->cancel.over = left_over;
	call->probe.over = left_over;
	spin_unlock_irq(&call->queue->lock);

	spin_lock_irq(&device->lock);
	list_add(&call->node, &device->left);
	/* It may be back already. */
	schedule_work(&device->reap);
	spin_unlock_irq(&device->lock);
}

static void left_free(struct vaccel_call *call)
{
	struct mm_struct *mm = call->chain[0].mm;

	atomic_long_sub(call->chain[0].nr_pages + call->chain[1].nr_pages,
			&call->file->device->nr_left);
	vaccel_chain_empty(&call->chain[0], call->file);
	vaccel_chain_empty(&call->chain[1], call->file);
	mmdrop(mm);
	vaccel_file_put(call->file);
	kfree(call);
}

void vaccel_calls_reap(struct work_struct *work)
{
	struct vaccel_device *device = container_of(work, struct vaccel_device, reap);
	struct vaccel_call *call;
	LIST_HEAD(calls);
	LIST_HEAD(still);

	kref_get(&device->ref);
	spin_lock_irq(&device->lock);
	list_splice_init(&device->left, &calls);
	spin_unlock_irq(&device->lock);

	while (!list_empty(&calls)) {
		call = list_first_entry(&calls, struct vaccel_call, node);
		list_move(&call->node, &still);
		if (!all_over(call))
			continue;
		list_del(&call->node);
		left_free(call);
	}

	spin_lock_irq(&device->lock);
	list_splice(&still, &device->left);
	spin_unlock_irq(&device->lock);
	vaccel_device_put(device);
}
