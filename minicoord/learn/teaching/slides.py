"""A lesson cut into slides, by rule: what is asked before a figure, the figure, and what to see in it.

Every heading, figure, exercise and question of the notebook finds its slide. Of long paragraphs a slide has the first
sentences; the whole text is in the notes of that slide. So the slides follow the lesson, whatever becomes of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from minicoord.learn.teaching.markdown import blocks_of, lead, sentences_of
from minicoord.learn.teaching.notebooks import Cell, Figure, Lesson, plain_words
from minicoord.learn.teaching.questions import details_of

TITLE, TEXT, QUESTION, FIGURE, EXERCISE, END = "title", "text", "question", "figure", "exercise", "end"

ASKS = re.compile(r"\*\*Predict\*\*|(?<!\w)Predict(?:\b:|\s+before|\s+the)|Write down (?:a|what you)\b|Decide before")
SEES = re.compile(r"^(?:What to see|How to read it)\b[^:]*:\s*")
NOT_SHOWN = re.compile(r"^(?:\*\*Next\b|Stuck\?)")
ENDS = ("what you now know", "question", "to think about", "where the paper says it")
WHOSE = re.compile(r"^\w+: (?:yours|ours)\b.*$\n?", re.MULTILINE)  # what `yours_or_ours` prints
LONGEST_TEXT = 560  # characters of a slide without a figure; more becomes another slide
LONGEST_BELOW = 330  # characters below a figure
LEAD_IN = 80  # so few characters stay with what they lead to, also where that is long
SHORT = 150  # a remark of so many characters finds room on the slide before it
MOST_ROWS, MOST_LINES = 12, 9
MOST_FIGURES = 2


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes
    ----------
    kind : str
    heading : str
        Markdown.
    body : str
        Markdown.
    figures : tuple of Figure
    tables : tuple of str
        HTML tables.
    printed : str
        What a cell printed.
    code : str
        Of an exercise: the signature and the docstring.
    after : str
        Markdown, below all of these.
    notes : str
        Markdown: what the lesson says here.
    """

    kind: str
    heading: str
    body: str = ""
    figures: tuple[Figure, ...] = ()
    tables: tuple[str, ...] = ()
    printed: str = ""
    code: str = ""
    after: str = ""
    notes: str = ""


def slides_of(lesson: Lesson) -> list[Slide]:
    """Return the slides of a lesson."""
    first, *cells = lesson.cells
    return [*_opening(lesson, first.source), *_Cutter().slides(cells)]


def _opening(lesson: Lesson, text: str) -> Iterator[Slide]:
    """Yield the title, and what a learner can do afterwards."""
    blocks = [block for block in blocks_of(text) if not block.startswith("# ")]
    aims = next((block for block in blocks if block.lower().startswith("**after this lesson")), "")
    facts = [block for block in blocks if re.match(r"\*\*(Minutes|Builds on)", block)]
    words = [block for block in blocks if block != aims and block not in facts]
    yield Slide(
        TITLE, lesson.title, "\n\n".join([lead(words[0], 320) if words else "", *facts]), notes="\n\n".join(words)
    )
    if aims:
        heading, _, rest = aims.partition("\n")
        yield Slide(TEXT, heading.strip("* "), rest)


