"""How a sentence is read: its words, and what kind each is. The right readings below are a reader's own."""

import pytest

from attention import tokenize
from attention.grammar.lexicon import group_of, lexicon


def read(language, sentence, gaps=None):
    """The sentence as (word, kind) pairs; a word that the lists do not have ends in "?"."""
    tokens = tokenize(sentence)
    words = lexicon(language).read(tokens, gaps)
    assert [i for word in words for i in range(word.start, word.stop)] == list(range(len(tokens)))
    join = {"en": " ", "zh": ""}[language].join
    return [(join(tokens[w.start : w.stop]) + "?" * (not w.is_known), w.kind) for w in words]


def said(pairs):
    return " ".join(f"{word}/{kind}" for word, kind in pairs)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_are_3000_everyday_words_and_names_and_each_stands_once_under_its_heading(language):
    found = lexicon(language)
    written = {word for kind, words in found.lists.items() if kind not in ("PAST", "ING", "THIRD") for word in words}
    assert len(written) >= 3000
    for words in found.lists.values():
        assert len(words) == len(set(words))
    if language == "en":
        assert len(found.lists["NAME_F"]) + len(found.lists["NAME_M"]) >= 170


@pytest.mark.parametrize(
    ("sentence", "right"),
    [
        (
            "The cat sat on the sofa because it was tired.",
            "DETERMINER ANIMAL VERB PREPOSITION DETERMINER THING CONJUNCTION IT AUX ADJECTIVE MARK",
        ),
        ("The quick brown fox jumps", "DETERMINER ADJECTIVE ADJECTIVE ANIMAL VERB"),
        ("Close the door, please.", "VERB DETERMINER THING MARK ADVERB MARK"),
        ("She wants to play in the play", "SHE VERB TO VERB PREPOSITION DETERMINER IDEA"),
        ("Tom lost his keys", "NAME_M VERB HIS THINGS"),
        ("I didn't see the women", "SPEAKER AUX VERB DETERMINER PEOPLE"),
        ("The dog's tail wags", "DETERMINER ANIMAL THING VERB"),
        ("the girl who sings", "DETERMINER WOMAN RELATIVE VERB"),
    ],
)
def test_an_english_sentence_is_read_as_a_reader_reads_it(sentence, right):
    assert [kind for _, kind in read("en", sentence)] == right.split()


@pytest.mark.parametrize(
    "right",
    [
        "小猫/ANIMAL 喝/VERB 了/PARTICLE 牛奶/THING ，/MARK 因为/CONJUNCTION 它/IT 很/DEGREE 渴/ADJECTIVE 。/MARK",
        "老师/PERSON 喜欢/VERB 老虎/ANIMAL ，/MARK 学生/PERSON 在/PREPOSITION 学校/PLACE 学习/VERB",
        "我/SPEAKER 喜欢/VERB 猫/ANIMAL 因为/CONJUNCTION 猫/ANIMAL 很/DEGREE 可爱/ADJECTIVE",
        "小明/MAN 把/PREPOSITION 他/HE 的/DE 书包/THING 忘/VERB 在/PREPOSITION 教室/PLACE 里/PREPOSITION 了/PARTICLE",
        "那/DETERMINER 位/MEASURE 年轻/ADJECTIVE 的/DE 医生/PERSON 帮助/VERB 了/PARTICLE 孩子/PERSON",
    ],
)
def test_the_words_of_a_chinese_sentence_are_found(right):
    sentence = "".join(pair.split("/")[0] for pair in right.split())
    assert said(read("zh", sentence)) == right


def test_no_chinese_word_goes_over_a_space_of_the_readers():
    assert read("zh", "学生")[0] == ("学生", "PERSON")
    assert [word.rstrip("?") for word, _ in read("zh", "学生", gaps=[1])] == ["学", "生"]
    assert read("zh", "咕噜跑了", gaps=[2])[0] == ("咕噜?", "NEW")  # and what stands between spaces is a word


@pytest.mark.parametrize(
    ("sentence", "word", "kind"),
    [
        ("the wug slept", "wug?", "NEW"),
        ("the zoogler slept", "zoogler?", "PERSON"),
        ("the blorpness was great", "blorpness?", "IDEA"),
        ("Tom walked zorfly", "zorfly?", "ADVERB"),
        ("a very zorpous dog", "zorpous?", "ADJECTIVE"),
        ("yesterday Blarg slept", "Blarg?", "NAME"),
    ],
)
def test_a_new_word_is_taken_for_what_its_ending_and_its_place_say(sentence, word, kind):
    assert (word, kind) in read("en", sentence)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("sentence", ["", "!!!", "👍🏽 ok", "a" * 200, "我 love 你", "١٢٣ x_y", "<b>&", "猫" * 64])
def test_anything_can_be_read(language, sentence):
    assert len(read(language, sentence)) <= len(tokenize(sentence))  # and read checks that every token has its word


def test_of_a_chinese_noun_one_character_is_the_head():
    found = lexicon("zh")
    assert found.parts("图书馆", "PLACE") == ("PART", "PART", "PLACE")
    assert found.parts("孩子们", "PEOPLE") == ("PEOPLE", "SUFFIX", "SUFFIX")
    assert found.parts("他们", "THEY") == ("PART", "THEY")
    assert found.parts("喜欢", "VERB") == ("VERB", "VERB")
    assert group_of("PLACE") == "noun"
