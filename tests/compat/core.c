// SPDX-License-Identifier: Apache-2.0
/* The functions around operations: life of the library, sessions, blobs, resources, profiling. */
#include <vaccel.h>

#include "check.h"

/* Only compiled. */
static void log_lines(void)
{
	vaccel_fatal("%d", 1);
	vaccel_error("%s", "words");
	vaccel_warn("no argument");
	vaccel_info("%d %d", 1, 2);
	vaccel_debug("%d", 1);
	vaccel_trace("%d", 1);
}

static void check_lifecycle(void)
{
	FUNCTION(const char *, vaccel_error_text, void);
	FUNCTION(int, vaccel_str_to_lower, const char *, char *, size_t, char **);
	NAMES(vaccel_op_type);
	NAMES(vaccel_plugin_type);
	NAMES(vaccel_resource_type);
	NAMES(vaccel_blob_type);
	NAMES(vaccel_path_type);
	NAMES(vaccel_log_level);
	NAMES(vaccel_arg_type);

	FUNCTION(int, vaccel_bootstrap, void);
	FUNCTION(int, vaccel_bootstrap_with_config, const struct vaccel_config *);
	FUNCTION(int, vaccel_cleanup, void);
	FUNCTION(bool, vaccel_is_initialized, void);
	FUNCTION(const char *, vaccel_rundir, void);
	FUNCTION(const struct vaccel_config *, vaccel_config, void);
	FUNCTION(int, vaccel_plugin_load, const char *);
	FUNCTION(int, vaccel_plugin_parse_and_load, const char *);
	FUNCTION(int, vaccel_log_init, void);
	FUNCTION(int, vaccel_log_shutdown, void);
	use((void (*)(void))log_lines);
}

static void check_config(void)
{
	FUNCTION(int, vaccel_config_init, struct vaccel_config *, const char *, vaccel_log_level_t,
		 const char *, bool, bool);
	FUNCTION(int, vaccel_config_new, struct vaccel_config **, const char *, vaccel_log_level_t,
		 const char *, bool, bool);
	FUNCTION(int, vaccel_config_init_from_env, struct vaccel_config *);
	FUNCTION(int, vaccel_config_from_env, struct vaccel_config **);
	FUNCTION(int, vaccel_config_init_from, struct vaccel_config *,
		 const struct vaccel_config *);
	FUNCTION(int, vaccel_config_from, struct vaccel_config **, const struct vaccel_config *);
	FUNCTION(int, vaccel_config_release, struct vaccel_config *);
	FUNCTION(int, vaccel_config_delete, struct vaccel_config *);
	FUNCTION(void, vaccel_config_print_debug, const struct vaccel_config *);
}

static void check_sessions(void)
{
	FUNCTION(int, vaccel_session_init, struct vaccel_session *, uint32_t);
	FUNCTION(int, vaccel_session_new, struct vaccel_session **, uint32_t);
	FUNCTION(int, vaccel_session_release, struct vaccel_session *);
	FUNCTION(int, vaccel_session_delete, struct vaccel_session *);
	FUNCTION(int, vaccel_session_update, struct vaccel_session *, uint32_t);
	FUNCTION(int, vaccel_session_get_by_id, struct vaccel_session **, vaccel_id_t);
	FUNCTION(bool, vaccel_session_has_resource, const struct vaccel_session *,
		 const struct vaccel_resource *);
	FUNCTION(int, vaccel_session_resource_by_id, struct vaccel_session *,
		 struct vaccel_resource **, vaccel_id_t);
	FUNCTION(int, vaccel_session_resource_by_type, struct vaccel_session *,
		 struct vaccel_resource **, vaccel_resource_type_t);
	FUNCTION(int, vaccel_session_resources_by_type, struct vaccel_session *,
		 struct vaccel_resource ***, size_t *, vaccel_resource_type_t);

	FUNCTION(int, vaccel_sess_init, struct vaccel_session *, uint32_t);
	FUNCTION(int, vaccel_sess_update, struct vaccel_session *, uint32_t);
	FUNCTION(int, vaccel_sess_free, struct vaccel_session *);
	FUNCTION(bool, vaccel_sess_has_resource, const struct vaccel_session *,
		 const struct vaccel_resource *);
}

