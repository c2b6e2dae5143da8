// SPDX-License-Identifier: Apache-2.0
/*
 * The client's end of shared memory, against an agent that is the other end in this
 * process, or refuses.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "files.h"

#include <vaccel/alloc.h>
#include <vaccel/error.h>

#include "base/util.h"
#include "transport/region.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* So many calls, and a few more, are enough for whatever is counted in calls. */
#define MANY_CALLS 70

/* What the lender tells its agent. */
struct agent {
	struct borrower *borrower;
	int64_t charged, quota;
	int refusal; /* of region_add, or VACCEL_OK */
	bool late;   /* its answers come when nobody waits any more */
	unsigned int adds, drops;
};

static bool charge(void *context, int64_t bytes)
{
	struct agent *agent = context;

	if (bytes > 0 && bytes > agent->quota - agent->charged)
		return false;
	agent->charged += bytes;
	return true;
}

static int announce(void *context, uint32_t region, uint64_t size, bool read_only, int fd)
{
	struct agent *agent = context;
	int ret;

	if (fd < 0) {
		agent->drops++;
		return borrower_drop(agent->borrower, region);
	}
	agent->adds++;
	if (agent->refusal)
		return vaccel_fail(agent->refusal, "no");
	ret = borrower_add(agent->borrower, region, size, read_only, fcntl(fd, F_DUPFD_CLOEXEC, 0));
	return agent->late ? vaccel_fail(VACCEL_ETIMEDOUT, "no answer in time") : ret;
}

/* A lender that may lend 64 MiB, and its agent. */
struct bed {
	struct agent agent;
	struct lender *lender;
};

static int bed_make(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->agent.quota = (int64_t)(1024 * MIB);
	assert_int_equal(borrower_new(charge, &bed->agent, &bed->agent.borrower), VACCEL_OK);
	assert_int_equal(lender_new(64 * MIB, announce, &bed->agent, &bed->lender), VACCEL_OK);
	lender_begin(bed->lender);
	*state = bed;
	return 0;
}

static int bed_drop(void **state)
{
	struct bed *bed = *state;

	lender_delete(bed->lender);
	borrower_delete(bed->agent.borrower);
	assert_true(bed->agent.charged == 0);
	free(bed);
	return 0;
}

/* How the agent sees what has been placed. */
static unsigned char *seen(const struct bed *bed, const struct payload *payload,
			   enum vaccel_dir dir)
{
	struct borrowed borrowed = {.borrower = bed->agent.borrower};
	void *data = NULL;

	assert_int_equal(borrowed_at(&borrowed, payload, dir, &data), VACCEL_OK);
	borrowed_release(&borrowed);
	return data;
}

static struct payload place(const struct bed *bed, const void *data, size_t size,
			    enum vaccel_dir dir)
{
	struct payload payload = {.size = size};

	assert_true(lender_place(bed->lender, data, dir, &payload));
	assert_int_equal(payload.place, PAYLOAD_REGION);
	assert_true(payload.offset % CODEC_ALIGN == 0);
	return payload;
}

static bool has_no_place(const struct bed *bed, const void *data, uint64_t size,
			 enum vaccel_dir dir)
{
	struct payload payload = {.size = size};

	return !lender_place(bed->lender, data, dir, &payload) && !payload.place;
}

/* Memory that is only pointed to. */
static char *plain(size_t size)
{
	char *data = malloc(size);

	assert_non_null(data);
	memset(data, 'x', size);
	return data;
}

