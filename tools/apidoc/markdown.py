# SPDX-License-Identifier: Apache-2.0
"""The same pages in Markdown, a file for each header, with its types, and a list of the operations."""

import re

INLINE = re.compile(r"`[^`]*`|@(\w+)|\b(vaccel_\w+)\(\)|\b(?:struct |enum )?(?:vaccel_\w+|VACCEL_\w+)|<vaccel[^>]*>")
TYPE = re.compile(
    r"^(?:/\*\*(?:(?!\*/).)*?\*/\n)?(?:typedef [^;{]+;|(?:typedef )?(?:struct|enum)\b[^;{()]*\{.*?^\}[^;]*;)",
    re.MULTILINE | re.DOTALL,
)
LIST = re.compile(r"^#define (VACCEL_\w+)_LIST\(X\)((?:.*\\\n)+.*)", re.MULTILINE)
ROW = re.compile(r"X\((\w+), (\w+)\)")
ITEM = re.compile(r"^#define VACCEL_FIELDS_(\w+)\(FIELD, item\)((?:.*\\\n)+.*)", re.MULTILINE)
FIELD = re.compile(r'FIELD\(item, \w+, (\w+), (\w+),\s*\\?\s*"([^"]*)"\)')
BODIES = re.compile(r"^#ifdef VACCEL_OP_BODIES$.*?^#endif", re.MULTILINE | re.DOTALL)
C_TYPES = {"char": "char *", "f32": "float ", "f64": "double "}


def file_name(header):
    return header.replace("/", "_").removesuffix(".h") + ".md"


class Writer:
    def __init__(self, headers, functions):
        self.functions = functions
        self.home = {name: (file_name(header.name), page.name)
                     for header in headers for page in header.pages for name in page.functions}

    def inline(self, text):
        def mark(match):
            parameter, function = match.groups()
            if parameter:
                return f"*{parameter}*"
            if function and function in self.home:
                file, page = self.home[function]
                return f"[`{function}()`]({file}#{page})"
            return match[0] if match[0].startswith("`") else f"`{match[0]}`"

        parts, at = [], 0
        for match in INLINE.finditer(text):
            parts += [self.plain(text[at:match.start()]), mark(match)]
            at = match.end()
        return "".join(parts) + self.plain(text[at:])

    @staticmethod
    def plain(text):
        return text.replace("*", r"\*").replace("<", "&lt;").replace("|", r"\|")

    def blocks(self, blocks):
        for block in blocks:
            if block.kind == "text":
                yield f"{self.inline(block.text)}\n"
            elif block.kind == "code":
                yield f"```c\n{block.text}\n```\n"
            elif block.kind == "list":
                yield "\n".join(f"- {self.inline(item)}" for item in block.items) + "\n"
            else:
                yield "\n".join(f"- `{term}()`: {self.inline(text)}" for term, text in block.items) + "\n"

    def page(self, page):
        prototypes = [self.functions[name].prototype for name in page.functions if name in self.functions]
        macros = [f"{name}(...)" for name in page.functions if name not in self.functions]
        yield f'<a name="{page.name}"></a>\n### {", ".join(f"{name}()" for name in page.functions)}\n'
        yield f"{self.inline(page.sentence[:1].upper() + page.sentence[1:])}.\n"
        yield "```c\n" + "\n".join(prototypes + macros) + "\n```\n"
        if page.others:
            yield "\n".join(f"- `{name}()`: {self.inline(text)}" for name, text in page.others) + "\n"
        if page.parameters:
            yield "| parameter | |\n|---|---|"
            yield "\n".join(
                f"| {self.inline(names)} | {self.inline(text)} |" for names, text in page.parameters
            ) + "\n"
        yield from self.blocks(page.blocks)
        if page.returns:
            yield f"**Returns** {self.inline(page.returns)}\n"
        yield from self.blocks(page.notes if page.notes and len(page.notes) < 2 else [])

    def types(self, source):
        source = BODIES.sub("", source)
        for name, rows in LIST.findall(source):
            yield f"`{name.lower()}_t`\n\n| constant | value |\n|---|---|"
            yield "\n".join(f"| `{constant}` | {value} |" for constant, value in ROW.findall(rows)) + "\n"
        for item, fields in ITEM.findall(source):
            lines = [f"struct vaccel_{item} {{"]
            for c_type, name, sentence in FIELD.findall(fields):
                lines.append(f"    {C_TYPES.get(c_type, c_type.replace('u', 'uint').replace('i32', 'int32') + '_t ')}"
                             f"{name}; /* {sentence} */")
            yield "```c\n" + "\n".join([*lines, "};"]) + "\n```\n"
        for match in TYPE.finditer(source):
            yield f"```c\n{match[0]}\n```\n"

    def header(self, header):
        types = list(self.types(header.source))
        yield f"# <{header.name}>\n"
        yield from self.blocks(header.intro)
        if types:
            yield "## Types and constants\n"
            yield from types
        if header.pages:
            yield "## Functions\n"
            for page in header.pages:
                yield from self.page(page)


def first_sentence(header):
    text = header.intro[0].text if header.intro and header.intro[0].kind == "text" else ""
    return text.partition(". ")[0].rstrip(".:")


def operations(rows):
    yield "# Operations\n"
    yield "Each is described once, in its header under ops/; what is below follows from that.\n"
    yield "| number | name | function | |\n|---|---|---|---|"
    yield "\n".join(f"| {op.number} | {op.name} | `{op.symbol}()` | {op.sentence} |" for op in rows) + "\n"
    for op in rows:
        yield f"## {op.number} {op.name}\n\n{op.sentence[:1].upper() + op.sentence[1:]}. Repeat class: {op.repeat}.\n"
        if op.arguments:
            yield "| argument | direction | kind | type | marks | |\n|---|---|---|---|---|---|"
            yield "\n".join("| " + " | ".join(argument) + " |" for argument in op.arguments) + "\n"


def write(directory, headers, functions, rows, version):
    directory.mkdir()
    writer = Writer(headers, functions)
    index = [f"# The C API of vaccel {version}\n", "`#include <vaccel.h>` brings all of it.\n",
             "| header | |\n|---|---|"]
    for header in headers:
        if not header.pages and not list(writer.types(header.source)):
            continue
        (directory / file_name(header.name)).write_text("\n".join(writer.header(header)))
        index.append(f"| [`<{header.name}>`]({file_name(header.name)}) | {writer.plain(first_sentence(header))} |")
    index.append("\n[Operations](operations.md) lists what can be run, argument by argument.\n")
    (directory / "README.md").write_text("\n".join(index))
    (directory / "operations.md").write_text("\n".join(operations(rows)))
