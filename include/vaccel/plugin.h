/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin ABI. docs/writing-a-plugin.md tells it as a story.
 *
 * A plugin is a shared object, lib/vaccel/libvaccel-NAME.so, that exports one
 * `const struct vaccel_plugin vaccel_plugin`, defined with VACCEL_PLUGIN(). It
 * includes installed headers only. Members of the structs here are only ever
 * appended, and a member that is zero means the default, so that a plugin built
 * against an older header keeps loading.
 */
#ifndef VACCEL_PLUGIN_H
#define VACCEL_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/error.h>
#include <vaccel/op.h>
#include <vaccel/resource.h>
#include <vaccel/session.h>
#include <vaccel/tensor.h>
#include <vaccel/utils/enum.h>
#include <vaccel/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Counts changes that old plugins cannot survive. None is planned. */
#define VACCEL_PLUGIN_ABI 1

/*
 * vaccel_plugin_type_t: what a plugin runs on, as bits; a session's hint is made
 * of the same. DEBUG is for tests and measurements, and neither `auto` nor a
 * directory brings one in. REMOTE forwards operations to an agent.
 */
#define VACCEL_PLUGIN_TYPE_LIST(X)        \
	X(VACCEL_PLUGIN_CPU, 0x1)         \
	X(VACCEL_PLUGIN_GPU, 0x2)         \
	X(VACCEL_PLUGIN_FPGA, 0x4)        \
	X(VACCEL_PLUGIN_SOFTWARE, 0x8)    \
	X(VACCEL_PLUGIN_TENSORFLOW, 0x10) \
	X(VACCEL_PLUGIN_TORCH, 0x20)      \
	X(VACCEL_PLUGIN_JETSON, 0x40)     \
	X(VACCEL_PLUGIN_GENERIC, 0x80)    \
	X(VACCEL_PLUGIN_DEBUG, 0x100)     \
	X(VACCEL_PLUGIN_REMOTE, 0x4000)   \
	X(VACCEL_PLUGIN_ALL, 0xffff)

VACCEL_ENUM_DECLARE(vaccel_plugin_type, VACCEL_PLUGIN, VACCEL_PLUGIN_TYPE_LIST)

struct vaccel_call;

/** struct vaccel_plugin_info - who a plugin is */
struct vaccel_plugin_info {
	/** "onnx": lower case, as in libvaccel-onnx.so */
	const char *name;
	/** The plugin's own version. */
	const char *version;
	/** The vaccel it was built against; VACCEL_PLUGIN() users write VACCEL_VERSION. */
	const char *vaccel_version;
	/** Bits of vaccel_plugin_type_t. */
	unsigned int type;
	/** What it does, for `vaccel plugins`. */
	const char *sentence;
};

enum vaccel_knob_type {
	VACCEL_KNOB_TEXT,
	/** 0, 1, true, false, yes, no, on, off */
	VACCEL_KNOB_BOOL,
	/** A whole number from least to most. */
	VACCEL_KNOB_NUMBER
};

/** struct vaccel_knob - a setting taken from the environment */
struct vaccel_knob {
	/** VACCEL_… */
	const char *name;
	/** Its value when it is not set; NULL for none. */
	const char *fallback;
	const char *sentence;
	enum vaccel_knob_type type;
	int64_t least;
	int64_t most;
};

/**
 * vaccel_knob_text() - the value of a knob
 * @knob: a row of the plugin's table
 *
 * Values are checked when the plugin is loaded, so reading one cannot fail.
 *
 * Return: the environment's value, else the fallback; NULL if there is neither.
 */
const char *vaccel_knob_text(const struct vaccel_knob *knob);
bool vaccel_knob_bool(const struct vaccel_knob *knob);
int64_t vaccel_knob_number(const struct vaccel_knob *knob);

/**
 * vaccel_knob_source() - where the value of a knob comes from
 * @knob: a row
 *
 * Return: the name of the variable that is set, the knob's own or an old one;
 * NULL if none is and the fallback holds.
 */
const char *vaccel_knob_source(const struct vaccel_knob *knob);

/**
 * vaccel_knob_at() - walk the library's own knobs
 * @index: 0 and up
 *
 * Return: the knob, or NULL past the last one.
 */
const struct vaccel_knob *vaccel_knob_at(size_t index);

/** struct vaccel_plugin_needs - what a plugin needs from a sandbox; lists end in NULL */
struct vaccel_plugin_needs {
	/** Files and directories that it reads, beside its own libraries. */
	const char *const *read_paths;
	/** Files and directories that it writes. */
	const char *const *write_paths;
	/** Device nodes. */
	const char *const *devices;
	/** System calls by name, beside the common ones. */
	const char *const *system_calls;
	/** It makes machine code while it runs. */
	bool jit;
	/** It starts processes. */
	bool children;
};

