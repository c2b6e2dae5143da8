// SPDX-License-Identifier: Apache-2.0
/*
 * A configuration from text: read as YAML, checked against the keys that there are,
 * filled in by libcyaml, converted, and checked as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/config/config.h"
#include "agent/config/convert.h"
#include "agent/config/document.h"
#include "base/util.h"
#include "transport/secret.h"

static const cyaml_config_t how_to_load = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
};

static void file_release(struct named_file *file)
{
	free(file->path);
	free(file->where);
}

static void listener_release(struct listener_config *listener)
{
	address_release(&listener->address);
	free(listener->where);
	free(listener->tenant);
	file_release(&listener->cert);
	file_release(&listener->key);
	file_release(&listener->client_ca);
	file_release(&listener->token_file);
}

struct config *config_ref(struct config *config)
{
	config->refs++;
	return config;
}

void config_unref(struct config *config)
{
	if (!config || --config->refs)
		return;
	for (unsigned int i = 0; i < config->nr_listeners; i++)
		listener_release(&config->listeners[i]);
	for (unsigned int i = 0; i < config->nr_policies; i++)
		policy_release(&config->policies[i]);
	names_release(&config->models.preload);
	address_release(&config->metrics);
	free(config->models.path);
	free(config->admin_socket);
	free(config->admin_where);
	free(config->listeners);
	free(config->policies);
	free(config);
}

const struct policy *config_policy(const struct config *config, const char *name)
{
	for (unsigned int i = 0; i < config->nr_policies; i++)
		if (!strcmp(config->policies[i].name, name))
			return &config->policies[i];
	return NULL;
}

/* A document that says nothing has no text for libcyaml to fill anything with. */
static int fill(struct document *document, const struct schema *schema, struct raw_config *empty,
		struct config *config)
{
	struct raw_config *raw = NULL;
	cyaml_err_t error = CYAML_OK;
	int ret;

	if (document_is_empty(document))
		return config_convert(document, schema, empty, config);
	error = cyaml_load_data((const uint8_t *)document->text, document->size, &how_to_load,
				&schema->value, (cyaml_data_t **)&raw, NULL);
	if (error)
		return document_fail(document, NULL, "%s", cyaml_strerror(error));
	ret = config_convert(document, schema, raw, config);
	cyaml_free(&how_to_load, &schema->value, raw, 0);
	return ret;
}

static int read_document(struct document *document, struct config *config)
{
	struct schema schema;
	int ret = schema_make(&document->yaml, document_find(document, AT(NULL, "policies")),
			      &schema);

	if (ret)
		return ret;
	ret = document_check(document, &schema.value);
	if (!ret)
		ret = fill(document, &schema, &(struct raw_config){}, config);
	if (!ret)
		ret = config_check_rules(document, config);
	schema_release(&schema);
	return ret;
}

static int parse(struct document *document, struct config **ret_config)
{
	struct config *config = calloc(1, sizeof(*config));
	int ret;

	if (!config)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	config->refs = 1;
	ret = document_open(document);
	if (!ret) {
		ret = read_document(document, config);
		document_close(document);
	}
	if (ret) {
		config_unref(config);
		return ret;
	}
	*ret_config = config;
	return VACCEL_OK;
}

int config_parse(const char *name, const char *text, size_t size, struct config **ret_config)
{
	return parse(&(struct document){.name = name, .text = text, .size = size}, ret_config);
}

int config_load(const char *file, struct config **ret_config)
{
	_cleanup_(freep) char *text = NULL;
	int ret = text_file_read("configuration", file, false, &text);

	if (ret)
		return ret;
	return parse(
		&(struct document){
			.name = file, .has_lines = true, .text = text, .size = strlen(text)},
		ret_config);
}