static void check_blobs(void)
{
	FUNCTION(int, vaccel_blob_init, struct vaccel_blob *, const char *);
	FUNCTION(int, vaccel_blob_new, struct vaccel_blob **, const char *);
	FUNCTION(int, vaccel_blob_init_from_buf, struct vaccel_blob *, const uint8_t *, size_t,
		 bool, const char *, const char *, bool);
	FUNCTION(int, vaccel_blob_from_buf, struct vaccel_blob **, const uint8_t *, size_t, bool,
		 const char *, const char *, bool);
	FUNCTION(int, vaccel_blob_release, struct vaccel_blob *);
	FUNCTION(int, vaccel_blob_delete, struct vaccel_blob *);
	FUNCTION(int, vaccel_blob_persist, struct vaccel_blob *, const char *, const char *, bool);
	FUNCTION(int, vaccel_blob_read, struct vaccel_blob *);
	FUNCTION(uint8_t *, vaccel_blob_data, struct vaccel_blob *, size_t *);
	FUNCTION(const char *, vaccel_blob_path, const struct vaccel_blob *);
	FUNCTION(bool, vaccel_blob_valid, const struct vaccel_blob *);
}

static void check_resources(void)
{
	FUNCTION(int, vaccel_resource_init, struct vaccel_resource *, const char *,
		 vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_new, struct vaccel_resource **, const char *,
		 vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_init_multi, struct vaccel_resource *, const char **, size_t,
		 vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_multi_new, struct vaccel_resource **, const char **, size_t,
		 vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_init_from_buf, struct vaccel_resource *, const void *, size_t,
		 vaccel_resource_type_t, const char *, bool);
	FUNCTION(int, vaccel_resource_from_buf, struct vaccel_resource **, const void *, size_t,
		 vaccel_resource_type_t, const char *, bool);
	FUNCTION(int, vaccel_resource_init_from_blobs, struct vaccel_resource *,
		 const struct vaccel_blob **, size_t, vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_from_blobs, struct vaccel_resource **,
		 const struct vaccel_blob **, size_t, vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_release, struct vaccel_resource *);
	FUNCTION(int, vaccel_resource_delete, struct vaccel_resource *);
	FUNCTION(long, vaccel_resource_refcount, const struct vaccel_resource *);
	FUNCTION(int, vaccel_resource_get_by_id, struct vaccel_resource **, vaccel_id_t);
	FUNCTION(int, vaccel_resource_get_by_type, struct vaccel_resource **,
		 vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_get_all_by_type, struct vaccel_resource ***, size_t *,
		 vaccel_resource_type_t);
	FUNCTION(int, vaccel_resource_register, struct vaccel_resource *, struct vaccel_session *);
	FUNCTION(int, vaccel_resource_unregister, struct vaccel_resource *,
		 struct vaccel_session *);
	FUNCTION(int, vaccel_resource_sync, struct vaccel_resource *, struct vaccel_session *);
	FUNCTION(int, vaccel_resource_directory, struct vaccel_resource *, char *, size_t, char **);
}

static void check_profiling(void)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("name");

	(void)region;
	FUNCTION(bool, vaccel_prof_enabled, void);
	FUNCTION(int, vaccel_prof_region_init, struct vaccel_prof_region *, const char *);
	FUNCTION(int, vaccel_prof_region_start, struct vaccel_prof_region *);
	FUNCTION(int, vaccel_prof_region_stop, const struct vaccel_prof_region *);
	FUNCTION(int, vaccel_prof_region_print, const struct vaccel_prof_region *);
	FUNCTION(int, vaccel_prof_region_release, struct vaccel_prof_region *);
	FUNCTION(int, vaccel_prof_regions_init, struct vaccel_prof_region *, int);
	FUNCTION(int, vaccel_prof_regions_release, struct vaccel_prof_region *, int);
	FUNCTION(int, vaccel_prof_regions_start_by_name, struct vaccel_prof_region *, int,
		 const char *);
	FUNCTION(int, vaccel_prof_regions_stop_by_name, struct vaccel_prof_region *, int,
		 const char *);
	FUNCTION(int, vaccel_prof_regions_print_all, struct vaccel_prof_region *, int);
	FUNCTION(int, vaccel_prof_regions_print_all_to_buf, char **, size_t,
		 struct vaccel_prof_region *, int);
}

void check_core(void)
{
	check_lifecycle();
	check_config();
	check_sessions();
	check_blobs();
	check_resources();
	check_profiling();
}
