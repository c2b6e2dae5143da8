// SPDX-License-Identifier: Apache-2.0
/* The agent's end of shared memory, which is given what no client should pass. */
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "files.h"

#include <vaccel/error.h>

#include "base/memfd.h"
#include "transport/region.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

struct bed {
	struct borrower *borrower;
	int64_t charged, quota; /* bytes */
};

static bool charge(void *context, int64_t bytes)
{
	struct bed *bed = context;

	if (bytes > 0 && bytes > bed->quota - bed->charged)
		return false;
	bed->charged += bytes;
	return true;
}

static int bed_make(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->quota = (int64_t)(1024 * MIB);
	assert_int_equal(borrower_new(charge, bed, &bed->borrower), VACCEL_OK);
	*state = bed;
	return 0;
}

static int bed_drop(void **state)
{
	struct bed *bed = *state;

	borrower_delete(bed->borrower);
	assert_true(bed->charged == 0);
	free(bed);
	return 0;
}

/* Without a page. */
static int empty(size_t size)
{
	int fd = memfd_open("test");

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static int seal(int fd, int seals)
{
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void write_bytes(int fd, size_t from, size_t to)
{
	static const char zeros[64 * KIB];

	for (size_t at = from; at < to;) {
		ssize_t written = pwrite(fd, zeros, MIN_OF(sizeof(zeros), to - at), (off_t)at);

		assert_true(written > 0);
		at += (size_t)written;
	}
}

static int sealed(size_t size, int seals)
{
	int fd = empty(size);

	write_bytes(fd, 0, size);
	return seal(fd, seals);
}

static void refused(struct bed *bed, int fd, uint64_t size, bool read_only, int code,
		    const char *words)
{
	int open = descriptors() - (fd >= 0);

	assert_int_equal(borrower_add(bed->borrower, 7, size, read_only, fd), code);
	if (!strstr(vaccel_error_text(), words))
		fail_msg("not '%s' but '%s'", words, vaccel_error_text());
	assert_int_equal(descriptors(), open);
	assert_int_equal(bed->charged, 0);
	assert_int_equal(borrower_drop(bed->borrower, 7), VACCEL_EPERM);
}

static void test_descriptors_that_are_none(void **state)
{
	struct bed *bed = *state;
	int fds[2];

	refused(bed, -1, 4096, false, VACCEL_EINVAL, "no memfd");
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	refused(bed, fds[0], 4096, false, VACCEL_EINVAL, "no memfd");
	refused(bed, fds[1], 4096, true, VACCEL_EINVAL, "no memfd");
	refused(bed, open("/dev/zero", O_RDWR | O_CLOEXEC), 4096, false, VACCEL_EINVAL, "no memfd");
	refused(bed, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), 8, true, VACCEL_EINVAL,
		"no memfd");
}

static void test_files_of_a_tmpfs(void **state)
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct statfs system;

	if (fd < 0 || fstatfs(fd, &system) || system.f_type != TMPFS_MAGIC) {
		close(fd);
		print_message("/dev/shm is no tmpfs\n");
		skip();
	}
	assert_int_equal(ftruncate(fd, 4096), 0);
	refused(*state, fd, 4096, false, VACCEL_EINVAL, "not sealed against shrinking");
}

static void test_seals(void **state)
{
	refused(*state, sealed(4096, 0), 4096, false, VACCEL_EINVAL, "not sealed");
	refused(*state, sealed(4096, F_SEAL_SHRINK), 4096, false, VACCEL_EINVAL, "not sealed");
	refused(*state, sealed(4096, F_SEAL_GROW | F_SEAL_WRITE), 4096, true, VACCEL_EINVAL,
		"not sealed");
	refused(*state, sealed(4096, MEMFD_FIXED | F_SEAL_WRITE), 4096, false, VACCEL_EINVAL,
		"cannot be mapped for writing");
	/* Nobody can keep holes from being punched into it. */
	refused(*state, sealed(4096, MEMFD_FIXED | F_SEAL_SEAL), 4096, false, VACCEL_EINVAL,
		"cannot be sealed by F_SEAL_FUTURE_WRITE");
	refused(*state, sealed(4096, MEMFD_FIXED | F_SEAL_SEAL), 4096, true, VACCEL_EINVAL,
		"cannot be sealed by F_SEAL_FUTURE_WRITE");
}

