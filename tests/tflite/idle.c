// SPDX-License-Identifier: Apache-2.0
/* A delegate that takes no operation of any model, and remembers how it was asked. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORTED __attribute__((visibility("default")))

/* As TensorFlow Lite has it. */
struct delegate {
	void *data;
	int (*prepare)(void *context, struct delegate *delegate);
	void *buffer_functions[3];
	int64_t flags;
	void *builder;
};

EXPORTED extern char idle_options[64];
EXPORTED extern int idle_made, idle_prepared;
char idle_options[64];
int idle_made, idle_prepared;

static int prepare(void *context, struct delegate *delegate)
{
	idle_prepared++;
	return 0;
}

static struct delegate idle = {.prepare = prepare};

EXPORTED struct delegate *tflite_plugin_create_delegate(const char *const *keys,
							const char *const *values, size_t nr,
							void (*report)(const char *text));
EXPORTED void tflite_plugin_destroy_delegate(struct delegate *delegate);

struct delegate *tflite_plugin_create_delegate(const char *const *keys, const char *const *values,
					       size_t nr, void (*report)(const char *text))
{
	if (nr != 2) {
		report("two options are wanted");
		return NULL;
	}
	snprintf(idle_options, sizeof(idle_options), "%s is %s, %s is %s", keys[0], values[0],
		 keys[1], values[1]);
	idle_made++;
	return &idle;
}

void tflite_plugin_destroy_delegate(struct delegate *delegate)
{
	idle_made--;
}
