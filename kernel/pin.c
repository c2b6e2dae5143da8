// SPDX-License-Identifier: GPL-2.0
/*
 * A program's pages for the device to read and to write. They are pinned for as long as a chain is
 * under way, which may be long (FOLL_LONGTERM), and where they are. What is next to each other
 * in memory is one entry, so that huge pages take few of them.
 *
 * How many are pinned at a time has bounds: for a file, and by RLIMIT_MEMLOCK for a process. A
 * call that has more simply has more chains; one that can have none just then waits for others,
 * as long as these have what they could give back.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "virtio_vaccel.h"

#define BATCH  64 /* pages pinned at once */
#define OWNERS 64

static unsigned int pinned_max = 256;
module_param(pinned_max, uint, 0644);
MODULE_PARM_DESC(pinned_max, "memory that calls of one open file have pinned at a time, MiB");

/*
 * Processes with the same hash. What mm->pinned_vm has beyond nr_pages is not of calls, but of
 * io_uring's buffers for one, and nobody says when that is given back.
 */
static struct owner {
	spinlock_t lock; /* both change under it */
	unsigned long nr_pages;
} owners[OWNERS] = {
	[0 ... OWNERS - 1] = {.lock = __SPIN_LOCK_UNLOCKED(owners.lock)},
};

static DECLARE_WAIT_QUEUE_HEAD(unpinned); /* pages were, by whichever device */

static struct owner *owner_of(struct mm_struct *mm)
{
	return &owners[hash_ptr(mm, ilog2(OWNERS))];
}

unsigned long vaccel_pages_max(void)
{
	return max(1ul, (unsigned long)READ_ONCE(pinned_max) << (20 - PAGE_SHIFT));
}

/*
 * Pages that a chain with @has of them may take when @used are in use: it leaves as many to others
 * as it has in the end.
 */
static unsigned long share(unsigned long has, u64 used, unsigned long max)
{
	unsigned long left = used < max ? max - used : 0;

	return left > has ? DIV_ROUND_UP(left - has, 2) : 0;
}

/* Takes up to @want of what @max leaves to @count, and returns how many. */
static unsigned long take(atomic_long_t *count, unsigned long want, unsigned long has,
			  unsigned long max)
{
	unsigned long used = atomic_long_fetch_add(want, count);
	unsigned long got = min(want, share(has, used, max));

	atomic_long_sub(want - got, count);
	return got;
}

/* Whether the caller may pin what it likes. That it may not is nothing to be audited. */
static bool is_unlimited(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK);
}

