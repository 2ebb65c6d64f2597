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
    "STUFF": "water milk bread rice salt sugar coffee tea meat fruit money paper wood snow rain hair music homework",
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
    "STUFF": "cold hot fresh white cheap expensive clean good soft black",
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
    "GO": "sleep rest wait run eat arrive leave walk jump swim play sing dance return",
    "TALLER": "taller bigger smaller older younger stronger faster nicer",
    "CROSS": "cross",
    "FIT": "fit",
    "DEGREE": "very so too rather quite",
    "TIRED": "tired sleepy scared weak hungry ill nervous thirsty",
    "WIDE": "wide broad dangerous wet slippery muddy dark deep",
    "BIG": "big large wide long",
    "RED": "red blue green yellow white black old new big small wooden dirty clean",
    "SMALL": "small tiny narrow short",
    "I": "I you we",
    "SUBJECT": "I you we he she it they everyone nobody somebody",
    "ONE": "he she it everyone nobody somebody",
    "MORE": "you we they",
    "US": "me us you",
    "CAN": "can can't could must will should don't didn't",
    "LIKES": "likes has wants loves sees knows needs keeps",
    "BEGAN": "began tried wanted hoped decided refused",
    "SAID": "said knew thought hoped heard",
    "OFTEN": "today yesterday now again often quickly slowly here",
}
_ONE = ("the", "the", "the", "a", "a", "this", "that", "my", "our", "your", "every", "another")
_MUCH = ("the", "the", "this", "my", "our", "some")
_MANY = ("the", "the", "these", "those", "some", "many", "two", "three", "all")
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
ANIMAL=a did>a not CROSS>a WAY=b because it=p>a:meaning BE>p too>x TIRED=x>p
ANIMAL=a did>a not CROSS>a WAY=b because it=p>b:meaning BE>p too>x WIDE=x>p
ANIMAL=a did>a not CROSS>a WAY=b because it=p>b:meaning BE>p too>x WIDE=x>p
BOX=a did>a not FIT>a in BOX=b because it=p>a:role BE>p too>x BIG=x>p
BOX=a did>a not FIT>a in BOX=b because it=p>a:role BE>p too>x BIG=x>p
BOX=a did>a not FIT>a in BOX=b because it=p>b:role BE>p too>x SMALL=x>p
BOX=a did>a not FIT>a in BOX=b because it=p>b:role BE>p too>x SMALL=x>p
I=a CAN>a MEET>a WOMAN|MAN|PEOPLE=b
I=a FOUND|LOST>a THING|BOX|ANIMAL=b because PRON=p>b BE>p DEGREE>x ADJ(p)=x>p
WOMAN|MAN=a CAN>a MEET>a WOMAN|MAN=b but PRON=p>ab CAN>p MEET>p US
WOMAN|MAN=a LIKES>a ANIMAL|THING=b and I=c FED>c THEM=q>b OFTEN
WOMAN|MAN|PEOPLE=a FOUND>a THING|ANIMAL=b and PRON=p>a LOST>p THEM=q>b
WOMAN|MAN=a told|asked>a WOMAN|MAN|PEOPLE=b that PRON=p>ab BE>p ADJ(p)>p
WOMAN|MAN|PEOPLE=a SAID>a that PRON=p>a CAN>p MEET>p US
WOMAN|MAN|PEOPLE=a BEGAN>a to MEET>a WOMAN|MAN|PEOPLE=b OFTEN
there was>b ANIMAL|THING=b in|near PLACE|WAY=c
THING|ANIMAL|PLACE|WOMAN|MAN|PEOPLE=a BE>a DEGREE>x ADJ(a)=x>a
THING|ANIMAL|WOMAN|MAN|PEOPLE=a BE>a ADJ(a)>a and PRON=p>a MOVED>p OFTEN
ANIMAL|PEOPLE|WOMAN|MAN=a in|near|on|behind PLACE|WAY|THING=c MOVED>a OFTEN
ANIMAL=a MOVED>a on|near|in THING|PLACE|BOX=b because it=p>a:pronoun was>p DEGREE>x TIRED=x>p
ANIMAL=a FED|FOUND|LOST>a THING|STUFF=b because it=p>a:pronoun was>p TIRED=x>p
did>a WOMAN|MAN|PEOPLE|ANIMAL=a MEET>a WOMAN|MAN|PEOPLE=b
MEET THING|BOX|WOMAN|MAN=b , please
WOMAN|MAN|PEOPLE=a FED|FOUND>a OWN>a -ANIMAL|-THING=b
WOMAN|MAN|PEOPLE=a LOST>a OWN>a RED=x>b -THING|-BOX=b OFTEN
WOMAN|MAN|ANIMAL=a LIKES|FOUND>a -STUFF|-PEOPLE=b
WOMAN|MAN=a LIKES|FOUND>a RED=x>b -STUFF|-PEOPLE=b
THING|STUFF|PLACE|PEOPLE|ANIMAL=a BE>a ADJ(a)=x>a and|but|or ADJ(a)=y>a
WOMAN|MAN|ANIMAL|THING|PLACE|PEOPLE=a BE>a TALLER=x>a than WOMAN|MAN|ANIMAL|THING|PLACE=b
where|when|why did>a SUBJECT|WOMAN|PEOPLE=a MEET>a THING|MAN|WOMAN|STUFF=b
CAN|did>a SUBJECT|WOMAN|PEOPLE=a MEET>a WOMAN|MAN|THING|US=b
WOMAN|MAN|PEOPLE=a who|that SPOKE>a MOVED>a
WOMAN|MAN|PEOPLE|ANIMAL=a with|near|behind|under THING|BOX|STUFF=c MOVED|SPOKE>a
WOMAN|MAN|PEOPLE|ANIMAL=a GAVE>a US THING|STUFF|BOX=b OFTEN
SUBJECT=a GAVE>a WOMAN|MAN|PEOPLE=b THING|STUFF=c
WOMAN|MAN|PEOPLE=a FOUND>a THING|BOX|STUFF=b and GAVE>a THEM=q>b to WOMAN|MAN|PEOPLE=c
WOMAN|MAN|PEOPLE|ANIMAL=a FOUND|FED>a ANIMAL|THING=b and MOVED|SPOKE>a OFTEN
THING|STUFF|ANIMAL=a SHONE|MOVED>a when|because WOMAN|MAN|PEOPLE=b FED|LOST>b THEM=q>a
ONE=a was|is|seemed>a DEGREE>x TIRED=x>a OFTEN
MORE=a were|are|seemed>a DEGREE>x TIRED=x>a OFTEN
ONE=a was|is>a TIRED=x>a because|when SUBJECT=b MOVED>b
MORE=a were|are>a TIRED=x>a because|when SUBJECT=b MOVED>b
SUBJECT=a CAN>a MEET>a WOMAN|MAN|THING|STUFF|US=b OFTEN
SUBJECT=a MOVED>a in|to|near|from PLACE|THING=b
SUBJECT=a FOUND|LOST|MET>a THING|STUFF|WOMAN|MAN|US=b
THING|STUFF|PLACE|PEOPLE=a BE|seemed|looked>a DEGREE>x ADJ(a)=x>a and|but SUBJECT=b MOVED>b
THING|STUFF|PLACE|PEOPLE|WOMAN=a BE>a in|on|near|behind THING|BOX|PLACE=b
THING|STUFF|ANIMAL|WOMAN|PEOPLE=a CAN>a GO>a OFTEN
CAN|did>a SUBJECT|WOMAN|ANIMAL=a GO>a OFTEN
WOMAN|MAN|PEOPLE=a FOUND>a the>b RED=x>b -THING=b and the>c RED=y>c -THING=c but LOST>a the>o @x=z>o one=o>b:same
WOMAN|MAN|PEOPLE=a FOUND>a the>b RED=x>b -THING=b and the>c RED=y>c -THING=c but LOST>a the>o @x=z>o one=o>b:same
WOMAN|MAN|PEOPLE=a FOUND>a the>b RED=x>b -THING=b and the>c RED=y>c -THING=c but LOST>a the>o @y=z>o one=o>c:same
WOMAN|MAN|PEOPLE=a FOUND>a the>b RED=x>b -THING=b and the>c RED=y>c -THING=c but LOST>a the>o @y=z>o one=o>c:same
"""


def _before(name: str, noun: str, adjectives: tuple[str, ...], rng: Random) -> list[Word]:
    """What stands before a noun: "the", "a brave"; nothing before a name."""
    if noun[0].isupper():
        return []
    described = [Word(pick(adjectives, rng), "adjective", name)] if rng.random() < 0.5 else []
    kinds = {"PEOPLE": _MANY, "STUFF": _MUCH}
    determiner = pick(next((kinds[kind] for kind in kinds if noun in _LISTS[kind]), _ONE), rng)
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
    acting=frozenset(("FOUND", "MET", "FED", "LOST", "GAVE", "MEET", "LIKES", "CROSS", "told", "asked")),
    acted_on=frozenset(("US", "THEM")),
    shapes=tuple(_SHAPES.split("\n")[1:-1]),
)
