import dataclasses
import math
from collections import Counter
from functools import cache

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.testing import assert_close
from trained import vectors as learned

from attention.embedding import seeded
from attention.grammar import examples
from attention.grammar.chinese import CHINESE
from attention.grammar.english import ENGLISH
from attention.vectors import (
    CLASSES,
    CONTENT,
    METHODS,
    STEPS,
    Vectors,
    chance_agreement,
    class_agreement,
    guess_loss,
    learn_vectors,
    principal_plane,
    windows,
    word_class,
)

pytestmark = pytest.mark.xdist_group("vectors")  # one process learns them, each once

EACH_METHOD = pytest.mark.parametrize("method", METHODS)
TRAINED = [("cbow", "en", 0), ("cbow", "zh", 0), ("skip-gram", "en", 0), ("skip-gram", "en", 1)]
EACH_TRAINED = pytest.mark.parametrize(("method", "language", "seed"), TRAINED)
EACH_LANGUAGE = pytest.mark.parametrize("language", ["en", "zh"])
# The words of "the cat saw the dog" (1 the, 2 cat, 3 saw, 4 dog) and of "dog saw", side by side.
TEXT = torch.tensor([[1, 2, 3, 1, 4], [4, 3, 0, 0, 0]])
CENTRES = [1, 2, 3, 1, 4, 4, 3]
AROUND = [[2, 3], [1, 3, 1], [1, 2, 1, 4], [2, 3, 4], [3, 1], [3], [4]]  # up to 2 places to either side


def trained(method="cbow", language="en", seed=0):
    return learned(method, language, seed)


@cache
def briefly(method="cbow", language="en"):
    return learn_vectors(method, language=language, steps=3)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Two threads for tensors this small cost more than they bring, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def content(vectors):
    """The rows of the content words, and their classes."""
    classes = [word_class(word, vectors.language) for word in vectors.words]
    rows = [i for i, name in enumerate(classes) if name in CONTENT]
    return rows, [classes[i] for i in rows]


def by_hand(after, words):
    """Vectors as they would be returned, with these numbers in them."""
    return Vectors("cbow", "en", words, -after, after, (), (1,) * len(words))


class TestWindows:
    def test_at_the_edges_of_a_sentence_there_is_nothing_on_the_other_side(self):
        centres, contexts = windows(TEXT, 2)
        assert centres.tolist() == CENTRES
        assert contexts.tolist()[:5] == [[0, 0, 2, 3], [0, 1, 3, 1], [1, 2, 1, 4], [2, 3, 4, 0], [3, 1, 0, 0]]
        assert contexts.tolist()[5:] == [[0, 0, 3, 0], [0, 4, 0, 0]]

    @pytest.mark.parametrize("window", [1, 2, 3, 7])
    def test_each_context_is_what_a_slice_of_the_sentence_holds(self, window):
        sentences = [[word for word in row if word] for row in TEXT.tolist()]
        expected = [s[max(0, i - window) : i] + s[i + 1 : i + 1 + window] for s in sentences for i in range(len(s))]
        centres, contexts = windows(TEXT, window)
        assert contexts.shape == (7, 2 * window)
        assert [[word for word in row if word] for row in contexts.tolist()] == expected
        assert centres.tolist() == CENTRES

    @EACH_LANGUAGE
    def test_the_counts_are_those_of_the_sentences(self, language):
        vectors = briefly(language=language)
        counted = Counter(token for example in examples(language, 8000) for token in example.tokens)
        assert dict(zip(vectors.words, vectors.counts, strict=True)) == counted


