# SPDX-License-Identifier: Apache-2.0
"""Comments of the headers, taken apart: sentence, parameters, paragraphs, what is returned."""

import dataclasses
import re

COMMENT = re.compile(r"/\*(\*?)(.*?)\*/", re.DOTALL)
NAMED = re.compile(r"(?P<name>\w+)\(\) - (?P<sentence>.*)", re.DOTALL)
PARAMETER = re.compile(r"(?P<names>@\w+(?:, @\w+)*): (?P<text>.*)", re.DOTALL)
MEMBER = re.compile(r"(?P<pattern>\w+)\([^)]*\) - (?P<text>.*)", re.DOTALL)


@dataclasses.dataclass
class Block:
    """Part of a description: "text", "code", or "list" and "terms" with items in place of text."""

    kind: str
    text: str = ""
    items: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Comment:
    """A comment, and what comes right after it up to an empty line."""

    name: str  # of the function or macro it is about, else ""
    sentence: str
    parameters: list  # of (names, text)
    blocks: list
    returns: str
    formal: bool  # it begins with two stars
    following: str
    line: int


def strip_stars(text):
    return [re.sub(r"^[ \t]*\*? ?", "", line, count=1).rstrip() for line in text.split("\n")]


def paragraphs_of(lines):
    """Groups of lines with empty lines between; a parameter or a member begins one of its own."""
    group = []
    for line in lines + [""]:
        starts = line.lstrip().startswith("@") or MEMBER.match(line)
        if group and (not line or starts):
            yield group
            group = []
        if line:
            group.append(line)


def joined(lines):
    return " ".join(line.strip() for line in lines)


def blocks_of(group):
    """The blocks of one group of lines: code, or text with lists in it."""
    if group[0].startswith("\t"):
        return [Block("code", "\n".join(line.replace("\t", "    ") for line in group))]
    blocks = []
    for line in group:
        kind = "list" if line.startswith("- ") or (line[0].isspace() and blocks) else "text"
        if not blocks or blocks[-1].kind != kind:
            blocks.append(Block(kind))
        if kind == "text":
            blocks[-1].text = joined([blocks[-1].text, line]).strip()
        elif line.startswith("- "):
            blocks[-1].items.append(line[2:])
        else:
            blocks[-1].items[-1] += " " + line.strip()
    return blocks


def member_block(group):
    pattern, text = MEMBER.match(joined(group)).group("pattern", "text")
    return Block("terms", items=[(pattern, text)])


def parse(match, source):
    formal, text = match.groups()
    following = re.split(r"\n[ \t]*\n", source[match.end():], maxsplit=1)[0]
    comment = Comment("", "", [], [], "", bool(formal), following, source.count("\n", 0, match.start()) + 1)
    for group in paragraphs_of(strip_stars(text.strip("\n"))):
        whole = joined(group)
        named, parameter = NAMED.fullmatch(whole), PARAMETER.fullmatch(whole)
        if named and not comment.name and not comment.blocks:
            comment.name, comment.sentence = named.group("name", "sentence")
        elif parameter:
            comment.parameters.append(parameter.group("names", "text"))
        elif whole.startswith("Return: "):
            comment.returns = whole.removeprefix("Return: ")
        elif MEMBER.match(whole) and comment.name.isupper():
            comment.blocks.append(member_block(group))
        else:
            comment.blocks += blocks_of(group)
    return comment


def comments_in(source):
    """The comments of a header that begin a line, in their order."""
    return [parse(m, source) for m in COMMENT.finditer(source)
            if not source[:m.start()].rpartition("\n")[2].strip()]
