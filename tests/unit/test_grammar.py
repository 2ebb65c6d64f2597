import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
import torch

from attention import tokenize
from attention.grammar import LANGUAGES, RELATIONS, Example, examples
from attention.grammar.batches import draw, draws, encode, kind_names, tokens_of, words_of
from attention.grammar.chinese import CHINESE
from attention.grammar.english import ENGLISH
from attention.grammar.lexicon import kind_of_each
from attention.grammar.shapes import _parse

EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
GENDER = {
    "she": "queen woman girl aunt princess nun witch bride Anna Lucy Ruth",
    "he": "king man boy uncle prince monk wizard groom Tom Paul Jack",
    "it": "dog cat horse book letter ring suitcase street river",
    "they": "children students teachers soldiers twins",
    "她": "妈 姐 妹 婆 姨 后 主 女 芳 兰",
    "他": "王 帝 叔 哥 弟 夫 士 父 军 伟",
    "它": "狗 猫 虎 羊 书 笔 伞 帽 箱 路",
    "们": "生 孩 友 师 人",
}


def by_relation(language, relation, count=4000):
    """Every (example, position) at which the relation stands."""
    return [
        (example, i)
        for example in examples(language, count)
        for i, name in enumerate(example.relations)
        if name == relation
    ]


def find(language, beginning):
    return next(example for example in examples(language, 6000) if example.sentence.startswith(beginning))


def referred(example):
    return [example.tokens[i] for i in example.referents]


@EACH_LANGUAGE
@pytest.mark.parametrize("held_out", [False, True])
def test_every_sentence_is_cut_as_tokenize_cuts_it_and_every_token_refers_into_it(language, held_out):
    for example in examples(language, 500, held_out=held_out):
        assert example.tokens == tokenize(example.sentence)
        assert len(example.referents) == len(example.relations) == len(example.tokens) <= 40
        assert all(0 <= referent < len(example.tokens) for referent in example.referents)
        assert set(example.relations) <= RELATIONS.keys()
        for i, (referent, relation) in enumerate(zip(example.referents, example.relations, strict=True)):
            assert (referent == i) == (relation == "itself")


@EACH_LANGUAGE
def test_there_are_more_than_300_different_tokens_and_held_out_sentences_have_no_others(language):
    known = {token for example in examples(language, 6000) for token in example.tokens}
    assert len(known) >= 300
    assert {token for example in examples(language, 1000, held_out=True) for token in example.tokens} <= known


@EACH_LANGUAGE
def test_no_held_out_sentence_is_among_the_training_sentences(language):
    training = {example.sentence for example in examples(language, 6000)}
    assert training.isdisjoint(example.sentence for example in examples(language, 500, held_out=True))


def test_held_out_sentences_begin_with_a_pair_of_nouns_that_no_training_sentence_begins_with():
    training = examples("en", 6000)
    nouns = {noun for kind in ENGLISH.fits for noun in ENGLISH.lists[kind]}

    def pairs(sentences):
        found = ([token for token in e.tokens if token in nouns] for e in sentences)
        return {tuple(pair[:2]) for pair in found if len(pair) > 1}

    held_out = pairs(examples("en", 500, held_out=True))
    assert len(held_out) > 250
    assert held_out.isdisjoint(pairs(training))


@EACH_LANGUAGE
def test_no_two_sentences_are_alike_and_a_longer_list_begins_as_the_shorter(language):
    assert len({example.sentence for example in examples(language, 2000)}) == 2000
    assert examples(language, 2000)[:50] == examples(language, 50)


def test_another_process_draws_the_same_sentences():
    code = "from attention.grammar import examples\nfor x in ('en', 'zh'): print(examples(x, 30)[-1].sentence)"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert run.stdout.decode().split("\n")[:2] == [examples(language, 30)[-1].sentence for language in LANGUAGES]


@EACH_LANGUAGE
def test_every_relation_occurs(language):
    counts = Counter(name for example in examples(language, 4000) for name in example.relations)
    assert counts.keys() == RELATIONS.keys() - ({"part"} if language == "en" else set())
    assert min(counts.values()) > 150


@EACH_LANGUAGE
@pytest.mark.parametrize("relation", ["meaning", "role"])
def test_the_kinds_of_words_do_not_tell_what_a_pronoun_refers_to_where_only_an_adjective_does(language, relation):
    """Counted: whatever kinds follow the pronoun, either noun is meant about as often."""
    counts, between = Counter(), {"did", "没", "放"}  # the first of them stands between the two nouns
    for example, i in by_relation(language, relation, 6000):
        kinds, tokens = kind_of_each(language, example.tokens), example.tokens
        middle = min(place for place, token in enumerate(tokens) if token in between)
        counts[tuple(kinds[token] for token in tokens[i + 1 :]), example.referents[i] < middle] += 1
    for kinds, _ in list(counts):
        first, second = counts[kinds, True], counts[kinds, False]
        assert abs(first - second) < 4 * (first + second) ** 0.5  # four standard deviations of a fair coin


