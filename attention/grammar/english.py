"""The English words and sentence shapes; attention/grammar/shapes.py says how a shape is read."""

from random import Random

from attention.grammar.shapes import Grammar, Word, pick, split_all

_NOUNS = {
    "WOMAN": """queen woman girl aunt sister mother daughter princess actress waitress grandmother niece lady nun witch
        heroine bride duchess wife Anna Maria Lucy Emma Clara Alice Julia Helen Nora Ruth""",
    "MAN": """king man boy uncle brother father son prince actor waiter grandfather nephew gentleman monk wizard
        hero groom duke husband Tom Paul Peter David Max Felix Oscar Henry Simon Jack""",
    "PEOPLE": """children students teachers soldiers farmers doctors nurses friends guests neighbors tourists workers
        singers dancers artists scientists sailors visitors twins cousins""",
    "ANIMAL": """animal dog cat horse cow sheep goat pig fox wolf bear lion tiger elephant monkey rabbit mouse squirrel
        turtle frog snake eagle owl crow parrot donkey camel duck goose hen""",
    "THING": """book letter ring key lamp hat coat umbrella mirror clock vase cup plate knife chair table picture map
        camera phone violin guitar drum ball kite candle flower apple cake sword crown necklace blanket shoe""",
    "BOX": "box bag suitcase basket drawer trunk crate backpack parcel case",
    "PLACE": "garden park forest kitchen library school market station museum castle temple village beach cave hotel",
    "WAY": "street road river bridge field canal path valley swamp square",
}
_PEOPLE = "brave kind clever young old tall proud shy happy sad polite rude rich poor gentle honest wise lonely angry"
_ADJECTIVES = {
    "WOMAN": _PEOPLE,
    "MAN": _PEOPLE,
    "PEOPLE": _PEOPLE,
    "ANIMAL": "small big old young hungry wild lazy clever shy gentle thirsty curious nervous",
    "THING": "small big old new heavy cheap expensive broken red blue green yellow beautiful wooden dirty clean",
    "BOX": "old new red blue green yellow beautiful wooden dirty clean strange",
    "PLACE": "quiet crowded old new beautiful famous empty strange large peaceful",
    "WAY": "old quiet beautiful famous empty",
}
_WORDS = {
    "FOUND": "found saw noticed remembered liked loved watched touched painted missed admired described ignored drew",
    "MET": "met thanked helped greeted followed called visited invited trusted forgave hugged praised",
    "FED": "fed washed chased counted caught protected rescued frightened",
    "LOST": "lost sold dropped hid cleaned carried forgot broke needed wanted",
    "GAVE": "gave brought showed sent offered handed",
    "MOVED": "slept rested waited ran ate arrived left walked jumped stopped swam vanished returned played fell",
    "SPOKE": "laughed sang smiled cried prayed danced whispered shouted talked read",
    "SHONE": "shone disappeared cracked burned changed",
    "MEET": "meet see help know trust follow visit thank like hear",
    "CROSS": "cross",
    "FIT": "fit",
    "DEGREE": "very so too rather quite",
    "TIRED": "tired sleepy scared weak hungry ill nervous thirsty",
    "WIDE": "wide broad dangerous wet slippery muddy dark deep",
    "BIG": "big large wide long",
    "RED": "red blue green yellow white black old new big small wooden dirty clean",
    "SMALL": "small tiny narrow short",
    "I": "I you we",
    "CAN": "can can't could must will should don't didn't",
    "LIKES": "likes has wants loves sees knows needs keeps",
    "BEGAN": "began tried wanted hoped decided refused",
    "SAID": "said knew thought hoped heard",
    "OFTEN": "today yesterday now again often quickly slowly here",
}
_ONE = ("the", "the", "a", "this", "that", "my", "our", "your")
_MANY = ("the", "the", "these", "those", "some", "many")
_SHAPES = """
WOMAN|MAN=a FOUND>a THING=b near|beside|behind WOMAN|MAN=c because PRON=p>abc seemed|looked>p ADJ(p)>p
WOMAN|MAN|PEOPLE|ANIMAL=a MOVED>a because PRON=p>a BE>p DEGREE>x ADJ(p)=x>p
WOMAN|MAN|PEOPLE|ANIMAL=a MOVED>a while|before|after WOMAN|MAN|PEOPLE|ANIMAL=b MOVED>b
WOMAN|MAN|PEOPLE=a SPOKE>a while|because WOMAN|MAN|PEOPLE=b SPOKE>b
WOMAN|MAN|PEOPLE=a FED>a ANIMAL=b before|after|when PRON=p>ab MOVED>p
WOMAN|MAN|PEOPLE=a LOST>a OWN>a -THING|-BOX=b in|near|behind PLACE=c
when WOMAN|MAN=a MET>a WOMAN|MAN|PEOPLE=b , PRON=p>ab SPOKE|MOVED>p
WOMAN|MAN=a GAVE>a THING|BOX=b to WOMAN|MAN|PEOPLE=c because PRON=p>abc BE>p ADJ(p)>p
WOMAN|MAN|PEOPLE=a MET>a WOMAN|MAN|PEOPLE=b in|near PLACE=c
THING=a SHONE>a because PRON=p>a BE>p DEGREE>x ADJ(p)=x>p
in|near PLACE=c , WOMAN|MAN=a FOUND>a WOMAN|MAN|PEOPLE=b and PRON=p>ab MOVED>p
WOMAN|MAN|PEOPLE=a did>a not MEET>a WOMAN|MAN|PEOPLE=b
ANIMAL=a did>a not CROSS>a WAY=b because it=p>a:meaning BE>p too>x TIRED=x>p
ANIMAL=a did>a not CROSS>a WAY=b because it=p>b:meaning BE>p too>x WIDE=x>p
BOX=a did>a not FIT>a in BOX=b because it=p>a:role BE>p too>x BIG=x>p
BOX=a did>a not FIT>a in BOX=b because it=p>b:role BE>p too>x SMALL=x>p
I=a CAN>a MEET>a WOMAN|MAN|PEOPLE=b
I=a FOUND|LOST>a THING|BOX|ANIMAL=b because PRON=p>b BE>p DEGREE>x ADJ(p)=x>p
WOMAN|MAN=a CAN>a MEET>a WOMAN|MAN=b but PRON=p>ab CAN>p not MEET>p I
WOMAN|MAN=a LIKES>a ANIMAL|THING=b and I=c FED>c THEM=q>b OFTEN
WOMAN|MAN|PEOPLE=a FOUND>a THING|ANIMAL=b and PRON=p>a LOST>p THEM=q>b
WOMAN|MAN=a told|asked>a WOMAN|MAN|PEOPLE=b that PRON=p>ab BE>p ADJ(p)>p
WOMAN|MAN|PEOPLE=a SAID>a that PRON=p>a CAN>p MEET>p I
WOMAN|MAN|PEOPLE=a BEGAN>a to MEET>a WOMAN|MAN|PEOPLE=b OFTEN
there was>b ANIMAL|THING=b in|near PLACE|WAY=c
THING|ANIMAL|PLACE|WOMAN|MAN|PEOPLE=a BE>a DEGREE>x ADJ(a)=x>a
THING|ANIMAL|WOMAN|MAN|PEOPLE=a BE>a ADJ(a)>a and PRON=p>a MOVED>p OFTEN
ANIMAL|PEOPLE|WOMAN|MAN=a in|near|on|behind PLACE|WAY|THING=c MOVED>a OFTEN
ANIMAL=a MOVED>a on|near|in THING|PLACE|BOX=b because PRON=p>a:pronoun BE>p DEGREE>x TIRED=x>p
did>a WOMAN|MAN|PEOPLE|ANIMAL=a MEET>a WOMAN|MAN|PEOPLE=b
MEET THING|BOX|WOMAN|MAN=b , please
WOMAN|MAN|PEOPLE=a FED|FOUND>a OWN>a -ANIMAL|-THING=b
WOMAN|MAN|PEOPLE=a FOUND>a the>b RED=x>b -THING=b and the>c RED=y>c -THING=c but LOST>a the>o @x=z>o one=o>b:same
WOMAN|MAN|PEOPLE=a FOUND>a the>b RED=x>b -THING=b and the>c RED=y>c -THING=c but LOST>a the>o @y=z>o one=o>c:same
"""