static void test_copies(void **state)
{
	struct bed *bed = *state;
	size_t size = 100 * KIB + 1;
	char *in = plain(size), *inout = plain(size), *out = plain(size);
	struct payload places[3];
	void *answer;

	in[size - 1] = 'i';
	inout[0] = 'o';
	places[0] = place(bed, in, size, VACCEL_DIR_IN);
	places[1] = place(bed, inout, size, VACCEL_DIR_INOUT);
	places[2] = place(bed, out, size, VACCEL_DIR_OUT);
	assert_memory_equal(seen(bed, &places[0], VACCEL_DIR_IN), in, size);
	assert_memory_equal(seen(bed, &places[1], VACCEL_DIR_INOUT), inout, size);
	/* What is only to be written is not copied there. */
	assert_int_equal(seen(bed, &places[2], VACCEL_DIR_OUT)[0], 0);

	seen(bed, &places[2], VACCEL_DIR_OUT)[size - 1] = 'r';
	assert_int_equal(lender_at(bed->lender, &places[2], VACCEL_DIR_OUT, &answer), VACCEL_OK);
	assert_int_equal(((char *)answer)[size - 1], 'r');
	/* All in one room. */
	assert_int_equal(bed->agent.adds, 1);
	assert_int_equal(bed->agent.charged, MIB);
	free(in);
	free(inout);
	free(out);
}

static void test_what_goes_inline(void **state)
{
	struct bed *bed = *state;
	char *data = plain(16 * KIB);

	assert_true(has_no_place(bed, data, 16 * KIB - 1, VACCEL_DIR_IN));
	assert_true(has_no_place(bed, data, (uint64_t)PTRDIFF_MAX + 1, VACCEL_DIR_IN));
	assert_true(has_no_place(bed, data, UINT64_MAX, VACCEL_DIR_INOUT));
	assert_true(has_no_place(bed, data, PTRDIFF_MAX, VACCEL_DIR_OUT));
	assert_int_equal(bed->agent.adds, 0);
	place(bed, data, 16 * KIB, VACCEL_DIR_IN);
	free(data);
}

static void test_rooms_are_used_again(void **state)
{
	struct bed *bed = *state;
	char *data = plain(2 * MIB);
	struct payload first = place(bed, data, 2 * MIB, VACCEL_DIR_IN);

	for (int i = 0; i < MANY_CALLS; i++) {
		struct payload next;

		lender_begin(bed->lender);
		next = place(bed, data, 2 * MIB - (size_t)i, VACCEL_DIR_IN);
		assert_int_equal(next.region, first.region);
		assert_true(next.offset == 0);
	}
	assert_int_equal(bed->agent.adds, 1);
	assert_int_equal(bed->agent.drops, 0);
	free(data);
}

static void test_the_room_that_fits_best(void **state)
{
	struct bed *bed = *state;
	char *data = plain(4 * MIB);
	uint32_t large = place(bed, data, 4 * MIB, VACCEL_DIR_IN).region;
	uint32_t small = place(bed, data, MIB, VACCEL_DIR_IN).region;
	struct payload third;

	assert_int_not_equal(large, small);
	lender_begin(bed->lender);
	assert_int_equal(place(bed, data, 512 * KIB, VACCEL_DIR_IN).region, small);
	assert_int_equal(place(bed, data, 700 * KIB, VACCEL_DIR_IN).region, large);
	third = place(bed, data, 300 * KIB, VACCEL_DIR_IN);
	assert_int_equal(third.region, small);
	assert_true(third.offset == 512 * KIB);
	assert_int_equal(bed->agent.adds, 2);
	free(data);
}

static void test_rooms_of_no_use_are_given_back(void **state)
{
	struct bed *bed = *state;
	char *data = plain(2 * MIB);
	int before = mappings();

	place(bed, data, 2 * MIB, VACCEL_DIR_IN);
	place(bed, data, MIB, VACCEL_DIR_IN);
	for (int i = 0; i < MANY_CALLS; i++) {
		lender_begin(bed->lender);
		place(bed, data, MIB, VACCEL_DIR_IN);
	}
	/* The small one did for all of them. */
	assert_int_equal(bed->agent.drops, 1);
	assert_int_equal(bed->agent.charged, MIB);
	for (int i = 0; i < MANY_CALLS; i++)
		lender_begin(bed->lender);
	assert_int_equal(bed->agent.charged, 0);
	assert_int_equal(mappings(), before);
	free(data);
}