/**
 * struct vaccel_plugin_op - one operation that a plugin implements
 *
 * Filled by VACCEL_PLUGIN_OP(), which checks the function's type.
 */
struct vaccel_plugin_op {
	vaccel_op_type_t number;
	/** The operation as the plugin was built for it. */
	const char *signature;
	/** int (struct vaccel_call *call, struct vaccel_NAME_args *args) */
	void (*run)(void);
};

/*
 * VACCEL_PLUGIN_OP(MINMAX, minmax, cpu_minmax), a row of a plugin's table: the
 * operation's two names, and the function that runs it,
 * int cpu_minmax(struct vaccel_call *call, struct vaccel_minmax_args *args).
 * A function of another type does not compile.
 */
#define VACCEL_RUN_TYPE_(name) int (*)(struct vaccel_call *, struct vaccel_##name##_args *)
#ifdef __cplusplus
#define VACCEL_RUN_(name, function) \
	reinterpret_cast<void (*)(void)>(static_cast<VACCEL_RUN_TYPE_(name)>(function))
#else
#define VACCEL_RUN_(name, function) \
	(void (*)(void)) _Generic(&(function), VACCEL_RUN_TYPE_(name) : (function))
#endif
#define VACCEL_PLUGIN_OP(NAME, name, function)                                                 \
	{                                                                                      \
		VACCEL_OP_##NAME, VACCEL_OP_SIGNATURE(NAME, name), VACCEL_RUN_(name, function) \
	}

/** Receives one fact about a plugin, such as ("device", "CPU, 2 threads"). */
typedef void vaccel_plugin_report_fn(void *context, const char *key, const char *value);

/**
 * struct vaccel_plugin - what a plugin exports
 *
 * Unless said otherwise a hook may be called by several threads at once, may
 * block as long as its work takes, and returns VACCEL_OK or what vaccel_fail()
 * returned.
 */
struct vaccel_plugin {
	/** Stamped by VACCEL_PLUGIN(). */
	size_t size;
	uint32_t abi;

	const struct vaccel_plugin_info *info;
	const struct vaccel_plugin_op *ops;
	size_t nr_ops;
	const struct vaccel_knob *knobs;
	size_t nr_knobs;
	const struct vaccel_plugin_needs *needs;

	/** Once, after loading, before anything else. An error refuses the plugin. */
	int (*init)(void);
	/** Once, before unloading, when no call is left in it. */
	void (*fini)(void);

	/** Runs any operation not in @ops; for plugins that forward. @args is the op's struct. */
	int (*run_any)(struct vaccel_call *call, const struct vaccel_op *op, void *args);

	/**
	 * Whether it takes this very call; asked for each. Where it says no, the
	 * next plugin is asked. Must be quick and must not fail.
	 */
	bool (*supports)(struct vaccel_call *call, const struct vaccel_op *op, const void *args);

	/**
	 * The plugin's own side of a session, made when a call first asks for it with
	 * vaccel_call_session_slot() (a REMOTE plugin's: with the session), closed when the session
	 * is released, before its memory goes. At a cleanup the program's memory may have gone
	 * already: session_close() has NULL then. One thread at a time per session.
	 */
	int (*session_open)(struct vaccel_session *sess, void **ret_slot);
	void (*session_close)(struct vaccel_session *sess, void *slot);

	/**
	 * The same for a resource, by vaccel_call_resource_slot(). At a cleanup resource_close()
	 * has another struct of the same content: a plugin knows a resource by its slot.
	 */
	int (*resource_open)(struct vaccel_resource *resource, void **ret_slot);
	void (*resource_close)(struct vaccel_resource *resource, void *slot);

	/** Brings back what was changed elsewhere; NULL where nothing can be. */
	int (*resource_sync)(struct vaccel_session *sess, struct vaccel_resource *resource);

	/** Says what it found: devices, providers, versions. For `vaccel info`. */
	void (*report)(vaccel_plugin_report_fn *report, void *context);

	/**
	 * For plugins whose sessions live elsewhere. A session of which the plugin has a @slot is
	 * to use a resource: it is being registered, or was when the slot was made. The plugin's
	 * side of the resource is made before. An error is that of the registration, or of making
	 * the slot. One thread at a time per session.
	 */
	int (*resource_register)(struct vaccel_session *sess, void *slot,
				 struct vaccel_resource *resource, void *resource_slot);

	/**
	 * That has ended, or could not begin with all plugins. Not called when the session or the
	 * resource is released: closing the slot ends it, too.
	 */
	void (*resource_unregister)(struct vaccel_session *sess, void *slot,
				    struct vaccel_resource *resource, void *resource_slot);