def test_a_pronoun_refers_to_a_noun_of_its_gender_and_number():
    checked = Counter()
    for language in LANGUAGES:
        for example, i in by_relation(language, "pronoun"):
            antecedent, pronoun = example.tokens[example.referents[i]], example.tokens[i]
            for other, nouns in GENDER.items():
                if antecedent in nouns.split():
                    assert other == {"her": "she", "his": "he", "its": "it", "their": "they"}.get(pronoun, pronoun)
                    checked[other] += 1
    assert min(checked[pronoun] for pronoun in GENDER) > 20


def test_no_other_noun_would_fit_an_english_pronoun():
    for pronoun, nouns in list(GENDER.items())[:2]:
        for example, i in by_relation("en", "pronoun"):
            if example.tokens[i] == pronoun:
                assert sum(token in nouns.split() for token in example.tokens) <= 1


@EACH_LANGUAGE
def test_determiners_and_adjectives_refer_to_a_noun_after_them_with_nothing_but_its_own_words_between(language):
    for relation in ("determiner", "adjective"):
        for example, i in by_relation(language, relation):
            noun = example.referents[i]
            assert noun > i
            assert set(example.relations[i + 1 : noun]) <= {"adjective", "determiner", "part", "same"}


@EACH_LANGUAGE
def test_a_verb_refers_to_the_nearest_possible_subject_before_it(language):
    for example, i in by_relation(language, "verb"):
        subject = example.referents[i]
        assert subject < i or i <= 1  # did she …? there was a … where did he …?
        assert example.relations[subject] in ("itself", "pronoun", "meaning", "role")


@EACH_LANGUAGE
def test_only_a_verb_has_an_object_and_that_is_the_next_noun_or_pronoun_after_it(language):
    between = {"en": {"determiner", "adjective", "pronoun"}, "zh": {"determiner", "adjective", "pronoun", "part"}}
    found = Counter()
    for example in examples(language, 4000):
        assert len(example.objects) == len(example.tokens)
        for i, place in enumerate(example.objects):
            if place == i:
                continue
            assert place > i
            assert example.relations[i] in ("verb", "itself")  # "help Peter, please": nobody is said to help
            rest = [r for r in example.relations[i + 1 : place] if r not in between[language]]
            if language == "en":
                assert rest == []
            else:  # 喜欢 is two characters; 了 and the like; 喜欢买
                assert set(rest) <= {"verb", "itself"}
            found[example.tokens[i]] += 1
    assert len(found) > 40


@pytest.mark.parametrize(
    ("language", "beginning", "objects"),
    [
        ("en", "our witch lost her drawer near", {"lost": "drawer"}),
        ("en", "David ignored the bag and gave it to Henry", {"ignored": "bag", "gave": "it"}),
        ("en", "Anna admired the umbrella and swam", {"admired": "umbrella"}),
        ("en", "Oscar said that he must trust us", {"trust": "us"}),
        ("zh", "篮子破碎了，我们学习带来它", {"带": "它", "来": "它"}),
        ("zh", "两位诚实的少女给你选了那个苹果", {"选": "果"}),
    ],
)
def test_objects_by_hand(language, beginning, objects):
    example = find(language, beginning)
    tokens = example.tokens
    assert {tokens[i]: tokens[place] for i, place in enumerate(example.objects) if place != i} == objects


@EACH_LANGUAGE
def test_what_seems_or_is_something_is_the_pronoun_just_before_or_where_there_is_none_the_subject(language):
    pronouns = 0
    for example, i in by_relation(language, "predicate"):
        subject = example.referents[i]
        if example.relations[subject] in ("pronoun", "meaning", "role"):
            pronouns += 1
            assert subject == max(j for j in range(i) if example.relations[j] in ("pronoun", "meaning", "role"))
        else:
            assert example.relations[subject] == "itself"
            assert not {"pronoun", "meaning", "role"} & set(example.relations[subject:i])
    assert pronouns > 500


@EACH_LANGUAGE
def test_too_refers_to_the_adjective_after_it(language):
    for example, i in by_relation(language, "degree"):
        assert example.relations[example.referents[i]] == "predicate"
        assert 1 <= example.referents[i] - i <= 3


