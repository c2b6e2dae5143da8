/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of plugins: files in a directory of the test's own, and one call that tells who ran. */
#ifndef TESTS_PLUGINS_FILES_H
#define TESTS_PLUGINS_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel.h>
#include <vaccel/plugin.h>

/* A directory for one test; made by the first, removed with all in it by the second. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Copies a fake plugin and its manifest, if it has one and @with_manifest says so. */
void install_fake(const char *dir, const char *name, bool with_manifest);

/* The path of @name in @dir; valid until the next call but one. */
const char *path_in(const char *dir, const char *name);

void write_file(const char *path, const char *text);
void copy_file(const char *from, const char *to);

/* Whether a file whose path contains @part is mapped into this process. */
bool is_mapped(const char *part);

/* Bootstraps with these plugins. */
int boot(const char *plugins);

/* The names of all plugins in their order, with blanks between; valid until the next call. */
const char *plugin_names(void);

/* Which fake plugin answers a call with @n values; or minus the error. */
int who_answers(struct vaccel_session *sess, int n);

#define assert_says(part) assert_non_null(strstr(vaccel_error_text(), part))

#endif