def _before(name: str, noun: str, adjectives: tuple[str, ...], rng: Random) -> list[Word]:
    """What stands before a noun: "the", "a brave"; nothing before a name."""
    if noun[0].isupper():
        return []
    described = [Word(pick(adjectives, rng), "adjective", name)] if rng.random() < 0.5 else []
    determiner = pick(_MANY if noun in _LISTS["PEOPLE"] else _ONE, rng)
    following = described[0].text if described else noun
    article = "an" if determiner == "a" and following[0] in "aeiou" else determiner
    return [Word(article, "determiner", name), *described]


def _agreeing(she: str, he: str, it: str, they: str) -> dict[str, tuple[str, ...]]:
    """For each class of nouns the word that agrees with it."""
    words = dict.fromkeys(_NOUNS, it) | {"WOMAN": she, "MAN": he, "PEOPLE": they}
    return {kind: tuple(word.split()) for kind, word in words.items()}


_LISTS = split_all(_NOUNS | _WORDS)
ENGLISH = Grammar(
    lists=_LISTS,
    fits=split_all(_ADJECTIVES),
    agreeing={
        "PRON": _agreeing("she", "he", "it", "they"),
        "OWN": _agreeing("her", "his", "its", "their"),
        "BE": _agreeing("was is", "was is", "was is", "were are"),
        "THEM": _agreeing("her", "him", "it", "them"),
    },
    relations={"PRON": "pronoun", "OWN": "pronoun", "THEM": "pronoun", "the": "determiner"}
    | dict.fromkeys(("too", "DEGREE"), "degree")
    | dict.fromkeys(("RED", "@"), "adjective")
    | dict.fromkeys(("ADJ", "TIRED", "WIDE", "BIG", "SMALL"), "predicate"),
    before=_before,
    parts=lambda word: ((word,), 0),
    join=lambda tokens: " ".join(tokens).replace(" ,", ",").replace(" .", "."),
    stop=".",
    shapes=tuple(_SHAPES.split("\n")[1:-1]),
)