class TestLoss:
    """Against torch's own embedding, linear layer and cross-entropy, from contexts written out by hand."""

    @staticmethod
    def theirs(method, inputs, outputs):
        table = torch.nn.Embedding.from_pretrained(inputs.clone(), freeze=False)
        layer = torch.nn.Linear(3, 4, bias=False)
        with torch.no_grad():
            layer.weight.copy_(outputs)
        if method == "cbow":
            means = torch.stack([table(torch.tensor(words) - 1).mean(dim=0) for words in AROUND])
            loss = cross_entropy(layer(means), torch.tensor(CENTRES) - 1)
        else:
            pairs = [(c - 1, word - 1) for c, words in zip(CENTRES, AROUND, strict=True) for word in words]
            assert len(pairs) == 16
            shown, guessed = torch.tensor(pairs).T
            loss = cross_entropy(layer(table(shown)), guessed)
        loss.backward()
        return loss.detach(), table.weight.grad, layer.weight.grad

    @EACH_METHOD
    @pytest.mark.parametrize("seed", [0, 1])
    def test_loss_and_gradients_are_torchs(self, method, seed):
        inputs, outputs = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(seed))
        leaves = [inputs.clone().requires_grad_(), outputs.clone().requires_grad_()]
        loss = guess_loss(method, *windows(TEXT, 2), *leaves)
        assert_close((loss.detach(), *torch.autograd.grad(loss, leaves)), self.theirs(method, inputs, outputs))

    @EACH_METHOD
    def test_the_first_steps_of_a_training_are_those_of_torchs_adam(self, method):
        """Written anew with what torch has: the same places, drawn by the same generator, and its own optimizer."""
        vectors = briefly(method)
        ids = {word: i for i, word in enumerate(vectors.words)}
        text = [[ids[token] for token in example.tokens] for example in examples("en", 8000)]
        spots = [(row, i) for row in text for i in range(len(row))]
        table = torch.nn.Parameter(vectors.before.clone())
        outputs = torch.nn.Parameter(torch.zeros_like(table))
        optimizer = torch.optim.Adam([table, outputs], lr=1.0, betas=(0.9, 0.98))
        generator = seeded("0 places")
        for step in range(1, 4):
            drawn = [spots[i] for i in torch.randint(len(spots), (512,), generator=generator).tolist()]
            around = [(row[i], row[max(0, i - 5) : i] + row[i + 1 : i + 6]) for row, i in drawn]
            if method == "cbow":
                hidden = torch.stack([table[context].mean(dim=0) for _, context in around])
                guessed = torch.tensor([centre for centre, _ in around])
            else:
                shown, guessed = torch.tensor([(centre, word) for centre, context in around for word in context]).T
                hidden = table[shown]
            loss = cross_entropy(hidden @ outputs.T, guessed)
            assert vectors.losses[step - 1] == pytest.approx(float(loss.detach()), rel=1e-5)
            optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["lr"] = 0.1 * step / 10 * (1 - (step - 1) / 3)
            optimizer.step()
        # Adam divides by the size of a gradient, and some of these are all but 0: what is left of them is rounding.
        assert ((vectors.after - table.detach()).abs() < 1e-4).float().mean() > 0.99

    @EACH_TRAINED
    def test_it_begins_at_blind_guessing_and_falls(self, method, language, seed):
        losses = trained(method, language, seed).losses
        assert losses[0] == pytest.approx(math.log(len(trained(method, language, seed).words)), abs=1e-5)
        assert sum(losses[-20:]) / 20 < losses[0] - 1.3
        assert sum(losses[-20:]) < sum(losses[100:120])


class TestWhatItLearns:
    @EACH_TRAINED
    def test_the_nearest_word_is_of_the_same_class_as_it_was_not_before(self, method, language, seed):
        vectors = trained(method, language, seed)
        rows, classes = content(vectors)
        assert len(rows) > 300
        assert class_agreement(vectors.before[rows], classes) < chance_agreement(classes) + 0.08
        assert class_agreement(vectors.after[rows], classes) > (0.9 if language == "en" else 0.75)

    @EACH_TRAINED
    def test_all_that_is_mixed_up_are_women_and_men(self, method, language, seed):
        vectors = trained(method, language, seed)
        rows, classes = content(vectors)
        people = ["person" if name in ("woman", "man") else name for name in classes]
        assert class_agreement(vectors.after[rows], people) > (0.97 if language == "en" else 0.85)

    @EACH_TRAINED
    def test_neighbours_are_of_a_kind(self, method, language, seed):
        vectors = trained(method, language, seed)
        words = {"en": "dog book kitchen laughed tired red children gave", "zh": "猫 桌 拜 累 红 喂"}[language]
        for word in words.split():
            own = word_class(word, language)
            assert all(word_class(other, language) == own for other, _ in vectors.neighbours(word, 3))
            before = [word_class(other, language) for other, _ in vectors.neighbours(word, 3, trained=False)]
            assert before.count(own) < 3

    @pytest.mark.parametrize(("method", "seed"), [(method, seed) for method, of, seed in TRAINED if of == "en"])
    def test_he_is_to_his_as_they_is_to_their(self, method, seed):
        vectors = trained(method, seed=seed)
        assert vectors.analogy("he", "his", "they", 1)[0][0] == "their"
        assert vectors.analogy("he", "she", "his", 1)[0][0] == "her"

    @EACH_METHOD
    def test_a_plane_keeps_more_of_what_was_learned_than_of_chance(self, method):
        vectors = trained(method)
        shares = [float(principal_plane(table)[1].sum()) for table in (vectors.before, vectors.after)]
        assert shares[0] < 0.15
        assert shares[1] > 0.2