@EACH_LANGUAGE
@pytest.mark.parametrize("relation", ["meaning", "role"])
def test_what_it_refers_to_changes_with_the_adjective_alone_and_each_noun_is_meant_half_the_time(language, relation):
    first, by_adjective = [], {}
    for example, i in by_relation(language, relation):
        adjective = next(
            example.tokens[j] for j in range(i, len(example.tokens)) if example.relations[j] == "predicate"
        )
        crossing = next(j for j in range(len(example.tokens)) if example.relations[j] == "verb")
        first.append(example.referents[i] < crossing)
        by_adjective.setdefault(adjective, set()).add(first[-1])
    assert 0.4 < sum(first) / len(first) < 0.6
    assert all(len(nouns) == 1 for nouns in by_adjective.values())
    assert len({frozenset(nouns) for nouns in by_adjective.values()}) == 2


def test_the_red_one_is_the_noun_that_stood_after_red():
    found = by_relation("en", "same")
    for example, i in found:
        adjective, noun = example.tokens[i - 1], example.referents[i]
        assert example.tokens[noun - 1] == adjective
        assert example.tokens.count(adjective) == 2
    assert len(found) > 100
    for example, i in by_relation("zh", "same"):
        tail = example.tokens[: example.tokens.index("，")]
        colour = re.search(r"(.色)的那个", example.sentence).group(1)
        noun = example.referents[i]
        assert colour in "".join(tail[:noun])
        assert "".join(tail)[: noun + 1].rsplit("的", 1)[0].endswith(colour)


def test_a_chinese_character_plays_one_part():
    heads = {e.tokens[e.referents[i]] for e, i in by_relation("zh", "part") if e.tokens[i] not in "他们"}
    parts = {e.tokens[i] for e, i in by_relation("zh", "part") if e.tokens[i] not in "们子"}
    others = {e.tokens[i] for name in ("verb", "adjective", "predicate") for e, i in by_relation("zh", name)}
    assert len(heads) > 80
    assert not heads & parts - {"们"}
    assert not heads & others
    assert not heads & set("".join(CHINESE.shapes))


def test_english_articles_and_numbers_agree():
    for example in examples("en", 4000):
        for word, following in zip(example.tokens, example.tokens[1:], strict=False):
            if word in ("a", "an"):
                assert (word == "an") == (following[0] in "aeiou"), example.sentence
        assert not re.search(r"\b(these|those|many|some) (\w+ )?(queen|king|dog|book)\b", example.sentence)
        assert not re.search(r"\b(it|she|he) were\b|\bthey was\b", example.sentence)


def test_worked_examples_by_hand():
    def arrows(language, beginning):
        example = find(language, beginning)
        return " ".join(f"{token}→{other}" for token, other in zip(example.tokens, referred(example), strict=True))

    assert arrows("en", "those wise twins painted") == (
        "those→twins wise→twins twins→twins painted→twins the→ring new→ring ring→ring and→and the→violin clean→violin "
        "violin→violin but→but forgot→twins the→one new→one one→ring .→."
    )
    assert arrows("zh", "这只小狗没有走过两条小溪") == (
        "这→狗 只→狗 小→狗 狗→狗 没→没 有→有 走→狗 过→狗 两→溪 条→溪 小→溪 溪→溪 ，→， "
        "因→因 为→为 它→溪 太→滑 滑→它 了→了 。→。"
    )


def test_an_example_says_all_of_itself():
    sentence = "the boy helped Peter in every empty museum"
    relations = ["determiner", "itself", "verb", "itself", "itself", "determiner", "adjective", "itself"]
    right = Example(
        sentence, tuple(sentence.split()), (1, 1, 1, 3, 4, 7, 7, 7), tuple(relations), (0, 1, 3, 3, 4, 5, 6, 7)
    )
    assert examples("en", 1)[0] == right


@pytest.mark.parametrize("grammar", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_every_slot_of_every_shape_can_be_read_and_names_only_what_stands_in_it(grammar):
    for shape in grammar.shapes:
        slots = [_parse(slot) for slot in shape.split()]
        named = {slot["name"] for slot in slots}
        assert {letter for slot in slots for letter in slot["targets"] + slot["fits"]} <= named


def test_what_cannot_be_read_or_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"'A>' is no slot"):
        _parse("A>")
    with pytest.raises(ValueError, match="no grammar for 'fr'; there are en, zh"):
        examples("fr", 1)


@EACH_LANGUAGE
def test_the_vocabulary_is_the_first_words_of_every_list(language):
    words, first = words_of(language), {"en": ("woman", "man", "the", "because"), "zh": ("婆", "公", "这", "因")}
    assert len(words) > 250
    assert set(first[language]) <= words.keys()
    assert set(words.values()) <= set(kind_names(language))
    assert set(words) <= set(tokens_of(language))
    assert (words[first[language][0]], words[first[language][1]]) == ("WOMAN", "MAN")


