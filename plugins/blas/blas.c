// SPDX-License-Identifier: Apache-2.0
/*
 * The blas plugin: products of matrices by OpenBLAS. The sizes have been checked
 * against each other by the operation's own check; what is left for here is that
 * OpenBLAS counts by int, and ends in a line on standard error where a size does not suit it.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cblas.h>

#include <vaccel/ops/blas.h>
#include <vaccel/plugin.h>

/* OpenBLAS's own, though no header has it; fork() makes it run, too. */
extern int blas_thread_shutdown_(void);

/* clang-format off */
static const struct vaccel_knob knobs[] = {
	{"VACCEL_BLAS_THREADS", "0", "threads that work on one product; 0: one for each core",
	 VACCEL_KNOB_NUMBER, 0, 1024},
};
/* clang-format on */

struct size {
	const char *name;
	int64_t given;
	blasint *ret_taken;
};

/* As OpenBLAS wants them. */
struct shape {
	blasint m, n, k, lda, ldb, ldc;
};

/* From one row to the next; where there is no next, it may be anything. */
static int64_t stride(int64_t rows, int64_t columns, int64_t given)
{
	if (rows > 1)
		return given;
	return columns ? columns : 1;
}

static int take_sizes(const struct vaccel_blas_sgemm_args *args, struct shape *ret_shape)
{
	struct shape shape = {0};
	const struct size sizes[] = {
		{"m", args->m, &shape.m},
		{"n", args->n, &shape.n},
		{"k", args->k, &shape.k},
		{"lda", stride(args->m, args->k, args->lda), &shape.lda},
		{"ldb", stride(args->k, args->n, args->ldb), &shape.ldb},
		{"ldc", stride(args->m, args->n, args->ldc), &shape.ldc},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		*sizes[i].ret_taken = (blasint)sizes[i].given;
		if (*sizes[i].ret_taken != sizes[i].given)
			return vaccel_fail(VACCEL_ERANGE,
					   "blas_sgemm: %s is %" PRId64
					   ", and OpenBLAS takes %d at "
					   "most; multiply in parts",
					   sizes[i].name, sizes[i].given, INT_MAX);
	}
	*ret_shape = shape;
	return VACCEL_OK;
}

/*
 * OpenBLAS keeps memory for each thread that works, and tries for ever to get it where there is
 * none. So it is tried here first, whenever more calls run at once than ever before.
 */
#define ROOM_FOR_ONE ((size_t)48 << 20)

static atomic_uint running;  /* calls */
static atomic_uint provided; /* so many at once have had their memory */

/* @before: what was provided for, fewer than @calls; others may have come further since. */
static int provide(unsigned int calls, unsigned int before)
{
	unsigned int more =
		calls - before + (before ? 0 : (unsigned int)openblas_get_num_threads());
	size_t room = more * ROOM_FOR_ONE;
	void *tried;

	tried = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (tried == MAP_FAILED)
		return vaccel_fail(VACCEL_ENOMEM,
				   "blas_sgemm: OpenBLAS needs %zu MiB for %u threads; permit more "
				   "memory, or set VACCEL_BLAS_THREADS to fewer",
				   room >> 20, more);
	munmap(tried, room);
	while (before < calls && !atomic_compare_exchange_weak(&provided, &before, calls))
		continue;
	return VACCEL_OK;
}

static int multiply(const struct shape *shape, struct vaccel_blas_sgemm_args *args)
{
	unsigned int calls = atomic_fetch_add(&running, 1) + 1, before = atomic_load(&provided);
	int ret = calls > before ? provide(calls, before) : VACCEL_OK;

	if (!ret)
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, shape->m, shape->n, shape->k,
			    args->alpha, args->a.data, shape->lda, args->b.data, shape->ldb,
			    args->beta, args->c.data, shape->ldc);
	atomic_fetch_sub(&running, 1);
	return ret;
}

static int sgemm(struct vaccel_call *call, struct vaccel_blas_sgemm_args *args)
{
	struct shape shape = {0};
	int ret = take_sizes(args, &shape);

	return ret || !shape.m || !shape.n ? ret : multiply(&shape, args);
}

/*
 * OpenBLAS starts threads when it is loaded, where a sandbox that is closed later
 * would not hold them. They end here and come again, inside, with the first product that is
 * large enough for several.
 */
static int init(void)
{
	int threads = (int)vaccel_knob_number(&knobs[0]);

	if (threads)
		openblas_set_num_threads(threads);
	blas_thread_shutdown_();
	return VACCEL_OK;
}

static void report(vaccel_plugin_report_fn *say, void *context)
{
	char threads[16];

	snprintf(threads, sizeof(threads), "%d", openblas_get_num_threads());
	say(context, "runtime", openblas_get_config());
	say(context, "core", openblas_get_corename());
	say(context, "threads", threads);
}

static const struct vaccel_plugin_info info = {
	.name = "blas",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU,
	.sentence = "multiplies matrices by OpenBLAS",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(BLAS_SGEMM, blas_sgemm, sgemm),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = sizeof(knobs) / sizeof(knobs[0]), .init = init, .report = report);
