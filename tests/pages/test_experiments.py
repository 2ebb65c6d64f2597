"""The labs with experiments of their own: each asks before it tells, in both languages, and tells every fact."""

import re
from itertools import count

import pytest
from each import each
from visiting import LANGUAGES, Visit, enter, look

from pages import GROUPS
from pages.ui.lab import Bench
from pages.ui.words.prose import sections

LABS = [slug for group, slugs in GROUPS.items() if group != "learning" for slug in slugs if slug != "glossary"]
ADDRESS = {"weights": "random", "d_model": "8", "num_heads": "2"}
pytestmark = pytest.mark.xdist_group("experiments")


def experiments(slug: str) -> list[str]:
    """The experiments of a lab, by the tabs that its words name; a lab without tabs has one."""
    return [name.removeprefix("tab_") for name in sections(slug, "en") if name.startswith("tab_")] or [""]


EVERY = [(slug, number) for slug in LABS for number, _ in enumerate(experiments(slug))]


def radios(at: Visit) -> list:
    return [radio for radio in at.radio if str(radio.key).startswith("quiz_")]


def verdicts(at: Visit) -> list[str]:
    return [box.value for box in (*at.success, *at.warning)]


@each("lang, lab", [(lang, lab) for lang in LANGUAGES for lab in EVERY])
def test_every_experiment_opens_by_a_link_and_shows_its_answer_only_after_the_question(lang, lab):
    slug, number = lab
    page = enter(slug, lang, experiment=str(number), face="notice", **ADDRESS)
    at = page.at
    assert page.of("title") == [sections(slug, lang)["title"]] or page.of("markdown")
    assert not [text for text in page.interpreted if "[[" in text or re.search(r"\b(nan|None|tensor)\b", text)]
    if not any(button.key == "show_me" for button in at.button) and not at.radio:
        at = look(at.turn("turn"), slug, lang).at
    is_asked = any(button.key == "show_me" for button in at.button)
    if is_asked:
        assert not any(key.startswith("notice_") for key in look(at, slug, lang).said), "told before it was asked"
        at.button(key="show_me").click()
        at.run()
        page = look(at.turn("notice"), slug, lang)
    told = [name for name in page.said if name.startswith("notice_")]
    assert told, (slug, number)


def asked_by(slug: str, number: int, lang: str) -> Visit:
    """A visit with a lab's question before it, everything uncovered."""
    at = enter(slug, lang, experiment=str(number), face="turn", **ADDRESS).at
    if any(button.key == "show_me" for button in at.button):
        at.button(key="show_me").click()
        at.run()
    return at


@each("lab", EVERY)
def test_every_question_of_a_lab_has_one_right_answer_and_a_reason_for_each(lab):
    slug, number = lab
    for lang in LANGUAGES:
        at = asked_by(slug, number, lang)
        for _ in count():
            kinds = radios(at)
            for radio in kinds[:1]:
                right = 0
                for option in range(len(radio.options)):
                    (now,) = radios(at)
                    now.set_value(option)
                    at.run()
                    look(at, slug, lang)
                    (verdict,) = verdicts(at)
                    right += bool(at.success)
                    assert len(verdict) > 15
                    assert "[[" not in verdict
                assert right == 1, (slug, number, lang)
            later = [button for button in at.button if button.key == "question_after"]
            if not later:
                break
            later[0].click()
            at.run()


@each("slug", LABS)
def test_a_lab_asks_at_least_twice(slug):
    assert sum(name.startswith("ask_") for name in sections(slug, "en")) >= 2


def test_without_questions_everything_is_there_at_once():
    for slug, number in EVERY:
        page = enter(slug, "en", experiment=str(number), questions="0", **ADDRESS)
        assert not radios(page.at)
        assert not any(button.key == "show_me" for button in page.at.button)


def test_the_tabs_of_a_lab_are_its_experiments():
    assert Bench.experiment is not None if hasattr(Bench, "experiment") else True
    for slug in LABS:
        names = experiments(slug)
        if names != [""]:
            page = enter(slug, "en", **ADDRESS)
            (tabs,) = [group for group in page.at.button_group if group.key == "experiment"]
            assert list(tabs.options) == [sections(slug, "en")[f"tab_{n}"] for n in names]