def test_a_batch_holds_the_sentences_and_fills_them_up():
    tokens, relations = ("the", "king", "saw", "Anna"), ("determiner", "itself", "verb", "itself")
    two = (Example("the king saw Anna", tokens, (1, 1, 1, 3), relations, (0, 1, 3, 3)),)
    two += (Example("Anna", ("Anna",), (0,), ("itself",), (0,)),)
    batch, kinds = encode(two, "en"), kind_names("en")
    assert [tokens_of("en")[i] for i in batch.ids[0].tolist()][:2] == ["the", "king"]
    assert [kinds[i] for i in batch.kinds[0].tolist()] == ["DETERMINER", "MAN", "VERB", "NAME_F"]
    assert kinds[int(batch.kinds[1, 0])] == "NAME_F"
    assert batch.referents.tolist() == [[1, 1, 1, 3], [0, 0, 0, 0]]
    assert batch.objects.tolist() == [[0, 1, 3, 3], [0, 0, 0, 0]]
    assert batch.real.tolist() == [[True] * 4, [True, False, False, False]]


def test_a_word_that_stands_twice_is_one_word_and_a_character_that_carries_a_word_has_its_kind():
    sentence = Example("the the", ("the", "cat", "the"), (1, 1, 2), ("determiner", "itself", "itself"), (0, 1, 2))
    assert encode([sentence], "en").first.tolist() == [[0, 1, 0]]
    assert kind_of_each("zh", tuple("爸爸笑")) == {"爸": "MAN", "笑": "VERB"}
    assert kind_of_each("zh", tuple("图书馆")) == {"图": "PART", "书": "PART", "馆": "PLACE"}


@EACH_LANGUAGE
def test_some_words_are_taken_for_a_kind_like_their_own_and_nothing_else_changes(language):
    some = examples(language, 400)
    plain, other = encode(some, language), encode(some, language, also=0.5)
    for field in ("ids", "first", "referents", "relations", "real"):
        assert torch.equal(getattr(plain, field), getattr(other, field))
    kinds = kind_names(language)
    changed = {
        (kinds[a], kinds[b]) for a, b in zip(plain.kinds[plain.real], other.kinds[plain.real], strict=True) if a != b
    }
    assert ("MAN", "PERSON") in changed
    assert ("THING", "IDEA") in changed
    assert not {a for a, _ in changed} & {"VERB", "DETERMINER", "HE", "CONJUNCTION"}
    same = other.first[other.real]
    rows = torch.arange(len(some)).unsqueeze(1).expand_as(other.first)[other.real]
    assert torch.equal(other.kinds[rows, same], other.kinds[other.real])  # one kind for each word of a sentence


def test_a_draw_is_cut_to_its_longest_sentence():
    drawn = draw(encode(examples("en", 50), "en"), 20, torch.Generator().manual_seed(0))
    assert drawn.real.any(dim=0).all()
    assert len({tuple(row) for row in drawn.referents.tolist()}) > 10


def test_batches_for_learning_hold_sentences_of_like_length_and_as_many_tokens_each():
    some, count = encode(examples("en", 400), "en"), 48
    batches = draws(some, count, torch.Generator().manual_seed(0))
    shares, lengths = [], []
    for _ in range(5):
        three = [next(batches) for _ in range(3)]
        assert sum(len(batch.real) for batch in three) == 3 * count
        assert all(batch.real.any(dim=0).all() for batch in three)  # cut to the longest of each
        by_length = sorted(sorted(batch.real.sum(dim=1).tolist()) for batch in three)
        assert all(shorter[-1] <= longer[0] for shorter, longer in pairwise(by_length))
        tokens = [int(batch.real.sum()) for batch in three]
        assert max(tokens) - min(tokens) <= 2 * some.real.shape[1]  # one sentence more or less at either end
        shares += [float(batch.real.double().mean()) for batch in three]
        lengths += [batch.real.shape[1] for batch in three]
    by_chance = [draw(some, count, torch.Generator().manual_seed(i)).real.double().mean() for i in range(20)]
    assert sum(shares) / len(shares) > 0.8 > float(sum(by_chance)) / 20 + 0.1
    assert len({tuple(lengths[i : i + 3]) for i in range(0, 15, 3)}) > 3  # in no order


def test_batches_for_learning_are_the_sentences_drawn_by_chance():
    some = encode(examples("en", 30), "en")
    rows = {tuple(row) for row in some.kinds.tolist()}
    batches = draws(some, 12, torch.Generator().manual_seed(0))
    seen, longest = set(), some.kinds.shape[1]
    for _ in range(20):
        kinds = next(batches).kinds
        seen |= {(*row, *[0] * (longest - len(row))) for row in kinds.tolist()}
    assert seen == rows
