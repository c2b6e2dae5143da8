/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of a framework's models: the framework called directly, with one thread, as a
 * careful program would by hand for one model; and the same run by vaccel. A module,
 * bench-NAME.so beside the plugins, that exports one `const struct model_floor model_floor`.
 */
#ifndef BENCH_MODEL_FLOOR_H
#define BENCH_MODEL_FLOOR_H

#include <stddef.h>

#include <vaccel.h>

/* More inputs or outputs than these are not measured. */
#define ENDS_MAX 8

struct model_floor {
	/* The file of a model that does next to nothing. */
	const char *smallest;
	const char *smallest_end;
	/* A model's file, whose bytes stay. 0 or a VACCEL_E* code with words, as all of them. */
	int (*open)(const void *data, size_t size, void **ret_model);
	/* Runs it on inputs of its own, and has its outputs; the first byte of the first one. */
	int (*run)(void *model, unsigned char *ret_first);
	/* The same of a resource. */
	int (*call)(void *model, struct vaccel_session *sess, struct vaccel_resource *resource,
		    unsigned char *ret_first);
	void (*close)(void *model);
};

/* Files have no other way into a library. */
#define EMBED_SMALLEST(path)                             \
	__asm__(".pushsection .rodata\n"                 \
		"smallest_model: .incbin \"" path "\"\n" \
		"smallest_model_end: .byte 0\n"          \
		".popsection\n");                        \
	extern const char smallest_model[], smallest_model_end[]

#endif