	/** The session is to prefer @hint from now on; an error leaves it as it was. */
	int (*session_update)(struct vaccel_session *sess, void *slot, uint32_t hint);
};

/*
 * Defines the plugin: VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = 3);
 * In C++ the members must be in the order of the struct.
 */
#ifdef __cplusplus
#define VACCEL_PLUGIN_DECLARE_ extern "C" __attribute__((visibility("default")))
#else
#define VACCEL_PLUGIN_DECLARE_ extern __attribute__((visibility("default")))
#endif
#define VACCEL_PLUGIN(...)                                               \
	VACCEL_PLUGIN_DECLARE_ const struct vaccel_plugin vaccel_plugin; \
	const struct vaccel_plugin vaccel_plugin = {                     \
		.size = sizeof(struct vaccel_plugin), .abi = VACCEL_PLUGIN_ABI, __VA_ARGS__}

/* For plugins, during a call */

/**
 * vaccel_call_session() - the session of a call
 * @call: the call
 *
 * Return: the session; it stays for the length of the call.
 */
struct vaccel_session *vaccel_call_session(const struct vaccel_call *call);

/**
 * vaccel_call_out() - memory for an output that GROWS
 * @call: the call
 * @member: address of the argument in the args struct: &args->top
 * @size: bytes
 *
 * Sets the argument's data; the backend fills it and sets the argument's count
 * (of a TEXT: the size is set to @size, the NUL included). What a list's items
 * point to lies in the same block, behind the items. A second call for the
 * same argument gives the first block back and another one out. The caller
 * of the operation owns the memory once the call succeeds; after a
 * failure it is freed.
 *
 * Return: zeroed memory aligned for any type, or NULL after vaccel_fail().
 */
void *vaccel_call_out(struct vaccel_call *call, void *member, size_t size);

/**
 * vaccel_call_out_tensor() - memory for one of the output tensors
 * @call: the call
 * @tensor: &args->out.data[i]
 * @type: its type number, of the framework whose op it is
 * @nr_dims: how many dimensions
 * @dims: their sizes, copied
 * @size: bytes of data
 *
 * Fills @tensor; the backend then writes @size bytes to tensor->data.
 *
 * Return: VACCEL_OK, VACCEL_ENOMEM.
 */
int vaccel_call_out_tensor(struct vaccel_call *call, struct vaccel_tensor *tensor, int32_t type,
			   size_t nr_dims, const int64_t *dims, size_t size);

/**
 * vaccel_call_session_slot() - the plugin's own side of the call's session
 * @call: the call
 * @ret_slot: what session_open() made, at the first use
 *
 * Return: VACCEL_OK or the error of session_open(); VACCEL_ENOTSUP without one.
 */
int vaccel_call_session_slot(struct vaccel_call *call, void **ret_slot);

/**
 * vaccel_call_resource_slot() - the plugin's own side of a resource
 * @call: the call
 * @resource: one of the call's, or from vaccel_call_resource()
 * @ret_slot: what resource_open() made, at the first use
 *
 * Return: VACCEL_OK or the error of resource_open(); VACCEL_ENOTSUP without one.
 */
int vaccel_call_resource_slot(struct vaccel_call *call, struct vaccel_resource *resource,
			      void **ret_slot);

/**
 * vaccel_call_resource() - a resource registered with the call's session
 * @call: the call
 * @type: its type
 *
 * The first registered of that type, counted: it stays until
 * vaccel_resource_unref(), whatever another thread does. Takes no lock.
 *
 * Return: the resource, or NULL if the session has none.
 */
struct vaccel_resource *vaccel_call_resource(struct vaccel_call *call, vaccel_resource_type_t type);

/**
 * vaccel_resource_unref() - give a counted resource back
 * @resource: what vaccel_call_resource() returned; NULL is fine
 */
void vaccel_resource_unref(struct vaccel_resource *resource);

/** Uses a resource while it stays as it is. */
typedef int vaccel_resource_use_fn(struct vaccel_resource *resource, void *context);

/**
 * vaccel_resource_with_blobs() - read a resource's blobs while nobody changes them
 * @resource: a resource that stays for the length of this call
 * @use: called once; it must not call a function that takes a resource
 * @context: handed to @use
 *
 * Other threads may be giving blobs a file meanwhile, see vaccel_resource_file(),
 * which changes their names and paths. They wait until @use returns.
 *
 * Return: what @use returned; VACCEL_EINVAL for NULL or a resource that is released.
 */
int vaccel_resource_with_blobs(struct vaccel_resource *resource, vaccel_resource_use_fn *use,
			       void *context);

/**
 * vaccel_session_rundir() - a directory for files of a session
 * @sess: the session
 *
 * Made when first asked for, private to this user, removed with the session.
 *
 * Return: its path, valid as long as the session; NULL after vaccel_fail().
 */