static void test_modes(void **state)
{
	int fd = sealed(4096, MEMFD_FIXED);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	refused(*state, open(path, O_RDONLY | O_CLOEXEC), 4096, true, VACCEL_EINVAL,
		"not open for reading and writing");
	refused(*state, open(path, O_WRONLY | O_CLOEXEC), 4096, false, VACCEL_EINVAL,
		"not open for reading and writing");
	close(fd);
}

/* Refused, and the agent has put no page where there was none. */
static void has_holes(struct bed *bed, int fd, size_t size)
{
	struct stat before, after;

	assert_int_equal(fstat(fd, &before), 0);
	seal(fd, MEMFD_FIXED);
	for (int read_only = 0; read_only < 2; read_only++)
		refused(bed, fcntl(fd, F_DUPFD_CLOEXEC, 0), size, read_only, VACCEL_EINVAL,
			"has holes; write to each of its pages");
	assert_int_equal(fstat(fd, &after), 0);
	assert_true(before.st_blocks == after.st_blocks);
	close(fd);
}

static void test_holes(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 64 * page;
	int fd;

	has_holes(*state, empty(size), size);
	for (size_t hole = 0; hole < 64; hole += 21) {
		fd = empty(size);
		write_bytes(fd, 0, hole * page);
		write_bytes(fd, (hole + 1) * page, size);
		has_holes(*state, fd, size);
	}
	/* There are as many pages as there should be, but beyond its end. */
	fd = empty(size);
	assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)size), 0);
	has_holes(*state, fd, size);
	/* What is not lent may have some. */
	fd = empty(size);
	write_bytes(fd, 0, size / 2);
	assert_int_equal(borrower_add(((struct bed *)*state)->borrower, 1, size / 2, false,
				      seal(fd, MEMFD_FIXED)),
			 VACCEL_OK);
}

/* Of this process's mapping of a file in memory; the kernel may drop such pages. */
static bool has_clean_pages(const void *memory)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	bool here = false, found = false;
	unsigned long from;
	char line[1024];
	long kib;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-", &from) == 1 && strchr(line, '-'))
			here = from == (unsigned long)memory;
		else if (here && (sscanf(line, "Shared_Clean: %ld", &kib) == 1 ||
				  sscanf(line, "Private_Clean: %ld", &kib) == 1))
			found |= kib > 0;
	}
	fclose(maps);
	return found;
}

static void test_pages_that_were_only_read(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 64 * page;
	struct bed *bed = *state;
	int fd = seal(empty(size), MEMFD_FIXED);
	volatile unsigned char *own = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	assert_true(own != MAP_FAILED);
	for (size_t i = 0; i < size; i += page)
		assert_int_equal(own[i], 0);
	if (!has_clean_pages((void *)own)) {
		munmap((void *)own, size);
		close(fd);
		print_message("this kernel marks pages that were only read as written\n");
		skip();
	}
	assert_int_equal(borrower_add(bed->borrower, 1, size, false, fd), VACCEL_OK);
	assert_false(has_clean_pages((void *)own));
	munmap((void *)own, size);
}

static void test_huge_pages(void **state)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	if (fd < 0) {
		print_message("there are no huge pages\n");
		skip();
	}
	if (ftruncate(fd, 2 * MIB) || fcntl(fd, F_ADD_SEALS, MEMFD_FIXED)) {
		close(fd);
		print_message("there are no huge pages\n");
		skip();
	}
	refused(*state, fd, 4096, false, VACCEL_EINVAL, "not of ordinary pages");
}