class TestNearness:
    @pytest.mark.parametrize("is_trained", [True, False])
    def test_neighbours_are_numpys_by_cosine(self, is_trained):
        vectors = trained()
        table = (vectors.after if is_trained else vectors.before).double().numpy()
        unit = table / np.linalg.norm(table, axis=1, keepdims=True)
        for word in ("queen", "the", "."):
            i = vectors.words.index(word)
            cosines = unit @ unit[i]
            expected = [j for j in np.argsort(-cosines) if j != i][:7]
            found = vectors.neighbours(word, 7, trained=is_trained)
            listed = [vectors.words.index(name) for name, _ in found]
            assert len({i, *listed}) == 8
            assert cosines[listed] == pytest.approx(cosines[expected], abs=1e-5)  # of two as near, either may be first
            assert [value for _, value in found] == pytest.approx(cosines[expected], abs=1e-6)

    def test_a_words_own_vector_at_any_length_is_nearest_to_the_word(self):
        vectors = trained()
        for is_trained in (True, False):
            for word in vectors.words:
                found, value = vectors.nearest(3 * vectors.vector(word, trained=is_trained), trained=is_trained)
                assert found == word
                assert value == pytest.approx(1, abs=1e-6)

    def test_by_hand(self):
        vectors = by_hand(torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.0]]), ("a", "B", "c", "d"))
        assert [word for word, _ in vectors.neighbours("a", 9)] == ["c", "B", "d"]
        assert [value for _, value in vectors.neighbours("a", 9)] == pytest.approx([math.sqrt(0.5), 0, -1])
        assert vectors.neighbours("b", 1) == vectors.neighbours("B", 1)
        assert vectors.neighbours("a", 0) == ()
        assert vectors.nearest(torch.tensor([0.1, 5.0]))[0] == "B"
        assert vectors.nearest(torch.tensor([0.1, 5.0]), trained=False)[0] == "d"
        # c − a + B = (2, 5) is nearest to B, which is left out as it was asked with.
        assert vectors.analogy("a", "c", "B", 5) == (("d", pytest.approx(-2 / math.sqrt(29))),)

    def test_what_has_no_neighbours_is_refused(self):
        with pytest.raises(ValueError, match="'zebra'"):
            trained().neighbours("zebra", 3)
        with pytest.raises(ValueError, match="'zebra'"):
            trained().analogy("he", "zebra", "his", 1)
        with pytest.raises(ValueError, match=r"\(32,\), got \(1,\)"):
            trained().nearest(torch.ones(1))