@dataclass
class _Cutter:
    """Goes through the cells after the first, and keeps what has been read but not shown yet."""

    heading: str = ""
    topic: str = ""
    pending: list[str] = field(default_factory=list)
    made: list[Slide] = field(default_factory=list)

    def slides(self, cells: Sequence[Cell]) -> list[Slide]:
        for cell in cells:
            if cell.is_code:
                self._code(cell)
            else:
                for block in blocks_of(cell.source):
                    self._block(block)
        self._flush()
        return self.made

    def _block(self, block: str) -> None:
        if block.startswith("#"):
            self._flush()
            self.heading = block.lstrip("# ").strip()
            if not self.heading.startswith("Your turn"):
                self.topic = self.heading
        elif SEES.match(block) and self.made and self.made[-1].kind in (FIGURE, TEXT) and not self.pending:
            self._say(self.made.pop(), block)
        elif ASKS.search(block) and not self._at_the_end():
            self._ask(block)
        elif not NOT_SHOWN.match(block):
            self.pending.append(block)

    def _say(self, slide: Slide, block: str) -> None:
        """Put what is to be seen below the figure that has been shown."""
        seen = SEES.sub("", block)
        body = lead(seen[:1].upper() + seen[1:], 260)
        notes = f"{slide.notes}\n\n{block}"
        # A figure speaks for itself; a table or a number needs the words above it.
        changed = {"body": body} if slide.figures else {"after": body}
        self.made.append(replace(slide, **changed, notes=notes))

    def _ask(self, block: str) -> None:
        """Make a slide of a question, with the first sentences of what stands before it."""
        sentences = sentences_of(block)
        first = next((k for k, sentence in enumerate(sentences) if ASKS.search(sentence)), 0)
        asked = ASKS.search(sentences[first])
        # "Write down a number" comes after the question, "Predict" before it.
        if first and asked and not asked.group().startswith(("*", "Predict")):
            first -= 1
        before = [block for block in self.pending if not _is_folded(block)][-1:]
        words = [lead(text) if _is_paragraph(text) else text for text in before]
        if first:
            words.append(lead(" ".join(sentences[:first])))
        question = " ".join(sentences[first:])
        notes = "\n\n".join([*self.pending, block])
        self.made.append(Slide(QUESTION, self.heading, "\n\n".join([*words, f"> {question}"]), notes=notes))
        self.pending = []

    def _code(self, cell: Cell) -> None:
        if cell.exercise:
            self._exercise(cell, cell.exercise)
            return
        tables = tuple(table for table in cell.tables if table.count("<tr") <= MOST_ROWS + 1)
        printed = WHOSE.sub("", cell.text)
        printed = printed if 0 < len(printed.splitlines()) <= MOST_LINES else ""
        if not cell.figures and not tables and not (printed and self.pending):
            return
        words, notes = self._words(260), "\n\n".join(self.pending)
        self.pending = []
        groups = [cell.figures[k : k + MOST_FIGURES] for k in range(0, len(cell.figures), MOST_FIGURES)]
        for figures in groups:
            self.made.append(Slide(FIGURE, self.heading, words, figures, notes=notes))
        if tables or (printed and not groups):
            kind = FIGURE if groups else TEXT
            self.made.append(Slide(kind, self.heading, "" if groups else words, (), tables, printed, notes=notes))
        elif printed:
            self.made[-1] = replace(self.made[-1], printed=printed)

    def _exercise(self, cell: Cell, id: str) -> None:
        facts = next(
            (sentence for text in self.pending for sentence in sentences_of(text) if "minutes" in sentence), ""
        )
        self.made.append(Slide(EXERCISE, f"Your turn: `{id}`", facts, code=stub_of(cell.source), notes=self._notes()))
        self.pending, self.heading = [], self.topic

    def _flush(self) -> None:
        """Make slides of the text that belongs to no figure, and of the end of a lesson."""
        if self.pending and any(map(str.strip, self.pending)):
            if "think about" in self.heading.lower():
                self._questions()
            elif self._at_the_end():
                self.made.append(Slide(END, self.heading, "\n\n".join(self.pending)))
            else:
                self._text()
        self.pending = []

    def _questions(self) -> None:
        found = [details_of(block) for block in self.pending if _is_folded(block)]
        asked = "\n".join(f"{k}. {plain_words(question)}" for k, (question, _) in enumerate(found, start=1))
        answers = "\n\n".join(f"**{plain_words(question)}** {answer}" for question, answer in found)
        self.made.append(Slide(QUESTION, self.heading, asked, notes=answers))

    def _text(self) -> None:
        notes, shown = self._notes(), ""
        for block in (block for block in self.pending if not _is_folded(block)):
            words = lead(block) if _is_paragraph(block) else block
            if len(shown) > LEAD_IN and len(shown) + len(words) > LONGEST_TEXT:
                self.made.append(Slide(TEXT, self.heading, shown, notes=notes))
                notes = shown = ""
            shown = f"{shown}\n\n{words}".strip()
        if shown and not self._remarked(shown, notes):
            self.made.append(Slide(TEXT, self.heading, shown, notes=notes))

    def _remarked(self, words: str, notes: str) -> bool:
        """Put a short remark on the slide before it, if that one has room for it; return whether it was done."""
        before = self.made[-1] if self.made else None
        if before is None or before.kind not in (FIGURE, TEXT) or before.heading != self.heading:
            return False
        most = LONGEST_BELOW if before.kind == FIGURE else LONGEST_TEXT
        if len(words) > SHORT or len(before.body) + len(before.after) + len(words) > most:
            return False
        after, notes = f"{before.after}\n\n{words}".strip(), f"{before.notes}\n\n{notes}"
        self.made[-1] = replace(before, after=after, notes=notes)
        return True

    def _words(self, characters: int) -> str:
        """Return the first sentences of the last paragraph that has been read."""
        paragraphs = [block for block in self.pending if _is_paragraph(block)]
        return lead(paragraphs[-1], characters) if paragraphs else ""

    def _notes(self) -> str:
        return "\n\n".join(self.pending)

    def _at_the_end(self) -> bool:
        return any(words in self.heading.lower() for words in ENDS)


def _is_folded(block: str) -> bool:
    return block.lstrip().startswith("<details")


def _is_paragraph(block: str) -> bool:
    return not re.match(r"\s*(?:[-*+]\s|\d+\.\s|\||<|>|    |```)", block)


def stub_of(source: str) -> str:
    """Return the signature and the docstring of the function in a cell, as they were handed out or solved."""
    try:
        function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    except (SyntaxError, StopIteration):
        return source
    lines = source.split("\n")
    documented = ast.get_docstring(function) is not None
    last = function.body[0].end_lineno if documented else function.body[0].lineno - 1
    return "\n".join(lines[function.lineno - 1 : last])