static void test_sizes(void **state)
{
	struct bed *bed = *state;

	refused(bed, sealed(0, MEMFD_FIXED), 0, true, VACCEL_EINVAL, "0 bytes in a memfd of 0");
	refused(bed, sealed(4096, MEMFD_FIXED), 0, true, VACCEL_EINVAL, "a region of 0 bytes");
	refused(bed, sealed(4096, MEMFD_FIXED), 4097, true, VACCEL_EINVAL, "4097 bytes in");
	refused(bed, sealed(4096, MEMFD_FIXED), PTRDIFF_MAX, true, VACCEL_EINVAL, "in a memfd of");
	refused(bed, sealed(4096, MEMFD_FIXED), (uint64_t)PTRDIFF_MAX + 1, true, VACCEL_EDQUOT,
		"a region of");
	refused(bed, sealed(4096, MEMFD_FIXED), UINT64_MAX, true, VACCEL_EDQUOT,
		"18446744073709551615");
	/* Of a file that is so large, but has no page. */
	bed->quota = (int64_t)(16 * MIB);
	refused(bed, seal(empty(512 * MIB), MEMFD_FIXED), 512 * MIB, false, VACCEL_EDQUOT,
		"no more shared memory");
}

static int add(struct bed *bed, uint32_t number, size_t size, bool read_only)
{
	int fd = sealed(size, MEMFD_FIXED | (read_only ? F_SEAL_WRITE : 0));

	return borrower_add(bed->borrower, number, size, read_only, fd);
}

static void test_too_many(void **state)
{
	struct bed *bed = *state;
	struct borrowed borrowed = {.borrower = bed->borrower};
	struct payload payload = {.place = PAYLOAD_REGION, .size = 8};
	void *data;

	for (uint32_t i = 0; i < REGION_LINK_MAX; i++)
		assert_int_equal(add(bed, i, 4096, i % 2), VACCEL_OK);
	assert_int_equal(add(bed, REGION_LINK_MAX, 4096, false), VACCEL_EDQUOT);
	assert_int_equal(add(bed, 3, 4096, false), VACCEL_EEXIST);
	assert_int_equal(bed->charged, REGION_LINK_MAX * 4096);
	for (payload.region = 0; payload.region < REGION_CALL_MAX; payload.region++)
		assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_IN, &data), VACCEL_OK);
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_IN, &data), VACCEL_EDQUOT);
	payload.region = 5;
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_IN, &data), VACCEL_OK);
	borrowed_release(&borrowed);
	assert_int_equal(borrower_drop(bed->borrower, 3), VACCEL_OK);
	assert_int_equal(add(bed, 3, 4096, false), VACCEL_OK);
}

static void test_places_outside(void **state)
{
	static const struct {
		struct payload payload;
		enum vaccel_dir dir;
		int code;
	} cases[] = {
		{{.region = 9, .size = 8}, VACCEL_DIR_IN, VACCEL_EPERM},
		{{.region = 1, .size = 4097}, VACCEL_DIR_IN, VACCEL_EFAULT},
		{{.region = 1, .size = 16, .offset = 4088}, VACCEL_DIR_IN, VACCEL_EFAULT},
		{{.region = 1, .size = 8, .offset = 4104}, VACCEL_DIR_IN, VACCEL_EFAULT},
		{{.region = 1, .size = 16, .offset = UINT64_MAX - 7}, VACCEL_DIR_IN, VACCEL_EFAULT},
		{{.region = 1, .size = UINT64_MAX, .offset = 8}, VACCEL_DIR_IN, VACCEL_EFAULT},
		{{.region = 1, .size = 8, .offset = 4}, VACCEL_DIR_IN, VACCEL_EINVAL},
		{{.region = 2, .size = 8}, VACCEL_DIR_OUT, VACCEL_EACCES},
		{{.region = 2, .size = 8}, VACCEL_DIR_INOUT, VACCEL_EACCES},
		{{.region = 2, .size = 4096}, VACCEL_DIR_IN, VACCEL_OK},
		{{.region = 1, .size = 4096}, VACCEL_DIR_INOUT, VACCEL_OK},
	};
	struct bed *bed = *state;
	struct borrowed borrowed = {.borrower = bed->borrower};
	struct borrowed none = {0};
	struct payload pages = {.place = PAYLOAD_PAGES, .size = 8};
	void *data;

	assert_int_equal(add(bed, 1, 4096, false), VACCEL_OK);
	assert_int_equal(add(bed, 2, 4096, true), VACCEL_OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct payload payload = cases[i].payload;

		payload.place = PAYLOAD_REGION;
		assert_int_equal(borrowed_at(&borrowed, &payload, cases[i].dir, &data),
				 cases[i].code);
		assert_int_equal(borrowed_at(&none, &payload, cases[i].dir, &data), VACCEL_EPERM);
	}
	assert_int_equal(borrowed_at(&borrowed, &pages, VACCEL_DIR_IN, &data), VACCEL_EINVAL);
	borrowed_release(&borrowed);
}