class TestClasses:
    @EACH_LANGUAGE
    def test_every_word_has_one_and_every_one_has_words(self, language):
        found = Counter(word_class(word, language) for word in briefly(language=language).words)
        assert set(found) == set(CLASSES)
        assert min(found.values()) >= 3

    @pytest.mark.parametrize(
        ("name", "kinds"),
        [
            ("woman", "WOMAN"),
            ("man", "MAN"),
            ("people", "PEOPLE"),
            ("animal", "ANIMAL"),
            ("thing", "THING BOX"),
            ("place", "PLACE WAY"),
        ],
    )
    def test_an_english_noun_is_what_its_list_says_and_a_chinese_one_what_its_head_is(self, name, kinds):
        for kind in kinds.split():
            assert {word_class(word, "en") for word in ENGLISH.lists[kind]} == {name}
            for word in CHINESE.lists[kind]:
                tokens, head = CHINESE.parts(word)
                elsewhere = {k for k, nouns in CHINESE.lists.items() for noun in nouns if tokens[head] in noun} - {kind}
                if not elsewhere:
                    assert word_class(tokens[head], "zh") == name

    @pytest.mark.parametrize(
        ("language", "name", "words"),
        [
            ("en", "verb", "laughed gave seemed read did were cross"),
            ("en", "adjective", "brave red tired big tiny wooden"),
            ("en", "pronoun", "he she it they her their"),
            ("en", "function word", "the an my those because near very not , ."),
            ("zh", "verb", "笑 喂 遇 放 进 损"),
            ("zh", "adjective", "红 累 勇 贵"),
            ("zh", "pronoun", "他 她 它"),
            ("zh", "function word", "的 了 那 位 很 因 没 ， 。"),
            ("zh", "people", "们"),  # far more often in 孩子们 than in 他们
            ("zh", "thing", "子"),
            ("zh", "man", "小"),  # of 小伟 and of 小兰, with a few more of the first
        ],
    )
    def test_these_are(self, language, name, words):
        assert {word: word_class(word, language) for word in words.split()} == dict.fromkeys(words.split(), name)

    def test_what_has_no_class_is_refused(self):
        with pytest.raises(ValueError, match="'zebra'"):
            word_class("zebra", "en")
        with pytest.raises(ValueError, match="no grammar for 'fr'"):
            word_class("the", "fr")


class TestAgreement:
    def test_by_hand(self):
        vectors = torch.tensor([[1.0, 0.0], [9.0, 1.0], [0.0, 1.0], [1.0, 5.0], [0.0, -1.0]])
        # Nearest by angle: 0 ↔ 1, 2 ↔ 3, and the last one's is 0, at a right angle.
        assert class_agreement(vectors, ["a", "a", "a", "b", "a"]) == pytest.approx(3 / 5)
        assert class_agreement(vectors, ["a", "b", "a", "b", "c"]) == 0

    def test_chance_is_what_shuffled_classes_agree_on(self):
        generator = torch.Generator().manual_seed(0)
        vectors, names = torch.randn(60, 8, generator=generator), ["a"] * 30 + ["b"] * 20 + ["c"] * 10
        orders = [torch.randperm(60, generator=generator).tolist() for _ in range(300)]
        mean = sum(class_agreement(vectors, [names[i] for i in order]) for order in orders) / 300
        assert chance_agreement(names) == pytest.approx((30 * 29 + 20 * 19 + 10 * 9) / (60 * 59))
        assert mean == pytest.approx(chance_agreement(names), abs=0.02)

    def test_what_cannot_agree_is_refused(self):
        with pytest.raises(ValueError, match="got 3 and 2 classes"):
            class_agreement(torch.ones(3, 2), ["a", "b"])
        with pytest.raises(ValueError, match="2 words or more"):
            class_agreement(torch.ones(1, 2), ["a"])
        with pytest.raises(ValueError, match="2 words or more, got 1"):
            chance_agreement(["a"])


