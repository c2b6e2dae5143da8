// SPDX-License-Identifier: Apache-2.0
/*
 * See changing.h. The room is the end of one page and the beginning of the next. That one cannot be
 * touched without a signal, whose handler makes the change.
 */
#include "changing.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model.h"

static char *pages;
static size_t page_size;
static struct sigaction before;
static void (*_Atomic change)(void);

static void touched(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, guarded = (uintptr_t)pages + page_size;
	void (*now)(void);

	if (at < guarded || at >= guarded + page_size) {
		/* Not what is waited for: it comes again, and ends the test. */
		sigaction(SIGSEGV, &before, NULL);
		return;
	}
	now = atomic_exchange(&change, NULL);
	if (now) {
		now();
		mprotect(pages + page_size, page_size, PROT_READ | PROT_WRITE);
	}
}

void *changing_new(size_t first)
{
	const struct sigaction action = {.sa_sigaction = touched, .sa_flags = SA_SIGINFO};

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	return pages + page_size - first;
}

void changing_guard(void (*make_change)(void))
{
	atomic_store(&change, make_change);
	assert_int_equal(mprotect(pages + page_size, page_size, PROT_NONE), 0);
}

void changing_delete(void)
{
	assert_null(atomic_load(&change));
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	munmap(pages, 2 * page_size);
}
