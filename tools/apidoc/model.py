# SPDX-License-Identifier: Apache-2.0
"""What the headers declare, and the pages that document it.

The compiler's preprocessor says which functions there are, those made by
macros included; the comments say what each is. A page is about one function,
or about a family: functions declared together, those whose one-line comment
points to another ("the same", "as vaccel_x()"), or those made by one macro.
"""

import dataclasses
import pathlib
import re
import subprocess

import comments

LINE_MARKER = re.compile(r'^# \d+ "([^"]+)"')
FUNCTION = re.compile(r"([\w \*]+?[ \*])(vaccel_\w+)\s*(\(.*\))\s*$", re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*\)\)")
REPLACED_BY = re.compile(r'deprecated\("use (vaccel_\w+)\(\)"\)')
JOINS = re.compile(r"(?:^|\bas |older name of )(vaccel_\w+)\(\)")
PLACEHOLDER = re.compile(r"(?<![A-Za-z])[A-Z]+(?![A-Za-z])")


@dataclasses.dataclass
class Function:
    name: str
    prototype: str
    header: str
    replaced_by: str = ""


@dataclasses.dataclass
class Page:
    name: str
    header: str
    sentence: str
    functions: list
    parameters: list
    blocks: list
    returns: str
    others: list = dataclasses.field(default_factory=list)  # (name, sentence) of those that joined
    notes: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Header:
    name: str
    source: str
    intro: list
    pages: list = dataclasses.field(default_factory=list)


def headers_in(directories):
    """The public headers by the name by which they are included."""
    found = {}
    for directory in map(pathlib.Path, directories):
        for pattern in ("vaccel.h", "vaccel/*.h", "vaccel/*/*.h"):
            for path in sorted(directory.glob(pattern)):
                found[str(path.relative_to(directory))] = path
    return found


def split_declarations(text):
    """Declarations at the top level; bodies of functions and structs are left out."""
    depth, start = 0, 0
    for i, char in enumerate(text):
        if char == "{" and not re.search(r'extern\s*"C"\s*$', text[start:i]):
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        if not depth and char in ";}{":
            yield text[start:i]
            start = i + 1


def tidy(prototype):
    prototype = re.sub(r"\s+", " ", ATTRIBUTE.sub("", prototype)).strip()
    return re.sub(r"\* ", "*", prototype.replace("static inline ", "").replace("extern ", "").replace("_Bool", "bool"))


def declared_functions(compiler, directories):
    """Every function that <vaccel.h> declares, in order."""
    done = subprocess.run(
        [*compiler, "-std=c11", "-E", *(f"-I{d}" for d in directories), "-xc", "-"],
        input="#include <vaccel.h>\n", capture_output=True, text=True, check=True,
    )
    texts, here = {}, None
    for line in done.stdout.splitlines():
        marker = LINE_MARKER.match(line)
        if marker:
            here = re.search(r"(?:^|/)(vaccel(?:/\w+){0,2}\.h)$", marker[1])
        elif here:
            texts[here[1]] = texts.get(here[1], "") + line + "\n"
    functions = {}
    for header, text in texts.items():
        for declaration in split_declarations(text):
            body = declaration.partition("{")[0]
            replaced_by = REPLACED_BY.search(body)
            match = FUNCTION.search(ATTRIBUTE.sub("", body).strip())
            if match and "typedef" not in body:
                prototype = tidy("".join(match.groups())) + ";"
                functions[match[2]] = Function(match[2], prototype, header, replaced_by[1] if replaced_by else "")
    return functions


def is_section(comment):
    return not comment.formal and not comment.name and not comment.following.strip()


def is_template(comment):
    return comment.name.isupper() and any(block.kind == "terms" for block in comment.blocks)


