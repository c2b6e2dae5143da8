/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: a program's side of whatever does its work. */
#ifndef VACCEL_SESSION_H
#define VACCEL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/error.h>
#include <vaccel/id.h>
#include <vaccel/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vaccel_plugin;
struct session_state;

/**
 * struct vaccel_session - a session, in the program's memory
 * @id: > 0 while it is open, counted up by one; 0 after its release
 * @remote_id: its id at the agent that does its work, else 0
 * @hint: the flags it was opened with, bits of vaccel_plugin_type_t
 * @is_virtio: its work is done by an agent
 * @plugin: the plugin that fits the hint; plugin->info->name is readable
 * @priv: the program's own; the library leaves it alone
 *
 * May be used from several threads, several operations running at once. The
 * program keeps it in place until its calls have returned. What follows @priv
 * is the library's.
 */
struct vaccel_session {
	vaccel_id_t id;
	vaccel_id_t remote_id;
	unsigned int hint;
	bool is_virtio;
	struct vaccel_plugin *plugin;
	void *priv;

	struct session_state *state;
	uint64_t epoch;
};

/**
 * vaccel_session_init() - open a session
 * @sess: memory for it; what is in there is not looked at
 * @flags: which kind of plugin is preferred, bits of vaccel_plugin_type_t; 0 for none
 *
 * The first local plugin having one of the bits is preferred, else the first
 * local one, else a remote one. VACCEL_PLUGIN_REMOTE insists on a remote one.
 * Costs no file and no directory.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ESESS before bootstrap; VACCEL_ENOTSUP
 * if no plugin is there, or a remote one is asked for and there is none;
 * VACCEL_ENOMEM; or the error of a configuration that could not be used.
 */
int vaccel_session_init(struct vaccel_session *sess, uint32_t flags);

/**
 * vaccel_session_new() - allocate and open a session
 * @ret_sess: set to the session; free it with vaccel_session_delete()
 * @flags: as for vaccel_session_init()
 *
 * Return: as vaccel_session_init().
 */
int vaccel_session_new(struct vaccel_session **ret_sess, uint32_t flags);

/**
 * vaccel_session_release() - close a session
 * @sess: the session; its id is 0 afterwards
 *
 * Unregisters its resources, which stay, and removes its run directory. No
 * call may be running in it.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL or a session that is closed;
 * VACCEL_ESESS before bootstrap or after the cleanup that closed it.
 */
int vaccel_session_release(struct vaccel_session *sess);

/**
 * vaccel_session_delete() - close a session and free it
 * @sess: from vaccel_session_new()
 *
 * Return: as vaccel_session_release(); only after VACCEL_EINVAL is it not freed.
 */
int vaccel_session_delete(struct vaccel_session *sess);

/**
 * vaccel_session_update() - change what a session prefers
 * @sess: the session
 * @flags: as for vaccel_session_init()
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ESESS before bootstrap; VACCEL_ENOTSUP
 * while resources are registered, or as in vaccel_session_init(). After a failure the session is as
 * it was.
 */
int vaccel_session_update(struct vaccel_session *sess, uint32_t flags);

/**
 * vaccel_session_get_by_id() - find an open session
 * @ret_sess: set to the session, which stays its owner's
 * @id: its id
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ENOENT, VACCEL_EPERM before bootstrap.
 */
int vaccel_session_get_by_id(struct vaccel_session **ret_sess, vaccel_id_t id);

/**
 * vaccel_session_has_resource() - whether a resource is registered with a session
 * @sess: the session
 * @resource: the resource
 *
 * Return: true if it is; false otherwise, also for NULL.
 */
bool vaccel_session_has_resource(const struct vaccel_session *sess,
				 const struct vaccel_resource *resource);

/**
 * vaccel_session_resource_by_id() - a session's resource by its id
 * @sess: the session
 * @ret_resource: set to the resource, which stays its owner's
 * @id: its id
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ENOENT, VACCEL_EPERM before bootstrap.
 */
int vaccel_session_resource_by_id(struct vaccel_session *sess,
				  struct vaccel_resource **ret_resource, vaccel_id_t id);

/**
 * vaccel_session_resource_by_type() - a session's first resource of a type
 * @sess: the session
 * @ret_resource: set to the one registered first; it stays its owner's
 * @type: the type
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ENOENT, VACCEL_EPERM before bootstrap.
 */
int vaccel_session_resource_by_type(struct vaccel_session *sess,
				    struct vaccel_resource **ret_resource,
				    vaccel_resource_type_t type);

/**
 * vaccel_session_resources_by_type() - all of a session's resources of a type
 * @sess: the session
 * @ret_resources: set to an array in the order of registration, to be freed with free()
 * @ret_nr: set to how many they are
 * @type: the type
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ENOENT if there is none, VACCEL_ENOMEM,
 * VACCEL_EPERM before bootstrap.
 */
int vaccel_session_resources_by_type(struct vaccel_session *sess,
				     struct vaccel_resource ***ret_resources, size_t *ret_nr,
				     vaccel_resource_type_t type);

/* Names of older programs */
int vaccel_sess_init(struct vaccel_session *sess, uint32_t flags)
	__attribute__((deprecated("use vaccel_session_init()")));
int vaccel_sess_update(struct vaccel_session *sess, uint32_t flags)
	__attribute__((deprecated("use vaccel_session_update()")));
int vaccel_sess_free(struct vaccel_session *sess)
	__attribute__((deprecated("use vaccel_session_release()")));
bool vaccel_sess_has_resource(const struct vaccel_session *sess,
			      const struct vaccel_resource *resource)
	__attribute__((deprecated("use vaccel_session_has_resource()")));

#ifdef __cplusplus
}
#endif

#endif
