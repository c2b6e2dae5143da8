/* SPDX-License-Identifier: Apache-2.0 */
/* A document of YAML while it is checked: where its keys are, for words. */
#ifndef VACCEL_AGENT_CONFIG_DOCUMENT_H
#define VACCEL_AGENT_CONFIG_DOCUMENT_H

#include <stdbool.h>

#include "agent/config/schema.h"

struct document {
	const char *name; /* of the file, or where the text is from */
	bool has_lines;	  /* the name is that of a file */
	const char *text;
	size_t size;
	yaml_document_t yaml;
};

/* Where in it: by a key of a mapping, or by the index in a sequence, of what is there. */
struct place {
	const struct place *in; /* NULL: of the whole */
	const char *key;	/* NULL: @index counts */
	unsigned int index;
};

#define AT(in, key)	    (&(const struct place){(in), (key), 0})
#define AT_INDEX(in, index) (&(const struct place){(in), NULL, (index)})

/* @document has name and text. EINVAL for what is no YAML. */
int document_open(struct document *document);
void document_close(struct document *document);

/* A remark is nothing, too. */
bool document_is_empty(struct document *document);

yaml_node_t *document_find(struct document *document, const struct place *place);

/* "agent.yaml:3: listeners[0].cert", to be freed. NULL: no memory. */
char *document_where(struct document *document, const struct place *place);

/* EINVAL with file and line and the place before the words. */
int document_fail(struct document *document, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * EINVAL at the first key that @schema does not know, with the nearest that it does;
 * for a key that is there twice; and for what is a list, a mapping or text where it
 * should be another of these.
 */
int document_check(struct document *document, const cyaml_schema_value_t *schema);

#endif
