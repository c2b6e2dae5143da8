// SPDX-License-Identifier: Apache-2.0
/* See support.h. */
#include "support.h"

#include <vaccel/plugin.h>

struct vaccel_session session;

void reload(void)
{
	/* Another plugin, if the tests run through an agent. */
	const char *plugins = getenv("VACCEL_PLUGINS");
	struct vaccel_config config = {
		.plugins = (char *)(plugins ? plugins : "tf"),
		.log_level = VACCEL_LOG_ERROR,
	};

	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&session, 0), VACCEL_OK);
}

int fixture_setup(void **state)
{
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	reload();
	return 0;
}

int fixture_teardown(void **state)
{
	unsetenv("VACCEL_TF_THREADS");
	unsetenv("VACCEL_TF_SIGNATURE");
	unsetenv("VACCEL_TF_TAGS");
	vaccel_session_release(&session);
	vaccel_cleanup();
	return 0;
}

struct search {
	const char *key;
	char value[600];
};

static void compare_key(void *context, const char *key, const char *value)
{
	struct search *search = context;

	if (!strcmp(search->key, key))
		snprintf(search->value, sizeof(search->value), "%s", value);
}

const char *reported(const char *key)
{
	static struct search search;
	const struct vaccel_plugin *plugin = vaccel_plugin_at(0);

	assert_non_null(plugin);
	search = (struct search){.key = key};
	plugin->report(compare_key, &search);
	return search.value;
}

void open_model(struct vaccel_resource *model, const char *path)
{
	assert_int_equal(vaccel_resource_init(model, path, VACCEL_RESOURCE_MODEL), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(model, &session), VACCEL_OK);
}

void close_model(struct vaccel_resource *model)
{
	assert_int_equal(vaccel_resource_release(model), VACCEL_OK);
}

void *read_file(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "r");
	char *data;
	long size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	rewind(file);
	data = malloc((size_t)size + 1);
	assert_non_null(data);
	*ret_size = fread(data, 1, (size_t)size, file);
	data[*ret_size] = '\0';
	fclose(file);
	return data;
}

static int count_dims(const int64_t *dims)
{
	int nr = 0;

	while (dims[nr] >= 0)
		nr++;
	return nr;
}

struct vaccel_tf_tensor tensor(enum vaccel_tf_data_type type, void *data, size_t size,
			       int64_t *dims)
{
	return (struct vaccel_tf_tensor){
		.data = data,
		.size = size,
		.nr_dims = count_dims(dims),
		.dims = dims,
		.data_type = type,
	};
}

void check_output(struct vaccel_tf_tensor *out, enum vaccel_tf_data_type type, const int64_t *dims,
		  const void *data, size_t size)
{
	assert_int_equal(out->data_type, type);
	assert_int_equal(out->nr_dims, count_dims(dims));
	assert_memory_equal(out->dims, dims, (size_t)out->nr_dims * sizeof(*dims));
	assert_int_equal(out->size, size);
	if (size)
		assert_memory_equal(out->data, data, size);
	assert_int_equal(vaccel_tf_tensor_delete(out), VACCEL_OK);
}