static void test_what_a_call_uses_stays(void **state)
{
	struct bed *bed = *state;
	struct borrowed borrowed = {.borrower = bed->borrower};
	const struct payload payload = {.place = PAYLOAD_REGION, .region = 1, .size = 4096};
	struct borrower *borrower = bed->borrower;
	void *data = NULL, *again = NULL;

	assert_int_equal(add(bed, 1, 4096, false), VACCEL_OK);
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_OUT, &data), VACCEL_OK);
	assert_int_equal(borrower_drop(borrower, 1), VACCEL_OK);
	assert_int_equal(borrower_drop(borrower, 1), VACCEL_EPERM);
	/* The number stands for the same memory until the call's end, whatever has it since. */
	assert_int_equal(add(bed, 1, 4096, false), VACCEL_OK);
	memset(data, 1, 4096);
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_OUT, &again), VACCEL_OK);
	assert_ptr_equal(again, data);
	assert_int_equal(bed->charged, 2 * 4096);

	/* The connection ends before the call. */
	assert_int_equal(borrower_new(charge, bed, &bed->borrower), VACCEL_OK);
	borrower_delete(borrower);
	assert_int_equal(bed->charged, 4096);
	memset(data, 2, 4096);
	borrowed_release(&borrowed);
	assert_int_equal(bed->charged, 0);
}

/* A region of 64 KiB, which the client has mapped for writing. */
struct lent {
	int fd;
	unsigned char *own, *seen;
	struct borrowed borrowed;
};

static void lend(struct bed *bed, struct lent *lent)
{
	const struct payload payload = {.place = PAYLOAD_REGION, .region = 1, .size = 64 * KIB};
	void *data;

	lent->borrowed.borrower = bed->borrower;
	lent->fd = sealed(64 * KIB, MEMFD_FIXED);
	lent->own = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, lent->fd, 0);
	assert_true(lent->own != MAP_FAILED);
	assert_int_equal(borrower_add(bed->borrower, 1, 64 * KIB, false,
				      fcntl(lent->fd, F_DUPFD_CLOEXEC, 0)),
			 VACCEL_OK);
	assert_int_equal(borrowed_at(&lent->borrowed, &payload, VACCEL_DIR_INOUT, &data),
			 VACCEL_OK);
	lent->seen = data;
}

static void lent_end(struct lent *lent)
{
	borrowed_release(&lent->borrowed);
	munmap(lent->own, 64 * KIB);
	close(lent->fd);
}

static void assert_forbidden(int ret)
{
	assert_int_equal(ret, -1);
	assert_int_equal(errno, EPERM);
}

/* An emulator says that it has heeded the advice, and does nothing. */
static void assert_not_removable(const struct lent *lent)
{
#ifndef EMULATED
	assert_forbidden(madvise(lent->own, 64 * KIB, MADV_REMOVE));
#endif
	assert_int_equal(lent->own[0], 7);
}

/* What a client can do to memory in use: nothing that ends in a signal, or costs us a page. */
static void test_memory_that_changes_in_use(void **state)
{
	struct lent lent = {0};

	lend(*state, &lent);
	memset(lent.seen, 7, 64 * KIB);
	assert_forbidden(ftruncate(lent.fd, 0));
	assert_forbidden(ftruncate(lent.fd, 128 * KIB));
	assert_forbidden(
		fallocate(lent.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 32 * KIB));
	assert_not_removable(&lent);
	/* Nor when the agent has let go of it. */
	borrowed_release(&lent.borrowed);
	assert_int_equal(borrower_drop(((struct bed *)*state)->borrower, 1), VACCEL_OK);
	assert_not_removable(&lent);
	lent_end(&lent);
}