static void test_the_oldest_make_way(void **state)
{
	struct bed *bed = *state;
	char *data = plain(40 * MIB);
	uint32_t old = place(bed, data, 20 * MIB, VACCEL_DIR_OUT).region;
	uint32_t young = place(bed, data, 30 * MIB, VACCEL_DIR_OUT).region;
	struct payload gone = {.place = PAYLOAD_REGION, .region = old, .size = 8};
	void *answer;

	lender_begin(bed->lender);
	assert_int_equal(place(bed, data, 30 * MIB, VACCEL_DIR_OUT).region, young);
	lender_begin(bed->lender);
	assert_int_not_equal(place(bed, data, 31 * MIB, VACCEL_DIR_OUT).region, young);
	assert_int_equal(bed->agent.drops, 1);
	assert_int_equal(lender_at(bed->lender, &gone, VACCEL_DIR_OUT, &answer), VACCEL_EREMOTEIO);

	/* What would not fit all the same drives out nothing. */
	assert_true(has_no_place(bed, data, 40 * MIB, VACCEL_DIR_OUT));
	lender_begin(bed->lender);
	assert_true(has_no_place(bed, data, 65 * MIB, VACCEL_DIR_OUT));
	assert_int_equal(bed->agent.drops, 1);
	assert_int_equal(bed->agent.charged, 61 * MIB);
	free(data);
}

static void test_many_regions(void **state)
{
	struct bed *bed = *state;
	void *blocks[5 * REGION_CALL_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		if (i % REGION_CALL_MAX == 0)
			lender_begin(bed->lender);
		blocks[i] = vaccel_alloc(16 * KIB);
		assert_int_equal(place(bed, blocks[i], 16 * KIB, VACCEL_DIR_IN).offset, 0);
		if (i % REGION_CALL_MAX == REGION_CALL_MAX - 1) {
			void *more = vaccel_alloc(16 * KIB);

			assert_true(has_no_place(bed, more, 16 * KIB, VACCEL_DIR_IN));
			vaccel_free(more);
		}
	}
	assert_int_equal(bed->agent.adds, ARRAY_SIZE(blocks));
	/* One is left for the mailbox. */
	assert_int_equal(bed->agent.adds - bed->agent.drops, REGION_LINK_MAX - 1);
	/* The same where the agent has them all already. */
	lender_begin(bed->lender);
	for (size_t i = 0; i < REGION_CALL_MAX; i++)
		place(bed, blocks[ARRAY_SIZE(blocks) - 1 - i], 16 * KIB, VACCEL_DIR_IN);
	assert_true(has_no_place(bed, blocks[ARRAY_SIZE(blocks) - 1 - REGION_CALL_MAX], 16 * KIB,
				 VACCEL_DIR_IN));
	assert_int_equal(bed->agent.adds, ARRAY_SIZE(blocks));
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		vaccel_free(blocks[i]);
}

static void test_an_agent_that_refuses(void **state)
{
	struct bed *bed = *state;
	char *data = plain(MIB);
	int before = mappings(), open = descriptors();

	bed->agent.refusal = VACCEL_EDQUOT;
	for (int i = 0; i < 10; i++) {
		lender_begin(bed->lender);
		assert_true(has_no_place(bed, data, MIB, VACCEL_DIR_IN));
		assert_true(has_no_place(bed, data, MIB, VACCEL_DIR_OUT));
	}
	assert_int_equal(bed->agent.adds, 1);
	assert_int_equal(mappings(), before);
	assert_int_equal(descriptors(), open);

	/* It is asked again after a while. */
	bed->agent.refusal = VACCEL_OK;
	for (int i = 0; i < MANY_CALLS; i++)
		lender_begin(bed->lender);
	place(bed, data, MIB, VACCEL_DIR_IN);
	free(data);
}

static void test_an_answer_that_comes_too_late(void **state)
{
	struct bed *bed = *state;
	char *data = plain(MIB);

	bed->agent.late = true;
	assert_true(has_no_place(bed, data, MIB, VACCEL_DIR_IN));
	bed->agent.late = false;
	assert_true(bed->agent.charged > 0);
	lender_begin(bed->lender);
	assert_int_equal(bed->agent.charged, 0);
	for (int i = 0; i < MANY_CALLS; i++)
		lender_begin(bed->lender);
	place(bed, data, MIB, VACCEL_DIR_IN);
	free(data);
}

