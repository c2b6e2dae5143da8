# SPDX-License-Identifier: Apache-2.0
"""Manual pages, section 3: one for each page of the model, and a link for each further name."""

import re

DATE = "2026-11-21"  # of the pages in docs/man, too
ROMAN = str.maketrans({"\\": "\\e", "—": "\\(em", "·": "\\(mu", "×": "\\(mu", "²": "\\(S2", "…": "..."})
INLINE = re.compile(r"@(\w+)|\b(vaccel_\w+)\(\)|\b((?:struct |enum )vaccel_\w+|VACCEL_\w+)\b|`([^`]*)`")


def literal(text):
    """Text that roff must leave as it is."""
    text = text.translate(ROMAN).replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def inline(text):
    """Text with its @parameters, functions() and CONSTANTS set apart."""
    parts, at = [], 0
    for match in INLINE.finditer(text):
        parts.append(text[at:match.start()].translate(ROMAN))
        parameter, function, name, code = match.groups()
        if parameter:
            parts.append(f"\\fI{parameter}\\fP")
        elif function:
            parts.append(f"\\fB{function}\\fP(3)")
        else:
            parts.append(f"\\fB{literal(name or code)}\\fP")
        at = match.end()
    line = "".join(parts) + text[at:].translate(ROMAN)
    return "\\&" + line if line[:1] in ".'" else line


def wrapped(prototype):
    """A prototype in lines of at most 78 columns, broken between parameters."""
    head, parenthesis, rest = prototype.partition("(")
    lines, line = [], head + parenthesis
    for i, part in enumerate(rest.split(", ")):
        piece = (", " if i else "") + part
        if len(line + piece) > 76 and i:
            lines.append(line + ",")
            line = 8 * " " + part
        else:
            line += piece
    return "\n".join(lines + [line])


def blocks(items):
    for block in items:
        if block.kind == "text":
            yield f".PP\n{inline(block.text)}"
        elif block.kind == "code":
            yield f".PP\n.RS 4\n.nf\n{literal(block.text)}\n.fi\n.RE"
        elif block.kind == "list":
            yield from (f".IP \\(bu 2\n{inline(item)}" for item in block.items)
        else:
            yield from (f".TP\n.B {literal(term)}()\n{inline(text)}" for term, text in block.items)


def see_also(page):
    words = str(page.blocks) + str(page.parameters) + page.returns + str(page.others)
    names = sorted(set(re.findall(r"\b(vaccel_\w+)\(\)", words)) - set(page.functions))
    return ", ".join([f"\\fB{name}\\fP(3)" for name in names] + ["\\fBvaccel\\fP(7)"])


def page_text(page, functions, intro, version):
    prototypes = [wrapped(functions[name].prototype) for name in page.functions if name in functions]
    macros = [f"{name}(...)" for name in page.functions if name not in functions]
    lines = [
        f'.TH {page.name.upper()} 3 {DATE} "vaccel {version}" "vaccel"',
        ".nh\n.ad l",
        ".SH NAME",
        f"{', '.join(page.functions)} \\- {inline(page.sentence)}",
        ".SH SYNOPSIS\n.nf",
        f"#include <{page.header}>\n",
        literal("\n".join(prototypes + macros)),
        ".fi",
    ]
    if page.others or page.blocks:
        lines.append(".SH DESCRIPTION")
        lines += blocks(page.blocks)
        lines += [f".TP\n.B {name}()\n{inline(sentence)}" for name, sentence in page.others if name in page.functions]
    if page.parameters:
        lines.append(".SH PARAMETERS")
        lines += [f".TP\n{inline(names)}\n{inline(text)}" for names, text in page.parameters]
    if page.returns:
        lines += [".SH RETURN VALUE", inline(page.returns)]
    if intro or page.notes:
        lines += [".SH NOTES", *blocks([*page.notes, *intro])]
    text = "\n".join([*lines, ".SH SEE ALSO", see_also(page), ""])
    # A section begins with a paragraph as it is.
    return re.sub(r"^(\.SH .*)\n\.PP$", r"\1", text, flags=re.MULTILINE)


def write(directory, headers, functions, version):
    directory.mkdir()
    for header in headers:
        for page in header.pages:
            text = page_text(page, functions, header.intro, version)
            (directory / f"{page.name}.3").write_text(text)
            for name in page.functions:
                if name != page.name:
                    (directory / f"{name}.3").write_text(f".so man3/{page.name}.3\n")
