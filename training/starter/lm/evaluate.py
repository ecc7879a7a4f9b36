"""Ask a model 300 unseen prompts.   python -m training.starter.lm.evaluate --model FOLDER

Through the platform's engine, vLLM. Names, topics and templates are those that training never drew. Answers are held to
a schema and to words where the pipelines do that, checked as the pipelines check them, asked for again with what was
wrong, then anew, and mended; stories are carried on from their good pages. `--teacher` asks the grammar instead: what
the checks allow.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from contracts import prompts
from contracts.chat import Message
from contracts.livestream import Product
from contracts.prompts import Language
from graphs.drafts import TRIES
from graphs.facts import clauses
from graphs.storybook import MOST_TURNS, Telling
from graphs.wizard import KEPT
from training.starter.lm import asks, chats
from training.starter.lm.answers import Answers, Words, by_engine, by_teacher
from training.starter.lm.asks import Ask
from training.starter.lm.checks import Problem, lacks, problem_of, rescued
from training.starter.lm.corpus import Example, answered
from training.starter.lm.slots import Slots

TASKS: dict[str, tuple[Callable[[Slots], Ask], int]] = {  # how many are asked of each
    "product": (asks.product, 100),
    "story": (asks.story, 80),
    "polish": (lambda slots: asks.edit(slots, "polish"), 40),
    "set_length": (lambda slots: asks.edit(slots, "set_length"), 20),
    "interaction": (lambda slots: asks.edit(slots, "add_interaction"), 10),
    "warm": (lambda slots: asks.edit(slots, "make_warm"), 10),
    "outside": (chats.outside, 30),
    "talk": (chats.chat, 10),
}
TEMPERATURE, VARIED = 0.7, 0.8
TURNS = ("at_once", "after_repair", "anew")


def questions(seed: int, make: Callable[[Slots], Ask], number: int) -> list[Example]:
    """Unseen prompts; of products and stories every other one is about something made up."""
    found: list[Example] = []
    for index in count():
        rng = Random(f"evaluation {seed} {index}")  # noqa: S311
        language: Language = "zh" if rng.random() < 0.7 else "en"
        ask = make(Slots(rng, language, held_out=True))
        pages_fit = ask.facts.get("pages", 0) <= 8
        if pages_fit and _invented(ask, language) is not (len(found) % 2 == 0):
            found.append(answered(ask, rng, held_out=True))
        if len(found) == number:
            return found
    raise AssertionError


def evaluate(asked: Answers, seed: int = 0, scale: float = 1, tries: int = TRIES) -> dict[str, Any]:
    """Per task: how many were asked, right at once and after each further try, and the failures in words."""
    table = {}
    for name, (make, number) in TASKS.items():
        ask = _stories if name == "story" else _task
        table[name] = ask(asked, questions(seed, make, max(1, round(number * scale))), tries)
    return {"tasks": table, "variety": variety(asked, max(2, round(50 * scale)))}


def variety(asked: Answers, times: int) -> dict[str, int]:
    """One prompt asked many times at temperature 0.8: how many different texts come back."""
    prompt = prompts.product_script("星野保温杯", ["长效保温", "密封不漏"], "通勤上班族", "89元", "买一送一")
    return {"asked": times, "different": len(set(asked([prompt] * times, [None] * times, [{}] * times, VARIED, 0)))}


def _task(asked: Answers, examples: list[Example], tries: int) -> dict[str, Any]:
    checks = [problem_of(example) for example in examples]
    words = [words_of(example) for example in examples]
    messages, answers, left = [example.prompt for example in examples], [""] * len(examples), list(range(len(examples)))
    right, problems = [], list[str]()
    for turn in range(tries):
        texts, held = ([each[index] for index in left] for each in (messages, words))
        said = asked(texts, [None] * len(left), held, TEMPERATURE, turn)  # type: ignore[arg-type]
        for index, text in zip(left, said, strict=True):
            answers[index] = text
        left = [index for index in left if not _passes(examples[index], checks[index], answers[index], turn)]
        right.append(len(examples) - len(left))
        problems = problems or [checks[index](answers[index]) for index in left]
        for index in left:
            problem = checks[index](answers[index])
            messages[index] = examples[index].prompt if turn else _repair(examples[index], answers[index], problem)
    failed = [(examples[index], answers[index], checks[index](answers[index])) for index in left]
    return _told(examples, right, problems, failed, answers[0])


def _stories(asked: Answers, examples: list[Example], tries: int) -> dict[str, Any]:
    """As often as the platform asks, or fewer times."""
    tellings = [Telling(**example.facts, strict=True) for example in examples]
    answers, right, problems = [""] * len(examples), list[int](), list[str]()
    for turn in range(MOST_TURNS if tries == TRIES else tries):
        going = [index for index, telling in enumerate(tellings) if telling.goes_on]
        wanted = [tellings[index].request(0) for index in going]
        texts, schemas = [each.messages for each in wanted], [each.json_schema for each in wanted]
        said = asked(
            texts,
            schemas,
            [{"verbatim": each.verbatim, "things": each.things, "begins": each.begins} for each in wanted],
            TEMPERATURE,
            turn,
        )
        for index, text in zip(going, said, strict=True):
            answers[index] = text
            tellings[index].take(text)
        wrong = [lacks(telling) for telling in tellings]
        right.append(wrong.count(""))
        problems = problems or list(filter(None, wrong))
        if not any(telling.goes_on for telling in tellings):
            break
    failed = [each for each in zip(examples, answers, wrong, strict=True) if each[2]]
    sample = next((telling.good for telling in tellings if not telling.left), {})
    counts = [right[0], right[min(1, len(right) - 1)], right[-1]]
    return _told(examples, counts, problems, failed, json.dumps(sample, ensure_ascii=False))


def _told(
    examples: Sequence[Example],
    right: Sequence[int],
    problems: Sequence[str],
    failed: Sequence[tuple[Example, str, str]],
    sample: str,
) -> dict[str, Any]:
    return {
        "asked": len(examples),
        **dict(zip(TURNS, right, strict=False)),  # as many as there were tries
        "failed_at_once": problems,
        "failed": [
            {"prompt": example.prompt[-1].content, "answer": answer, "problem": problem}
            for example, answer, problem in failed
        ],
        "sample": sample,
    }


def words_of(example: Example) -> Words:
    """What the platform's pipelines name with such a request."""
    facts = example.facts
    match example.task:
        case "product":
            return {"verbatim": Product.model_validate(facts).facts()}
        case "edit" if facts["action"] in ("polish", *KEPT):
            return {"clauses": clauses(facts["text"])}
    return {}