static unsigned long pages_of_process(void)
{
	return rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

/* The same for the process, as those count who pin for networks: in mm->pinned_vm. */
static unsigned long take_of_process(unsigned long want, unsigned long has)
{
	atomic64_t *count = &current->mm->pinned_vm;
	u64 used = atomic64_fetch_add(want, count);
	unsigned long got = min(want, share(has, used, pages_of_process()));

	if (got == want || is_unlimited())
		return want;
	atomic64_sub(want - got, count);
	return got;
}

/* 0 if the caller may pin a page; -EDQUOT: not before a call gives one back; -ENOMEM: nor then. */
static int look_for_page(struct vaccel_file *file)
{
	struct owner *owner = owner_of(current->mm);
	bool full, held;

	if (atomic_long_read(&file->nr_pages) >= vaccel_pages_max())
		return -EDQUOT;
	spin_lock(&owner->lock);
	full = atomic64_read(&current->mm->pinned_vm) >= pages_of_process();
	held = owner->nr_pages;
	spin_unlock(&owner->lock);
	if (!full || is_unlimited())
		return 0;
	return held ? -EDQUOT : -ENOMEM;
}

/* Not everything by which a page becomes free wakes those who wait for one: hence the turns. */
int vaccel_page_wait(struct vaccel_file *file, long most)
{
	for (;;) {
		long turn = min_t(long, most, HZ);
		int seen;
		long ret = vaccel_wait(unpinned, (seen = look_for_page(file)) != -EDQUOT,
				       TASK_KILLABLE, turn);

		if (ret)
			return ret < 0 ? -EINTR : seen;
		most -= turn;
		if (!most)
			return -ETIMEDOUT;
	}
}

static void give_back(struct vaccel_file *file, struct mm_struct *mm, unsigned long count)
{
	struct owner *owner = owner_of(mm);

	spin_lock(&owner->lock);
	atomic64_sub(count, &mm->pinned_vm);
	owner->nr_pages -= count;
	spin_unlock(&owner->lock);
	atomic_long_sub(count, &file->nr_pages);
}

static unsigned long charge(struct vaccel_file *file, unsigned long want, unsigned long has)
{
	struct owner *owner = owner_of(current->mm);
	unsigned long of_file = take(&file->nr_pages, want, has, vaccel_pages_max());
	unsigned long got;

	spin_lock(&owner->lock);
	got = take_of_process(of_file, has);
	owner->nr_pages += got;
	spin_unlock(&owner->lock);
	atomic_long_sub(of_file - got, &file->nr_pages);
	return got;
}

static unsigned int chain_entries(const struct vaccel_chain *chain)
{
	return chain->nr_out + chain->nr_in;
}

/* One page's @size bytes at @offset; the last entry grows if they lie behind its own. */
static void append_page(struct vaccel_chain *chain, struct page *page, unsigned int offset,
			unsigned int size, bool write)
{
	unsigned int *count = write ? &chain->nr_in : &chain->nr_out;
	struct scatterlist *last = &chain->sg[chain_entries(chain) - 1];

	if (*count > 1 && !offset && !((last->offset + last->length) % PAGE_SIZE) &&
	    page_to_pfn(sg_page(last)) + (last->offset + last->length) / PAGE_SIZE ==
		    page_to_pfn(page) &&
	    last->length <= chain->entry_max - size) {
		last->length += size;
		return;
	}
	sg_set_page(last + 1, page, size, offset);
	(*count)++;
}

/*
 * Some pages of what comes next of @cursor. Returns how many were pinned, and 0 if there is
 * nothing more that this chain can take.
 */
static int pin_some(struct vaccel_chain *chain, struct vaccel_file *file,
		    struct vaccel_cursor *cursor, bool write)
{
	const struct accel_buffer *buffer = cursor->buffers;
	u64 address = buffer->address + cursor->skip;
	u64 left = buffer->size - cursor->skip;
	unsigned int offset = offset_in_page(address);
	unsigned int flags = FOLL_LONGTERM | (write ? FOLL_WRITE : 0);
	unsigned int room = chain->sg_room - chain_entries(chain) - !write;
	struct page *pages[BATCH];
	unsigned long want = min_t(u64, DIV_ROUND_UP_ULL(left + offset, PAGE_SIZE), BATCH);
	unsigned long got = charge(file, min_t(unsigned long, want, room), chain->nr_pages);
	int pinned, i;

	if (!got)
		return 0;
	pinned = pin_user_pages_fast(address - offset, got, flags, pages);
	give_back(file, chain->mm, got - max(pinned, 0));
	if (pinned <= 0)
		return pinned ? pinned : -EFAULT;

	chain->nr_pages += pinned;
	for (i = 0; i < pinned; i++, offset = 0) {
		unsigned int size = min_t(u64, left, PAGE_SIZE - offset);

		append_page(chain, pages[i], offset, size, write);
		left -= size;
		cursor->skip += size;
		cursor->done += size;
	}
	return pinned;
}

static int pin_all(struct vaccel_chain *chain, struct vaccel_file *file,
		   struct vaccel_cursor *cursor, bool write)
{
	while (cursor->done < cursor->size) {
		int ret;

		if (cursor->skip == cursor->buffers->size) {
			cursor->buffers++;
			cursor->skip = 0;
			continue;
		}
		ret = pin_some(chain, file, cursor, write);
		if (ret <= 0)
			return ret;
		cond_resched();
	}
	return 0;
}

/* Entries that the rest of @cursor may take: as many as pages, and one more for each buffer. */
static u64 entries_of(const struct vaccel_cursor *cursor)
{
	u64 left = cursor->size - cursor->done;

	return left ? (left >> PAGE_SHIFT) + 2 * (u64)cursor->nr : 0;
}

static int make_room(struct vaccel_chain *chain, const struct vaccel_limits *limits, u64 wanted)
{
	chain->sg_room = min_t(u64, wanted, limits->segments_max);
	chain->sg = kvmalloc_array(chain->sg_room, sizeof(*chain->sg), GFP_KERNEL);
	if (!chain->sg)
		return -ENOMEM;
	sg_init_table(chain->sg, chain->sg_room);
	chain->entry_max = limits->segment_size_max;
	chain->mm = current->mm;
	chain->nr_out = 0;
	chain->nr_in = 0;
	return 0;
}

int vaccel_chain_fill(struct vaccel_chain *chain, struct vaccel_file *file,
		      struct vaccel_cursor *in, struct vaccel_cursor *out)
{
	u64 in_done = in->done, out_done = out->done;
	u64 left = in->size - in_done + out->size - out_done;
	int ret = make_room(chain, &file->device->limits, 2 + entries_of(in) + entries_of(out));

	if (ret)
		return ret;
	sg_set_buf(&chain->sg[chain->nr_out++], &chain->header, sizeof(chain->header));
	ret = pin_all(chain, file, in, false);
	if (ret)
		return ret;
	sg_mark_end(&chain->sg[chain->nr_out - 1]);

	sg_set_buf(&chain->sg[chain->nr_out + chain->nr_in++], &chain->status,
		   sizeof(chain->status));
	if (in->done == in->size)
		ret = pin_all(chain, file, out, true);
	if (ret)
		return ret;
	sg_mark_end(&chain->sg[chain_entries(chain) - 1]);

	chain->readable = in->done - in_done;
	chain->writable = out->done - out_done;
	return !left || chain->readable || chain->writable ? 0 : -EDQUOT;
}

static void unpin_entries(struct scatterlist *sg, unsigned int count, bool written)
{
	for (; count; count--, sg++)
		vaccel_unpin(sg_page(sg), DIV_ROUND_UP(sg->offset + sg->length, PAGE_SIZE),
			     written);
}

void vaccel_chain_empty(struct vaccel_chain *chain, struct vaccel_file *file)
{
	if (!chain->sg)
		return;
	if (chain->nr_out > 1)
		unpin_entries(chain->sg + 1, chain->nr_out - 1, false);
	if (chain->nr_in > 1)
		unpin_entries(chain->sg + chain->nr_out + 1, chain->nr_in - 1, true);
	give_back(file, chain->mm, chain->nr_pages);
	chain->nr_pages = 0;
	kvfree(chain->sg);
	chain->sg = NULL;
	if (wq_has_sleeper(&unpinned))
		wake_up(&unpinned);
}
