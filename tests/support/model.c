// SPDX-License-Identifier: Apache-2.0
/* See model.h. */
#include "model.h"

#include <vaccel/plugin.h>

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