class TestPrincipalPlane:
    @pytest.mark.parametrize(("rows", "columns"), [(40, 6), (6, 40), (2, 2), (3, 2)])
    def test_it_is_that_of_the_covariances_largest_eigenvectors(self, rows, columns):
        vectors = torch.randn(rows, columns, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 5
        points, share = principal_plane(vectors)
        values, axes = np.linalg.eigh(np.cov(vectors.numpy().T))
        assert points.shape == (rows, 2)
        assert share.numpy() == pytest.approx((values / values.sum())[::-1][:2], abs=1e-9)
        centred = vectors.numpy() - vectors.numpy().mean(axis=0)
        for i in range(2 if rows > 2 else 1):
            axis = axes[:, -1 - i]
            assert points[:, i].numpy() == pytest.approx(centred @ (axis * np.sign(axis[np.abs(axis).argmax()])))

    def test_a_plane_in_space_is_found_whole(self):
        flat = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        points, share = principal_plane(flat @ torch.tensor([[0.6, 0.0, 0.8], [0.0, -1.0, 0.0]]))
        assert_close(points, flat * torch.tensor([1.0, -1.0]))
        assert_close(share, torch.tensor([0.9, 0.1]))

    def test_vectors_that_are_all_alike_vary_nowhere(self):
        points, share = principal_plane(torch.ones(3, 4))
        assert not points.any()
        assert not share.any()

    @pytest.mark.parametrize("shape", [(1, 4), (4, 1), (0, 3), (4,), (2, 3, 4)])
    def test_less_than_a_plane_is_refused(self, shape):
        with pytest.raises(ValueError, match="2 rows and 2 columns"):
            principal_plane(torch.ones(shape))


class TestTraining:
    @EACH_METHOD
    @EACH_LANGUAGE
    def test_the_same_arguments_give_the_same_numbers_on_any_number_of_threads(self, method, language):
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(4)
            one = learn_vectors(method, language=language, steps=12)
            assert torch.get_num_threads() == 4
            torch.set_num_threads(1)
            other = learn_vectors(method, language=language, steps=12)
        finally:
            torch.set_num_threads(before)
        assert torch.equal(one.before, other.before)
        assert torch.equal(one.after, other.after)
        assert one.losses == other.losses

    def test_method_seed_dim_and_window_make_a_difference(self):
        one = briefly()
        assert torch.equal(one.before, briefly("skip-gram").before)
        assert one.losses != briefly("skip-gram").losses
        assert not torch.equal(one.before, learn_vectors("cbow", seed=1, steps=0).before)
        assert one.losses[1:] != learn_vectors("cbow", steps=3, window=2).losses[1:]
        assert learn_vectors("cbow", steps=3, dim=2).after.shape == (len(one.words), 2)

    def test_the_global_random_state_is_left_alone_and_so_is_the_callers_gradient_mode(self):
        before = torch.get_rng_state()
        with torch.no_grad():
            one = learn_vectors("cbow", steps=3)
            assert not torch.is_grad_enabled()
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(one.after, briefly().after)

    def test_what_comes_back_is_frozen_finite_and_carries_no_gradient(self):
        for method in METHODS:
            vectors = trained(method)
            assert (vectors.method, vectors.language, len(vectors.losses)) == (method, "en", STEPS)
            assert list(vectors.words) == sorted(set(vectors.words))
            for table in (vectors.before, vectors.after):
                assert table.shape == (len(vectors.words), 32)
                assert table.isfinite().all()
                assert not table.requires_grad
            with pytest.raises(dataclasses.FrozenInstanceError):
                vectors.after = None

    def test_no_steps_learn_nothing(self):
        vectors = learn_vectors("cbow", steps=0)
        assert vectors.losses == ()
        assert torch.equal(vectors.before, vectors.after)

    def test_on_step_hears_of_every_step(self):
        heard = []
        vectors = learn_vectors("skip-gram", steps=5, on_step=lambda *told: heard.append(told))
        assert heard == [(step, 5, loss) for step, loss in enumerate(vectors.losses, start=1)]

    def test_what_on_step_raises_ends_the_training(self):
        heard, threads = [], torch.get_num_threads()

        def stop(step, steps, loss):
            heard.append(step)
            if step == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            learn_vectors("cbow", steps=5, on_step=stop)
        assert heard == [1, 2]
        assert torch.get_num_threads() == threads

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"method": "glove"}, "method must be one of cbow, skip-gram, got 'glove'"),
            ({"language": "fr"}, "no grammar for 'fr'"),
            ({"steps": -1}, "steps must be at least 0, got -1"),
            ({"dim": 0}, "dim must be at least 1, got 0"),
            ({"window": 0}, "window must be at least 1, got 0"),
        ],
    )
    def test_what_cannot_be_learned_is_refused(self, wrong, message):
        with pytest.raises(ValueError, match=message):
            learn_vectors(**{"method": "cbow"} | wrong)
