// SPDX-License-Identifier: Apache-2.0
/* Texts to numbers, addresses and switches; each complaint tells the key that it is about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "agent/base/environment.h"
#include "agent/config/convert.h"
#include "agent/config/guess.h"
#include "agent/config/units.h"
#include "base/util.h"

#define DEFAULT_POLICY "default"
#define DEFAULT_MODE   0660
#define ADMIN_MODE     0600
#define DRAIN_MS       30000

/* The words are those of the last failure, which is about this place. */
static int blame(struct document *document, const struct place *place)
{
	return document_fail(document, place, "%s", vaccel_error_text());
}

static int convert_number(struct document *document, const struct place *place, const char *text,
			  enum unit unit, uint64_t most, uint64_t *number)
{
	if (!text || !number_parse(text, unit, most, number))
		return VACCEL_OK;
	return blame(document, place);
}

static int convert_mode(struct document *document, const struct place *place, const char *text,
			mode_t *mode)
{
	return !text || !mode_parse(text, mode) ? VACCEL_OK : blame(document, place);
}

static int convert_address(struct document *document, const struct place *place, const char *text,
			   struct address *address)
{
	return address_parse_to_listen(text, address) ? blame(document, place) : VACCEL_OK;
}

static int check_name(struct document *document, const struct place *place, const char *name)
{
	if (!name || name_is_valid(name))
		return VACCEL_OK;
	return document_fail(document, place,
			     "'%s' is no name; take 1 to 63 of A-Z a-z 0-9 . _ - that do not begin "
			     "with a dot",
			     name);
}

/* Policies */

static int copy_name(const char *name, char **ret_copy)
{
	*ret_copy = strdup(name);
	return *ret_copy ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
}

static int convert_policy(struct document *document, const struct place *place,
			  struct raw_policy *raw, struct policy *policy)
{
	int ret = check_name(document, place, place->key);

	*policy = default_policy;
	if (!ret)
		ret = copy_name(place->key, &policy->name);
#define LIST(key, ...)          \
	policy->key = raw->key; \
	raw->key = (struct names){};
	POLICY_LISTS(LIST)
#undef LIST
#define NUMBER(key, unit, member)                                               \
	if (!ret) {                                                             \
		uint64_t number = policy->member;                               \
                                                                                \
		ret = convert_number(document, AT(place, #key), raw->key, unit, \
				     (__typeof__(policy->member))-1, &number);  \
		policy->member = (__typeof__(policy->member))number;            \
	}
	POLICY_NUMBERS(NUMBER)
#undef NUMBER
	return ret;
}

static bool names_default(const struct schema *schema)
{
	for (unsigned int i = 0; i < schema->nr_policies; i++)
		if (!strcmp(schema->policies[i].key, DEFAULT_POLICY))
			return true;
	return false;
}

/* Those of the document, and the one that listeners have which name none. */
static int convert_policies(struct document *document, const struct schema *schema,
			    struct raw_config *raw, struct config *config)
{
	bool add_default = !names_default(schema);
	int ret = VACCEL_OK;

	config->policies = calloc(schema->nr_policies + 1, sizeof(*config->policies));
	if (!config->policies)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	for (unsigned int i = 0; !ret && i < schema->nr_policies; i++, config->nr_policies++)
		ret = convert_policy(document, AT(AT(NULL, "policies"), schema->policies[i].key),
				     &raw->policies[i], &config->policies[i]);
	if (ret || !add_default)
		return ret;
	config->policies[config->nr_policies] = default_policy;
	return copy_name(DEFAULT_POLICY, &config->policies[config->nr_policies++].name);
}

/* Listeners */

static int fail_policy(struct document *document, const struct place *place,
		       const struct config *config, const char *name)
{
	struct guess guess = {.typed = name};

	for (unsigned int i = 0; i < config->nr_policies; i++)
		guess_offer(&guess, config->policies[i].name);
	if (guess.best)
		return document_fail(document, place, "there is no policy '%s'; did you mean '%s'?",
				     name, guess.best);
	return document_fail(document, place,
			     "there is no policy '%s'; describe it below 'policies'", name);
}

static int note_where(struct document *document, const struct place *place, char **ret_where)
{
	*ret_where = document_where(document, place);
	return *ret_where ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
}

/* Takes the path. */
static int convert_file(struct document *document, const struct place *place, char **path,
			struct named_file *file)
{
	if (!*path)
		return VACCEL_OK;
	file->path = TAKE(*path);
	return note_where(document, place, &file->where);
}

static int convert_listener(struct document *document, const struct place *place,
			    const struct config *config, struct raw_listener *raw,
			    struct listener_config *listener)
{
	const char *policy = raw->policy ? raw->policy : DEFAULT_POLICY;
	int ret;