def direct_pages(header, found, functions):
    """Pages of functions with comments of their own, those of one line that point elsewhere, and templates."""
    pages, pointers, templates, section = [], [], [], []
    for comment in found:
        if is_section(comment):
            section = comment.blocks
        if is_template(comment):
            templates.append((header.name, comment, section))
        if not comment.formal or not comment.name:
            continue
        names = [name for name in re.findall(r"\b(vaccel_\w+)\s*\(", comment.following.partition("{")[0]) if name in functions]
        macros = re.findall(r"^#define (vaccel_\w+)\(", comment.following, re.MULTILINE)
        names = list(dict.fromkeys([comment.name, *names, *macros]))
        page = Page(comment.name, header.name, comment.sentence, names, comment.parameters,
                    comment.blocks, comment.returns, notes=section)
        short = not comment.parameters and not comment.returns and not comment.blocks
        target = JOINS.search(comment.sentence)
        if short and comment.sentence.startswith("the same") and pages:
            pointers.append((page, pages[-1].name))
        elif short and target:
            pointers.append((page, target[1]))
        else:
            pages.append(page)
    return pages, pointers, templates


def template_pages(templates, functions, documented):
    """Pages of functions made by macros: one for each value that all of a template's names fit."""
    pages, used = [], set(documented)
    for header, comment, section in sorted(templates, key=lambda t: -len(t[1].blocks)):
        patterns = [item[0] for block in comment.blocks if block.kind == "terms" for item in block.items]
        placeholder = PLACEHOLDER.search(patterns[0].replace("_", " "))[0]
        shapes = [re.sub(f"(?<![A-Za-z]){placeholder}(?![A-Za-z])", "{}", pattern) for pattern in patterns]
        first = re.compile(re.escape(shapes[0]).replace(r"\{\}", r"(\w+)") + "$")
        for function in functions.values():
            match = first.match(function.name)
            names = [shape.format(match[1]) for shape in shapes] if match else []
            if not names or not all(name in functions and name not in used for name in names):
                continue
            used |= set(names)
            blocks = [fill_in(block, placeholder, match[1]) for block in comment.blocks]
            sentence = comment.sentence.removeprefix("declare ")
            notes = section if header == function.header else []
            pages.append(Page(names[0], function.header, sentence, names,
                              comment.parameters, blocks, comment.returns, notes=notes))
    return pages


def fill_in(block, placeholder, value):
    def fill(text):
        return re.sub(f"(?<![A-Za-z]){placeholder}(?![A-Za-z])", value, text)

    items = [(fill(term), text) for term, text in block.items] if block.kind == "terms" else block.items
    return dataclasses.replace(block, items=items)


def intro_of(found):
    """What a header says of itself: its first comment after the licence."""
    first = [comment for comment in found[:2] if not comment.formal and "SPDX" not in str(comment.blocks)]
    return first[0].blocks if first else []


def read(compiler, directories):
    """All headers with their pages, all functions, and the names that nothing documents."""
    functions = declared_functions(compiler, directories)
    headers, pointers, templates = {}, [], []
    for name, path in headers_in(directories).items():
        source = path.read_text()
        found = comments.comments_in(source)
        header = headers[name] = Header(name, source, intro_of(found))
        header.pages, points, shapes = direct_pages(header, found, functions)
        pointers += points
        templates += shapes
    pages = {page.name: page for header in headers.values() for page in header.pages}
    join(pages, pointers, functions)
    documented = {name for page in pages.values() for name in page.functions}
    for page in template_pages(templates, functions, documented):
        headers[page.header].pages.append(page)
        documented |= set(page.functions)
    return list(headers.values()), functions, sorted(set(functions) - documented)


def join(pages, pointers, functions):
    """Adds one-liners to the pages that they point to, and old names to those of the new ones."""
    home = {name: page for page in pages.values() for name in page.functions}
    for page, target in pointers:
        place = home[target]
        place.functions += page.functions
        place.others.append((page.name, page.sentence))
        home |= {name: place for name in page.functions}
    for function in functions.values():
        if function.replaced_by and function.name not in home:
            home[function.replaced_by].functions.append(function.name)
            home[function.replaced_by].others.append((function.name, "an older name"))
