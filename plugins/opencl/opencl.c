// SPDX-License-Identifier: Apache-2.0
/*
 * The opencl plugin: products of matrices by CLBlast, and the array operations of
 * FPGA boards as kernels, on any OpenCL device. Drivers are loaded with the plugin,
 * since a sandbox may be closed after that; their devices, for which they start threads, are
 * not touched before an operation needs one.
 */
#include "opencl/opencl.h"

#include <clblast_c.h>

#include <vaccel/ops/blas.h>
#include <vaccel/ops/fpga.h>

#include "opencl/program.h"
#include "opencl/work.h"

/* clang-format off */
const struct vaccel_knob knobs[KNOB_COUNT] = {
	[KNOB_DEVICE] = {"VACCEL_OPENCL_DEVICE", NULL,
		"OpenCL device: gpu, accelerator, cpu, a number or a part of its name; unset: the first of these types"},
	[KNOB_CACHE] = {"VACCEL_OPENCL_CACHE", NULL,
		"directory for compiled OpenCL kernels; unset: vaccel/opencl in the user's cache"},
	[KNOB_XDG_CACHE_HOME] = {"XDG_CACHE_HOME", NULL, "the user's cache; unset: .cache in HOME"},
	[KNOB_HOME] = {"HOME", NULL, "the user's directory"},
};
/* clang-format on */

static char cache[CACHE_ROOM];
static const char *const read_paths[] = {"/etc/OpenCL", "/usr/share/pocl", "/sys/devices/system",
					 "/sys/fs/cgroup", NULL};
static const char *const write_paths[] = {cache, NULL};
static const char *const devices[] = {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0",
				      "/dev/dri",	"/dev/kfd",	   NULL};
static const char *const system_calls[] = {"sched_setaffinity", NULL};
static struct vaccel_plugin_needs needs = {
	.read_paths = read_paths,
	.devices = devices,
	.system_calls = system_calls,
	.jit = true,
};

static int init(void)
{
	bool pocl;
	int ret = device_drivers(&pocl);

	needs.children = !ret && pocl;
	if (program_cache(cache))
		needs.write_paths = write_paths;
	return ret;
}

static void fini(void)
{
	program_release();
	CLBlastClearCache();
	device_release();
}

static void scale(const struct matrix *c, float beta)
{
	for (size_t i = 0; i < c->rows; i++)
		for (size_t j = 0; j < c->columns; j++) {
			float *value = &c->data[i * c->stride + j];

			*value = beta == 0 ? 0 : beta * *value;
		}
}

static int multiply(const struct matrix *a, const struct matrix *b, const struct matrix *c,
		    float alpha, float beta)
{
	struct work work = work_begin();
	cl_mem on_a = work_matrix(&work, a, true);
	cl_mem on_b = work_matrix(&work, b, true);
	cl_mem on_c = work_matrix(&work, c, beta != 0);

	if (!work.ret)
		work.ret = opencl_check(
			(cl_int)CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo,
					     CLBlastTransposeNo, c->rows, c->columns, a->columns,
					     alpha, on_a, 0, a->columns, on_b, 0, b->columns, beta,
					     on_c, 0, c->columns, &work.queue, NULL),
			"CLBlastSgemm");
	work_read_matrix(&work, on_c, c);
	return work_end(&work);
}

static int sgemm(struct vaccel_call *call, struct vaccel_blas_sgemm_args *args)
{
	size_t m = (size_t)args->m, n = (size_t)args->n, k = (size_t)args->k;
	const struct matrix a = {(float *)args->a.data, m, k, (size_t)args->lda};
	const struct matrix b = {(float *)args->b.data, k, n, (size_t)args->ldb};
	const struct matrix c = {args->c.data, m, n, (size_t)args->ldc};

	if (!m || !n)
		return VACCEL_OK;
	/* CLBlast takes no empty matrices. */
	if (!k || args->alpha == 0) {
		scale(&c, args->beta);
		return VACCEL_OK;
	}
	return multiply(&a, &b, &c, args->alpha, args->beta);
}

static int arraycopy(struct vaccel_call *call, struct vaccel_fpga_arraycopy_args *args)
{
	size_t size = args->a.count * sizeof(*args->a.data);
	struct work work = work_begin();
	cl_mem out;

	work_buffer(&work, args->a.data, size);
	out = work_buffer(&work, NULL, size);
	work_run(&work, "arraycopy", args->a.count, args->a.count);
	work_read(&work, out, args->out.data, size);
	return work_end(&work);
}

static int vectoradd(struct vaccel_call *call, struct vaccel_fpga_vectoradd_args *args)
{
	size_t size = args->a.count * sizeof(*args->a.data);
	struct work work = work_begin();
	cl_mem c;

	work_buffer(&work, args->a.data, size);
	work_buffer(&work, args->b.data, size);
	c = work_buffer(&work, NULL, size);
	work_run(&work, "vectoradd", args->a.count, args->a.count);
	work_read(&work, c, args->c.data, size);
	return work_end(&work);
}

static int parallel(struct vaccel_call *call, struct vaccel_fpga_parallel_args *args)
{
	size_t size = args->a.count * sizeof(*args->a.data);
	struct work work = work_begin();
	cl_mem sum, product;

	work_buffer(&work, args->a.data, size);
	work_buffer(&work, args->b.data, size);
	sum = work_buffer(&work, NULL, size);
	product = work_buffer(&work, NULL, size);
	work_run(&work, "parallel", args->a.count, args->a.count);
	work_read(&work, sum, args->sum.data, size);
	work_read(&work, product, args->product.data, size);
	return work_end(&work);
}

static int mmult(struct vaccel_call *call, struct vaccel_fpga_mmult_args *args)
{
	size_t size = args->a.count * sizeof(*args->a.data), side = 1;
	struct work work = work_begin();
	cl_mem c;

	while (side * side < args->a.count)
		side++;
	work_buffer(&work, args->a.data, size);
	work_buffer(&work, args->b.data, size);
	c = work_buffer(&work, NULL, size);
	work_run(&work, "mmult", args->a.count, side);
	work_read(&work, c, args->c.data, size);
	return work_end(&work);
}

static void report(vaccel_plugin_report_fn *say, void *context)
{
	device_report(say, context);
	say(context, "cache", needs.write_paths ? cache : "none; set VACCEL_OPENCL_CACHE");
}

static const struct vaccel_plugin_info info = {
	.name = "opencl",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_GPU | VACCEL_PLUGIN_FPGA,
	.sentence = "multiplies matrices and works on arrays, by OpenCL",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(BLAS_SGEMM, blas_sgemm, sgemm),
	VACCEL_PLUGIN_OP(FPGA_ARRAYCOPY, fpga_arraycopy, arraycopy),
	VACCEL_PLUGIN_OP(FPGA_MMULT, fpga_mmult, mmult),
	VACCEL_PLUGIN_OP(FPGA_PARALLEL, fpga_parallel, parallel),
	VACCEL_PLUGIN_OP(FPGA_VECTORADD, fpga_vectoradd, vectoradd),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = KNOB_COUNT, .needs = &needs, .init = init, .fini = fini,
	      .report = report);
