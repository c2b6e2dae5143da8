// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of agent.yaml, as libcyaml wants them described. It knows no mapping with
 * free keys; so the names of policies are taken from the document first, and each
 * is a key of a schema made for that document.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/config/schema.h"
#include "base/util.h"

/* clang-format off */
#define TEXT(structure, member, key) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_OPTIONAL, structure, member, 0, CYAML_UNLIMITED)
#define LIST(structure, member, key)                                                   \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,       \
				   structure, member.at, member.count, &text, 0, CYAML_UNLIMITED)
#define SECTION(member, fields) \
	CYAML_FIELD_MAPPING(#member, CYAML_FLAG_OPTIONAL, struct raw_config, member, fields)

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

const cyaml_schema_field_t listener_fields[] = {
#define FIELD(key) TEXT(struct raw_listener, key, #key)
	FIELD(address), FIELD(tenant), FIELD(policy), FIELD(mode), FIELD(cert), FIELD(key),
	FIELD(client_ca), FIELD(token_file), FIELD(insecure),
#undef FIELD
	CYAML_FIELD_END
};

static const cyaml_schema_value_t listener = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_listener, listener_fields),
};

const cyaml_schema_field_t policy_fields[] = {
#define FIELD(key, ...) LIST(struct raw_policy, key, #key),
	POLICY_LISTS(FIELD)
#undef FIELD
#define FIELD(key, ...) TEXT(struct raw_policy, key, #key),
	POLICY_NUMBERS(FIELD)
#undef FIELD
	CYAML_FIELD_END
};

static const cyaml_schema_field_t no_policies[] = {CYAML_FIELD_END};

static const cyaml_schema_field_t models_fields[] = {
	TEXT(struct raw_models, path, "path"),
	TEXT(struct raw_models, memory, "memory"),
	LIST(struct raw_models, preload, "preload"),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t admin_fields[] = {
	TEXT(struct raw_admin, socket, "socket"),
	TEXT(struct raw_admin, mode, "mode"),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT(struct raw_metrics, address, "address"),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t log_fields[] = {
	TEXT(struct raw_log, level, "level"),
	TEXT(struct raw_log, format, "format"),
	CYAML_FIELD_END
};

const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_SEQUENCE_COUNT("listeners", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct raw_config, listeners, nr_listeners, &listener, 0,
				   CYAML_UNLIMITED),
	CYAML_FIELD_MAPPING_PTR("policies", CYAML_FLAG_OPTIONAL, struct raw_config, policies,
				no_policies),
	SECTION(models, models_fields),
	SECTION(admin, admin_fields),
	SECTION(metrics, metrics_fields),
	SECTION(log, log_fields),
	TEXT(struct raw_config, drain, "drain"),
	CYAML_FIELD_END
};
/* clang-format on */

#define POLICIES 1 /* its place in config_fields */

static bool is_text(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE;
}

static unsigned int name_policies(yaml_document_t *document, const yaml_node_t *policies,
				  cyaml_schema_field_t *fields)
{
	const yaml_node_pair_t *pair = policies->data.mapping.pairs.start;
	unsigned int count = 0;

	for (; pair < policies->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(document, pair->key);

		/* What is no name is told of when keys are checked. */
		if (!is_text(name))
			continue;
		fields[count] = (cyaml_schema_field_t){
			.key = (const char *)name->data.scalar.value,
			.data_offset = count * (uint32_t)sizeof(struct raw_policy),
			.value = {CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct raw_policy,
						      policy_fields)},
		};
		count++;
	}
	return count;
}

int schema_make(yaml_document_t *document, const yaml_node_t *policies, struct schema *ret_schema)
{
	bool some = policies && policies->type == YAML_MAPPING_NODE;
	size_t count = some ? (size_t)(policies->data.mapping.pairs.top -
				       policies->data.mapping.pairs.start)
			    : 0;
	struct schema schema = {
		.top = malloc(sizeof(config_fields)),
		.policies = calloc(count + 1, sizeof(*schema.policies)),
	};

	if (!schema.top || !schema.policies) {
		schema_release(&schema);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	}
	if (some)
		schema.nr_policies = name_policies(document, policies, schema.policies);
	memcpy(schema.top, config_fields, sizeof(config_fields));
	schema.top[POLICIES].value.mapping.fields = schema.policies;
	/* Of none there is room for one, as no memory is none at all to libcyaml. */
	schema.top[POLICIES].value.data_size =
		MAX_OF(schema.nr_policies, 1U) * (uint32_t)sizeof(struct raw_policy);
	schema.value = (cyaml_schema_value_t){
		CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, schema.top)};
	*ret_schema = schema;
	return VACCEL_OK;
}

void schema_release(struct schema *schema)
{
	free(TAKE(schema->top));
	free(TAKE(schema->policies));
}