	listener->mode = DEFAULT_MODE;
	listener->tenant = TAKE(raw->tenant);
	if (!raw->address)
		return document_fail(document, place, "a listener needs an address");
	ret = convert_address(document, AT(place, "address"), raw->address, &listener->address);
	if (!ret)
		ret = note_where(document, AT(place, "address"), &listener->where);
#define FILE_AT(key) \
	if (!ret)    \
		ret = convert_file(document, AT(place, #key), &raw->key, &listener->key);
	FILE_AT(cert)
	FILE_AT(key)
	FILE_AT(client_ca)
	FILE_AT(token_file)
#undef FILE_AT
	if (!ret)
		ret = check_name(document, AT(place, "tenant"), listener->tenant);
	if (!ret)
		ret = convert_mode(document, AT(place, "mode"), raw->mode, &listener->mode);
	if (!ret && raw->insecure && switch_parse(raw->insecure, &listener->insecure))
		ret = blame(document, AT(place, "insecure"));
	listener->policy = config_policy(config, policy);
	if (!ret && !listener->policy)
		ret = fail_policy(document, AT(place, "policy"), config, policy);
	return ret;
}

/* Where programs look for an agent of which they know nothing. */
static int convert_default(struct document *document, const struct config *config,
			   struct listener_config *listener)
{
	_cleanup_(freep) char *directory = NULL;
	_cleanup_(freep) char *address = NULL;
	int ret = environment_directory(&directory);

	if (ret)
		return ret;
	if (asprintf(&address, "unix://%s/agent.sock", directory) < 0)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	return convert_listener(document, NULL, config, &(struct raw_listener){.address = address},
				listener);
}

static int convert_listeners(struct document *document, struct raw_config *raw,
			     struct config *config)
{
	bool add_default = !raw->nr_listeners;
	int ret = VACCEL_OK;

	config->listeners = calloc(raw->nr_listeners + 1, sizeof(*config->listeners));
	if (!config->listeners)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	for (unsigned int i = 0; !ret && i < raw->nr_listeners; i++, config->nr_listeners++)
		ret = convert_listener(document, AT_INDEX(AT(NULL, "listeners"), i), config,
				       &raw->listeners[i], &config->listeners[i]);
	if (ret || !add_default)
		return ret;
	config->nr_listeners = 1;
	return convert_default(document, config, &config->listeners[0]);
}

/* The rest */

static int convert_models(struct document *document, struct raw_config *raw, struct models *models)
{
	const struct place *place = AT(NULL, "models");

	models->path = TAKE(raw->models.path);
	models->preload = raw->models.preload;
	raw->models.preload = (struct names){};
	return convert_number(document, AT(place, "memory"), raw->models.memory, UNIT_BYTES,
			      UINT64_MAX, &models->memory);
}

/* "9464" and "10.0.0.1:9464": a port alone is for this machine only. */
static int convert_metrics(struct document *document, const char *text, struct address *address)
{
	const struct place *place = AT(AT(NULL, "metrics"), "address");
	_cleanup_(freep) char *whole = NULL;
	int length;

	if (!text)
		return VACCEL_OK;
	length = asprintf(&whole, strchr(text, ':') ? "tcp://%s" : "tcp://127.0.0.1:%s", text);
	if (length < 0)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	if (!address_parse(whole, address))
		return VACCEL_OK;
	return document_fail(document, place, "'%s' is neither PORT nor HOST:PORT", text);
}

static int convert_log(struct document *document, const struct raw_log *raw, struct log_setup *log)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};
	const struct place *place = AT(NULL, "log");

	log->level = VACCEL_LOG_INFO;
	if (raw->format && strcmp(raw->format, "text") && strcmp(raw->format, "json"))
		return document_fail(document, AT(place, "format"), "'%s' is neither text nor json",
				     raw->format);
	if (raw->format && !strcmp(raw->format, "json"))
		log->format = LOG_JSON;
	if (!raw->level)
		return VACCEL_OK;
	for (int i = 0; i < (int)ARRAY_SIZE(levels); i++) {
		const char number[] = {(char)('1' + i), '\0'};

		if (strcmp(raw->level, levels[i]) && strcmp(raw->level, number))
			continue;
		log->level = VACCEL_LOG_ERROR + i;
		return VACCEL_OK;
	}
	return document_fail(document, AT(place, "level"),
			     "'%s' is none of error, warning, info and debug, or 1 to 4",
			     raw->level);
}

int config_convert(struct document *document, const struct schema *schema, struct raw_config *raw,
		   struct config *config)
{
	uint64_t drain = DRAIN_MS;
	int ret = convert_policies(document, schema, raw, config);

	if (!ret)
		ret = convert_listeners(document, raw, config);
	if (!ret)
		ret = convert_models(document, raw, &config->models);
	config->admin_mode = ADMIN_MODE;
	config->admin_socket = TAKE(raw->admin.socket);
	if (!ret)
		ret = note_where(document, AT(AT(NULL, "admin"), "socket"), &config->admin_where);
	if (!ret)
		ret = convert_mode(document, AT(AT(NULL, "admin"), "mode"), raw->admin.mode,
				   &config->admin_mode);
	if (!ret)
		ret = convert_metrics(document, raw->metrics.address, &config->metrics);
	if (!ret)
		ret = convert_log(document, &raw->log, &config->log);
	if (!ret)
		ret = convert_number(document, AT(NULL, "drain"), raw->drain, UNIT_TIME, INT32_MAX,
				     &drain);
	config->drain_ms = (uint32_t)drain;
	return ret;
}