def _repair(example: Example, text: str, problem: str) -> list[Message]:
    return prompts.repair_copy(example.prompt, text, problem if example.task == "edit" else f"缺少“{problem}”")


def _passes(example: Example, check: Problem, text: str, turn: int) -> bool:
    return not check(text) or (turn == TRIES - 1 and not check(rescued(example, text)))


def _invented(ask: Ask, language: Language) -> bool | None:
    """Whether the product or topic is made up; nothing where an ask has neither."""
    table = Slots(Random(0), language).table  # noqa: S311
    if ask.task == "story":
        return ask.facts["topic"] not in table["topics"]
    if ask.task == "product":
        gap = "" if language == "zh" else " "
        usual = {*table["kinds"], *(style + gap + kind for style in table["styles"] for kind in table["kinds"])}
        return ask.facts["name"] not in usual
    return None


def printed(report: dict[str, Any]) -> str:
    """The report as a Markdown table."""
    lines = ["| task | asked | right at once | told what was wrong | anew, or mended |", "|---|---|---|---|---|"]
    for name, row in report["tasks"].items():
        shares = (f"{row[key]} ({row[key] / row['asked']:.1%})" for key in TURNS)
        lines.append(f"| {name} | {row['asked']} | {' | '.join(shares)} |")
    varied = report["variety"]
    return "\n".join([*lines, "", f"One prompt {varied['asked']} times at 0.8: {varied['different']} different texts."])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a folder with weights and tokenizer, as `export` writes it")
    parser.add_argument("--teacher", action="store_true")
    parser.add_argument("--scale", type=float, default=1, help="a part of the 300 prompts")
    parser.add_argument("--json", type=Path, help="where the full report is written")
    given = parser.parse_args()
    if given.teacher:
        report = evaluate(by_teacher, scale=given.scale)
    else:
        with by_engine(given.model) as asked:
            report = evaluate(asked, scale=given.scale)
    print(printed(report))
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
