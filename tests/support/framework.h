/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of a plugin that runs models of a framework: FRAMEWORK is its name, KNOBS what the
 * names of its settings begin with. Whatever goes wrong in here fails the test.
 */
#ifndef TESTS_SUPPORT_FRAMEWORK_H
#define TESTS_SUPPORT_FRAMEWORK_H

#include "model.h"

/* For each test: the plugin loaded anew, and a session; then its settings are unset. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The plugin is loaded anew, as after a change of settings, or the one that VACCEL_PLUGINS names;
 * its code. */
int load_plugin(void);
void reload(void);

/*
 * For a framework's tensors:
 *
 * tensor(type, data, size, dims) - one in memory of the test's own: its dimensions end in -1
 * check_output(out, type, dims, data, size) - an output is of that type and shape, and has that
 *	data; it is deleted
 */
#define FRAMEWORK_TENSORS(tensor_, type_, dim_)                                                   \
	static inline size_t count_dims(const dim_ *dims)                                         \
	{                                                                                         \
		size_t nr = 0;                                                                    \
                                                                                                  \
		while (dims[nr] >= 0)                                                             \
			nr++;                                                                     \
		return nr;                                                                        \
	}                                                                                         \
                                                                                                  \
	static inline struct tensor_ tensor(enum type_ type, void *data, size_t size, dim_ *dims) \
	{                                                                                         \
		struct tensor_ made = {.data = data, .size = size, .dims = dims};                 \
                                                                                                  \
		made.nr_dims = (__typeof__(made.nr_dims))count_dims(dims);                        \
		made.data_type = type;                                                            \
		return made;                                                                      \
	}                                                                                         \
                                                                                                  \
	static inline void check_output(struct tensor_ *out, enum type_ type, const dim_ *dims,   \
					const void *data, size_t size)                            \
	{                                                                                         \
		assert_int_equal(out->data_type, type);                                           \
		assert_int_equal(out->nr_dims, count_dims(dims));                                 \
		assert_memory_equal(out->dims, dims, count_dims(dims) * sizeof(*dims));           \
		assert_int_equal(out->size, size);                                                \
		if (size)                                                                         \
			assert_memory_equal(out->data, data, size);                               \
		assert_int_equal(tensor_##_delete(out), VACCEL_OK);                               \
	}

#endif