static void test_shared_memory_is_not_copied(void **state)
{
	struct bed *bed = *state;
	char *data = vaccel_alloc(2 * MIB);
	struct payload whole, part;

	data[0] = 'a';
	data[MIB] = 'b';
	whole = place(bed, data, 2 * MIB, VACCEL_DIR_IN);
	part = place(bed, data + MIB, MIB, VACCEL_DIR_IN);
	assert_int_equal(whole.region, part.region);
	assert_true(whole.offset == 0 && part.offset == MIB);
	data[MIB] = 'c'; /* it is the very same memory */
	assert_int_equal(seen(bed, &whole, VACCEL_DIR_IN)[0], 'a');
	assert_int_equal(seen(bed, &part, VACCEL_DIR_IN)[0], 'c');

	/* The agent may not write there: what is written, and what lies askew, goes through a room.
	 */
	whole = place(bed, data, 512 * KIB, VACCEL_DIR_INOUT);
	assert_int_not_equal(whole.region, part.region);
	assert_int_equal(seen(bed, &whole, VACCEL_DIR_INOUT)[0], 'a');
	part = place(bed, data + 4, 100 * KIB, VACCEL_DIR_IN);
	assert_int_not_equal(part.region, 1);
	assert_memory_equal(seen(bed, &part, VACCEL_DIR_IN), data + 4, 100 * KIB);
	assert_int_equal(bed->agent.adds, 2);
	vaccel_free(data);
}

/* Lent as it is, though the program has touched only a part of it. */
static void test_shared_memory_with_holes(void **state)
{
	struct bed *bed = *state;
	char *data = vaccel_alloc(5 * MIB);
	struct payload whole;

	data[4 * MIB] = 'a';
	whole = place(bed, data, 5 * MIB, VACCEL_DIR_IN);
	assert_ptr_not_equal(seen(bed, &whole, VACCEL_DIR_IN), data);
	assert_int_equal(seen(bed, &whole, VACCEL_DIR_IN)[4 * MIB], 'a');
	data[0] = 'b';
	assert_int_equal(seen(bed, &whole, VACCEL_DIR_IN)[0], 'b');
	assert_int_equal(bed->agent.charged, 5 * MIB);
	vaccel_free(data);
}