const char *vaccel_session_rundir(struct vaccel_session *sess);

/**
 * vaccel_datadir() - where vaccel's own data lie, such as the default models
 *
 * Return: VACCEL_DATA_DIR, else share/vaccel of the tree that libvaccel was loaded from.
 */
const char *vaccel_datadir(void);

/**
 * vaccel_plugindir() - where plugins lie
 *
 * Return: VACCEL_PLUGIN_DIR, else vaccel/ beside libvaccel.so.
 */
const char *vaccel_plugindir(void);

/* For programs */

/**
 * vaccel_plugin_load() - load a plugin beside those of the configuration
 * @file: a name ("onnx"), a file name ("libvaccel-onnx.so") or a path
 *
 * Loading one again does nothing.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ENOENT if it cannot be loaded (a
 * missing file, or a library that it needs); VACCEL_ELIBBAD if it is no
 * plugin, or one of another ABI; else the error of its init().
 */
int vaccel_plugin_load(const char *file);

/**
 * vaccel_plugin_parse_and_load() - load several plugins
 * @list: names, file names, paths or directories, with ":" between them
 *
 * Return: as vaccel_plugin_load(), of the first that fails; those before it
 * stay loaded.
 */
int vaccel_plugin_parse_and_load(const char *list);

/**
 * vaccel_plugin_at() - walk the plugins in the order in which they are asked
 * @index: 0 and up
 *
 * Lists also the plugins that `auto` has not needed yet; of those only @info is there.
 *
 * Return: the plugin, or NULL past the last one. Valid until vaccel_cleanup().
 */
const struct vaccel_plugin *vaccel_plugin_at(size_t index);

/** Receives one plugin of the installation. */
typedef void vaccel_plugin_seen_fn(void *context, const struct vaccel_plugin *plugin);

/**
 * vaccel_plugin_installed() - look at the plugins of this installation
 * @seen: called for each libvaccel-NAME.so of the plugin directory, alphabetically, `cpu` last
 * @context: handed to @seen
 *
 * Whatever the configuration says, those of type DEBUG included. Nothing is
 * loaded: of a plugin only @info is there, as its manifest has it, or @info's
 * name alone if it has none. It is valid until @seen returns.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL; VACCEL_ENOENT if the directory holds no plugin.
 */
int vaccel_plugin_installed(vaccel_plugin_seen_fn *seen, void *context);

/**
 * struct vaccel_agent_place - a place where an agent is looked for that nobody has named
 * @address: by which it is reached there
 * @code: VACCEL_OK: there is something to connect to; VACCEL_ENOENT: there is nothing;
 *        VACCEL_EACCES: this user may not use it; VACCEL_EREMOTEIO: a socket file on which
 *        nobody listens, or a device without a driver; VACCEL_ENOTSUP: it is not looked there
 * @sentence: what was found
 * @advice: what can be done about it, or NULL
 */
struct vaccel_agent_place {
	const char *address;
	int code;
	const char *sentence;
	const char *advice;
};

/** Receives one place. */
typedef void vaccel_agent_seen_fn(void *context, const struct vaccel_agent_place *place);

/**
 * vaccel_agent_look() - look where an agent may be that nobody has named
 * @seen: called for each place, those to be asked first before others; what it is handed is valid
 *        until it returns
 * @context: handed to @seen
 *
 * Looks for the socket files of this machine, a virtual machine's device /dev/accel0, its drive
 * with the serial number vaccel-drive and, if VACCEL_PLUGINS names a remote plugin, its vsock.
 * Connects to none of them.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL.
 */
int vaccel_agent_look(vaccel_agent_seen_fn *seen, void *context);

/**
 * vaccel_plugin_path() - the file of a plugin
 * @plugin: from vaccel_plugin_at(), vaccel_plugin_installed() or a session
 *
 * Return: its path, valid as long as the plugin; NULL for NULL.
 */
const char *vaccel_plugin_path(const struct vaccel_plugin *plugin);

/**
 * vaccel_plugin_failure() - why a plugin could not be loaded
 * @plugin: as for vaccel_plugin_path()
 *
 * Return: a sentence, valid as long as the plugin; NULL if it is loaded, or if that was
 * not tried yet, or for NULL.
 */
const char *vaccel_plugin_failure(const struct vaccel_plugin *plugin);

/**
 * vaccel_plugin_offers() - whether a plugin says that it takes an operation
 * @plugin: as for vaccel_plugin_path()
 * @op: the operation
 *
 * Return: true if it does, by its manifest where it is not loaded; false for NULL.
 */
bool vaccel_plugin_offers(const struct vaccel_plugin *plugin, const struct vaccel_op *op);

#ifdef __cplusplus
}
#endif

#endif