static void test_both_write(void **state)
{
	struct lent lent = {0};

	lend(*state, &lent);
	memset(lent.own, 1, 64 * KIB);
	assert_int_equal(lent.seen[64 * KIB - 1], 1);
	memset(lent.seen, 2, 64 * KIB);
	assert_int_equal(lent.own[64 * KIB - 1], 2);
	/* Nobody else. */
	assert_ptr_equal(mmap(NULL, 64 * KIB, PROT_WRITE, MAP_SHARED, lent.fd, 0), MAP_FAILED);
	assert_forbidden((int)pwrite(lent.fd, "x", 1, 0));
	lent_end(&lent);
}

/* Not even a worker that has been taken over can write what its client sealed before. */
static void test_read_only_stays_so(void **state)
{
	struct bed *bed = *state;
	struct borrowed borrowed = {.borrower = bed->borrower};
	const struct payload payload = {.place = PAYLOAD_REGION, .region = 1, .size = 4096};
	int fd = sealed(4096, MEMFD_FIXED | F_SEAL_FUTURE_WRITE);
	void *data;

	assert_int_equal(borrower_add(bed->borrower, 1, 4096, true, fd), VACCEL_OK);
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_IN, &data), VACCEL_OK);
	assert_int_equal(mprotect(data, 4096, PROT_READ | PROT_WRITE), -1);
	borrowed_release(&borrowed);
}

static void test_outputs_that_lie_in_a_region(void **state)
{
	struct bed *bed = *state;
	struct borrowed borrowed = {.borrower = bed->borrower};
	struct payload payload = {.place = PAYLOAD_REGION, .region = 1, .size = 8};
	unsigned char *data, *read_only;
	static char elsewhere[8];

	assert_int_equal(add(bed, 1, 4096, false), VACCEL_OK);
	assert_int_equal(add(bed, 2, 4096, true), VACCEL_OK);
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_OUT, (void **)&data),
			 VACCEL_OK);
	payload.region = 2;
	assert_int_equal(borrowed_at(&borrowed, &payload, VACCEL_DIR_IN, (void **)&read_only),
			 VACCEL_OK);

	payload = (struct payload){.size = 96};
	assert_true(borrowed_place(&borrowed, data + 4000, VACCEL_DIR_OUT, &payload));
	assert_int_equal(payload.place, PAYLOAD_REGION);
	assert_int_equal(payload.region, 1);
	assert_true(payload.offset == 4000 && payload.size == 96);

	payload = (struct payload){.size = 104};
	assert_false(borrowed_place(&borrowed, data + 4000, VACCEL_DIR_OUT, &payload));
	payload.size = 8;
	assert_false(borrowed_place(&borrowed, data + 4, VACCEL_DIR_OUT, &payload));
	assert_false(borrowed_place(&borrowed, read_only, VACCEL_DIR_OUT, &payload));
	assert_false(borrowed_place(&borrowed, elsewhere, VACCEL_DIR_OUT, &payload));
	assert_int_equal(payload.place, PAYLOAD_NONE);
	borrowed_release(&borrowed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_make, bed_drop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_descriptors_that_are_none),
		TEST(test_files_of_a_tmpfs),
		TEST(test_seals),
		TEST(test_modes),
		TEST(test_holes),
		TEST(test_pages_that_were_only_read),
		TEST(test_huge_pages),
		TEST(test_sizes),
		TEST(test_too_many),
		TEST(test_places_outside),
		TEST(test_what_a_call_uses_stays),
		TEST(test_memory_that_changes_in_use),
		TEST(test_both_write),
		TEST(test_read_only_stays_so),
		TEST(test_outputs_that_lie_in_a_region),
	};

	return cmocka_run_group_tests_name("borrow", tests, NULL, NULL);
}