/* From now on this process gets no pages for a file. */
static void refuse_pages(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

struct want {
	struct bed *bed;
	char *plain, *shared; /* of 7 MiB, which no other test has freed */
	unsigned int placed;
};

static void *want_places(void *context)
{
	struct want *want = context;

	refuse_pages();
	for (int i = 0; i < 10; i++) {
		lender_begin(want->bed->lender);
		want->placed += !has_no_place(want->bed, want->shared, 7 * MIB, VACCEL_DIR_IN);
		want->placed += !has_no_place(want->bed, want->plain, MIB, VACCEL_DIR_OUT);
	}
	return NULL;
}

/* An emulator would lose its own calls to such a filter. */
static void need_filters(void)
{
#ifdef EMULATED
	print_message("an emulated program has no filters of system calls\n");
	skip();
#endif
}

static void test_no_memory_to_lend(void **state)
{
	struct want want;
	int before, open;
	pthread_t thread;

	need_filters();
	want = (struct want){*state, plain(MIB), vaccel_alloc(7 * MIB), 0};
	before = mappings();
	open = descriptors();
	/* A filter is its thread's. */
	assert_int_equal(pthread_create(&thread, NULL, want_places, &want), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(want.placed, 0);
	assert_int_equal(want.bed->agent.adds, 0);
	assert_int_equal(mappings(), before);
	assert_int_equal(descriptors(), open);
	vaccel_free(want.shared);
	free(want.plain);
}

/* A freed block is the program's again when the call is answered, and not before. */
static void test_shared_memory_is_held(void **state)
{
	struct bed *bed = *state;
	char *data = vaccel_alloc(MIB), *other;

	place(bed, data, MIB, VACCEL_DIR_IN);
	place(bed, data, MIB, VACCEL_DIR_IN);
	vaccel_free(data);
	other = vaccel_alloc(MIB);
	assert_ptr_not_equal(other, data);
	lender_end(bed->lender);
	assert_ptr_equal(vaccel_alloc(MIB), data);
	/* It has kept its number, and is still known to the agent. */
	lender_begin(bed->lender);
	assert_int_equal(place(bed, data, MIB, VACCEL_DIR_IN).region, 1);
	assert_int_equal(bed->agent.adds, 1);
	vaccel_free(data);
	vaccel_free(other);
}

static void test_shared_memory_that_ended(void **state)
{
	struct bed *bed = *state;
	struct agent *agent = &bed->agent;
	struct lender *lender;
	char *data = vaccel_alloc(257 * MIB); /* too large to be kept when it is freed */

	assert_non_null(data);
	assert_int_equal(lender_new(512 * MIB, announce, agent, &lender), VACCEL_OK);
	lender_begin(lender);
	assert_true(lender_place(lender, data, VACCEL_DIR_IN, &(struct payload){.size = MIB}));
	assert_int_equal(agent->charged, 257 * MIB);
	vaccel_free(data);
	/* Still held by the call. */
	lender_begin(lender);
	assert_int_equal(agent->drops, 1);
	assert_int_equal(agent->charged, 0);
	lender_delete(lender);
}

static void test_places_that_were_never_given(void **state)
{
	struct bed *bed = *state;
	char *data = plain(MIB), *shared = vaccel_alloc(MIB);
	uint32_t room = place(bed, data, MIB, VACCEL_DIR_OUT).region;
	uint32_t lent = place(bed, shared, MIB, VACCEL_DIR_IN).region;
	const struct payload places[] = {
		{.place = PAYLOAD_REGION, .region = 0, .size = 8},
		{.place = PAYLOAD_REGION, .region = 77, .size = 8},
		{.place = PAYLOAD_REGION, .region = UINT32_MAX, .size = 8},
		{.place = PAYLOAD_REGION, .region = lent, .size = 8},
		{.place = PAYLOAD_PAGES, .region = room, .size = 8},
		{.place = PAYLOAD_INLINE, .region = room, .size = 8},
		{.place = PAYLOAD_REGION, .region = room, .size = MIB + 1},
		{.place = PAYLOAD_REGION, .region = room, .size = 16, .offset = MIB - 8},
		{.place = PAYLOAD_REGION, .region = room, .size = 8, .offset = MIB + 8},
		{.place = PAYLOAD_REGION, .region = room, .size = 16, .offset = UINT64_MAX - 7},
		{.place = PAYLOAD_REGION, .region = room, .size = UINT64_MAX, .offset = 8},
	};
	void *answer = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(lender_at(bed->lender, &places[i], VACCEL_DIR_OUT, &answer),
				 VACCEL_EREMOTEIO);
		assert_non_null(strstr(vaccel_error_text(), "which no output was given"));
		assert_null(answer);
	}
	vaccel_free(shared);
	free(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_make, bed_drop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_copies),
		TEST(test_what_goes_inline),
		TEST(test_rooms_are_used_again),
		TEST(test_the_room_that_fits_best),
		TEST(test_rooms_of_no_use_are_given_back),
		TEST(test_the_oldest_make_way),
		TEST(test_many_regions),
		TEST(test_an_agent_that_refuses),
		TEST(test_an_answer_that_comes_too_late),
		TEST(test_shared_memory_is_not_copied),
		TEST(test_shared_memory_with_holes),
		TEST(test_no_memory_to_lend),
		TEST(test_shared_memory_is_held),
		TEST(test_shared_memory_that_ended),
		TEST(test_places_that_were_never_given),
	};

	return cmocka_run_group_tests_name("lend", tests, NULL, NULL);
}
