"""The Chinese words and sentence shapes; attention/grammar/shapes.py says how a shape is read. A token is a character.

The characters of a verb or adjective refer to what the word refers to, those of a noun or pronoun to its head: 国 → 王.
One layer knows no more of a character than the character itself, so each has one part to play: no noun's head is a part
of another word.
"""

from random import Random

from attention.grammar.lexicon import head_of
from attention.grammar.shapes import Grammar, Word, pick, split_all

# Noun class → measure word → the nouns it counts. Under "-" stand names and plurals, which are not counted.
_COUNTED = {
    "WOMAN": {
        "位": """姑妈 大妈 表姐 学姐 大姐 表妹 学妹 外婆 巫婆 阿姨 皇妃 公主 厨娘 大娘 新娘 孙女 侄女 少女 仙女 大婶
            大嫂 祖母 伯母 岳母 农妇""",
        "-": "小芳 小兰 小梅 小娟 小莉 小婷 小倩",
    },
    "MAN": {
        "位": """国王 皇帝 大叔 表哥 大哥 表弟 学弟 大舅 祖父 伯父 岳父 神父 渔夫 农夫 车夫 樵夫 骑士 武士 老翁 新郎
            少爷 和尚""",
        "-": "小军 小伟 小杰 小鹏 小磊 小涛 小龙",
    },
    "PEOPLE": {"-": "学生们 孩子们 朋友们 老师们 工人们 邻居们 演员们 村民们 游客们 司机们 警察们 记者们 医生们"},
    "ANIMAL": {
        "只": """动物 小狗 花猫 老虎 狮子 猴子 兔子 山羊 小鸡 小鸭 白鹅 乌龟 青蛙 狐狸 黑熊 松鼠 老鹰 乌鸦 鹦鹉 孔雀
            麻雀 小猫""",
        "头": "大象 黄牛 骆驼 毛驴 小猪",
        "匹": "灰狼",
        "条": "毒蛇 鲤鱼",
    },
    "THING": {
        "本": "小说 字典 画册",
        "支": "铅笔 蜡烛",
        "把": "雨伞 椅子 宝剑 钥匙 梳子",
        "张": "桌子 毛毯",
        "个": "苹果 蛋糕 花瓶 气球 风筝 闹钟 铃铛 水杯 玩具",
        "顶": "帽子 皇冠",
        "条": "围巾 项链 裙子",
        "盏": "台灯",
        "面": "镜子",
        "架": "钢琴 飞机",
        "块": "宝石",
    },
    "BOX": {"个": "箱子 盒子 袋子 篮子 书包 木桶 抽屉 罐子"},
    "PLACE": {
        "个": "花园 森林 教室 厨房 书房 商店 车站 村庄 市场",
        "座": "城堡 寺庙",
        "所": "学校 医院",
        "家": "饭店",
    },
    "WAY": {"条": "马路 大街 小河 山谷 小溪 隧道", "座": "木桥", "片": "草地"},
}
_PEOPLE = "勇敢 善良 聪明 年轻 骄傲 害羞 快乐 悲伤 礼貌 富裕 贫穷 温柔 诚实 孤独 安静 幽默 谦虚 慷慨 勤劳 热情"
_ADJECTIVES = {
    "WOMAN": _PEOPLE,
    "MAN": _PEOPLE,
    "PEOPLE": _PEOPLE,
    "ANIMAL": "可爱 聪明 懒惰 胆怯 温顺 活泼 调皮 警觉 凶猛",
    "THING": "便宜 昂贵 漂亮 破旧 干净 肮脏 精致 结实 奇怪 崭新",
    "BOX": "便宜 昂贵 漂亮 破旧 干净 肮脏 精致 结实 崭新",
    "PLACE": "安静 美丽 热闹 古老 著名 宽敞",
    "WAY": "安静 美丽 古老 著名",
}
_WORDS = {
    "FOUND": "看见 看到 发现 找到 碰到 拍到 画",
    "MET": "遇见 感谢 帮助 拜访 邀请 原谅 拥抱 称赞 问候",
    "FED": "喂 救 保护 追赶 抓住 惊动",
    "LOST": "弄丢 卖掉 带来 拿走 找回 藏起",
    "BOUGHT": "买 挑 选 要",
    "GAVE": "送给 递给 借给 还给",
    "MOVED": "睡着 休息 离开 消失 停下 回来 摔倒 逃走 出发 醒来 游泳",
    "SPOKE": "笑 哭 唱歌 跳舞 祈祷 叫喊 读书",
    "SHONE": "损坏 破碎 掉落 消失 变色",
    "CROSS": "过 穿过 走过",
    "DEGREE": "很 太 非常 特别 十分",
    "RED": "红色 蓝色 绿色 紫色 灰色 金色 银色 粉色 棕色 橙色",
    "TIRED": "累 困 饿 渴 弱 胖 懒 笨",
    "WIDE": "宽 滑 险 暗 湿 远",
    "BIG": "大 长 粗 宽",
    "SMALL": "小 短 窄 矮",
    "I": "我 你 我们",
    "SUBJECT": "我 你 我们 他 她 它 他们 她们 大家 谁",
    "CAN": "会 能 想 要 可以 应该",
    "TIME": "今天 昨天 现在 早上",
    "HE": "他 她 它",
    "SAID": "觉得 以为 希望",
    "LET": "让 请 叫",
    "LIKES": "喜欢 爱 想 要 会 能 开始 学习",
}
_BARE = 0.35  # the share of nouns with nothing before them
_SHAPES = """
在 WOMAN|MAN=c 旁边 ， WOMAN|MAN=a FOUND>a 了 THING=b ， 因为 PRON=p>abc DEGREE>x ADJ(p)=x>p
WOMAN|MAN|PEOPLE|ANIMAL=a MOVED>a 了 ， 因为 PRON=p>a DEGREE>x ADJ(p)=x>p
WOMAN|MAN|PEOPLE|ANIMAL=a MOVED>a 了 ， 但是 WOMAN|MAN|PEOPLE|ANIMAL=b MOVED>b 了
WOMAN|MAN|PEOPLE=a SPOKE>a 时 ， WOMAN|MAN|PEOPLE=b 在 SPOKE>b
WOMAN|MAN|PEOPLE=a FED>a 了 ANIMAL=b ， 然后 PRON=p>ab MOVED>p 了
WOMAN|MAN|PEOPLE=a 在 PLACE=c 里 LOST>a 了 OWN>a 的>b -THING|-BOX=b
WOMAN|MAN=a MET>a 了 WOMAN|MAN|PEOPLE=b ， 然后 PRON=p>ab MOVED|SPOKE>p 了
WOMAN|MAN=a GAVE>a 了 WOMAN|MAN|PEOPLE=c THING|BOX=b ， 因为 PRON=p>abc DEGREE>x ADJ(p)=x>p
WOMAN|MAN|PEOPLE=a 在 PLACE=c 里 MET>a 了 WOMAN|MAN|PEOPLE=b
THING=a SHONE>a 了 ， 因为 PRON=p>a DEGREE>x ADJ(p)=x>p
在 PLACE=c 里 ， WOMAN|MAN=a FOUND>a 了 WOMAN|MAN|PEOPLE=b ， PRON=p>ab MOVED>p 了
WOMAN|MAN|PEOPLE=a 没有 MET>a WOMAN|MAN|PEOPLE=b
I=a FOUND|BOUGHT>a 了 THING|BOX=b ， 因为 PRON=p>b DEGREE>x ADJ(p)=x>p
I=a CAN>a MET>a WOMAN|MAN|PEOPLE=b
WOMAN|MAN|PEOPLE|ANIMAL|THING|PLACE=a DEGREE>x ADJ(a)=x>a
WOMAN|MAN|ANIMAL=a FOUND|BOUGHT>a 了 THING=b ， 因为 PRON=p>a DEGREE>x TIRED=x>p
ANIMAL=a FED|BOUGHT|FOUND>a 了 THING=b ， 因为 它=p>a:pronoun DEGREE>x TIRED=x>p
WOMAN|MAN|PEOPLE=a 在 PLACE=c 里 MOVED|SPOKE>a ， PRON=p>a DEGREE>x ADJ(p)=x>p
WOMAN|MAN=a SAID>a PRON=p>a DEGREE>x ADJ(p)=x>p
SUBJECT=a 在 PLACE=c 里 MOVED|SPOKE>a
SUBJECT=a TIME MOVED|SPOKE>a
TIME SUBJECT=a FOUND|BOUGHT|LOST>a 了 THING|BOX=b
SUBJECT=a LIKES>a BOUGHT|FED>a -THING|-ANIMAL|-BOX=b
WOMAN|MAN|PEOPLE|ANIMAL=a LIKES>a BOUGHT|FED>a -THING|-ANIMAL=b
SUBJECT=a LIKES|CAN>a MOVED|SPOKE>a 吗|吧|了
SUBJECT=a 不|没有 LIKES|MOVED|FOUND>a -THING|-PLACE=b
WOMAN|MAN|PEOPLE=a LET>a I=b FED|BOUGHT|CROSS>b -THING|-PLACE|-ANIMAL=c
WOMAN|MAN|PEOPLE|ANIMAL|THING=a DEGREE>x ADJ(a)=x>a ， 但是|可是|也 DEGREE>y ADJ(a)=y>a
THING|BOX|PLACE=a DEGREE>x ADJ(a)=x>a 了
SUBJECT|WOMAN|MAN|ANIMAL=a MOVED|SPOKE>a 得 DEGREE>x TIRED=x>a
I -WOMAN|-MAN=a FED|FOUND|LIKES>a -THING|-ANIMAL=b
I|HE -WOMAN|-MAN=a DEGREE>x ADJ(a)=x>a
WOMAN|MAN=a 和|跟 WOMAN|MAN|I=b 在 PLACE=c 里 SPOKE|MOVED>b
WOMAN|MAN|PEOPLE|ANIMAL=a 比 WOMAN|MAN|I|ANIMAL=b TIRED=x>a
WOMAN|MAN|PEOPLE=a 告诉>a I|WOMAN|MAN=b PRON=p>a DEGREE>x TIRED=x>p
WOMAN|MAN|PEOPLE=a SAID>a PRON=p>a TIME CAN>p MOVED|SPOKE>p
WOMAN|MAN=a 给 I|WOMAN|MAN=b FOUND|BOUGHT|SPOKE>a 了 THING=c
WOMAN|MAN|PEOPLE|I=a 带>a I|WOMAN|MAN=b 去>a PLACE=c
PLACE|BOX=c 里 有 THING|BOX|ANIMAL=b
THING|ANIMAL|WOMAN|MAN=a SHONE|MOVED>a 了 ， THING|ANIMAL|SUBJECT=b SHONE|MOVED>b 了
THING|ANIMAL|WOMAN|MAN=a SHONE|MOVED>a 了 ， 因为 PRON=p>a DEGREE>x TIRED|BIG|SMALL=x>p
THING|BOX=a SHONE>a 了 ， I=b LIKES>b FED|LOST>b PRON=p>a
-WOMAN|-MAN|-PEOPLE=a BOUGHT|FOUND>a 的>b -THING=b DEGREE>x ADJ(b)=x>b
RED=x>b 的>b -THING|-WAY=b DEGREE>x ADJ(b)=x>b
WOMAN|MAN|SUBJECT=a FOUND|LOST>a 着|过 THING|ANIMAL=b
WOMAN|MAN=a DEGREE>x ADJ(a)=x>a ， 因为 PRON=p>a 的>b -ANIMAL|-THING=b MOVED|SHONE>b 了
WOMAN|MAN|PEOPLE|ANIMAL=a FED|MET>a WOMAN|MAN|PEOPLE|ANIMAL=b
WOMAN|MAN|PEOPLE|ANIMAL=a FED|MET>a WOMAN|MAN|PEOPLE|ANIMAL=b ， 因为 PRON=p>ab MOVED|SPOKE>p 了
WOMAN|MAN|SUBJECT=a 是>a -WOMAN|-MAN|-PEOPLE=b
WOMAN|MAN|SUBJECT=a 有>a THING|ANIMAL|BOX=b
WOMAN|MAN|PEOPLE=a DEGREE>x ADJ(a)=x>a ， 所以 PRON=p>a MOVED|SPOKE>p 了
TIME I=a 没有 FOUND>a THING|BOX=b
WOMAN|MAN|PEOPLE|I=a TIME CAN>a MOVED|SPOKE>a
I|WOMAN|MAN=a CAN>a 去>a PLACE=b
I|WOMAN|MAN|ANIMAL=a 把 THING|BOX=b LOST|BOUGHT>a 了
HE 的>b -THING|-ANIMAL|-MAN|-WOMAN=b DEGREE>x ADJ(b)=x>b
-WOMAN|-MAN=c 的>b -THING|-BOX|-ANIMAL=b DEGREE>x ADJ(b)=x>b
PLACE=c 里 的>b -THING|-ANIMAL=b DEGREE>x ADJ(b)=x>b
WOMAN|MAN|ANIMAL=a 没有 MOVED>a ， 因为 PRON=p>a MOVED>p 了
WOMAN|MAN|ANIMAL=a FED|FOUND|MOVED>a 了 THING|ANIMAL=b
I=a DEGREE>x TIRED=x>a
WOMAN|MAN=a 在 PLACE=c 里 SPOKE>a
I=a 的>b -WOMAN|-MAN|-THING=b DEGREE>x ADJ(b)=x>b
ANIMAL|WOMAN|MAN=a 在 WAY|PLACE|THING=c 上 MOVED>a
TIME WOMAN|MAN|PEOPLE=a DEGREE>x ADJ(a)=x>a ， 因为 PRON=p>a MOVED>p 了
ANIMAL=a 没有 CROSS>a WAY=b ， 因为 它=p>a:meaning 太>x TIRED=x>p 了
ANIMAL=a 没有 CROSS>a WAY=b ， 因为 它=p>a:meaning 太>x TIRED=x>p 了
ANIMAL=a 没有 CROSS>a WAY=b ， 因为 它=p>b:meaning 太>x WIDE=x>p 了
ANIMAL=a 没有 CROSS>a WAY=b ， 因为 它=p>b:meaning 太>x WIDE=x>p 了
BOX=a 放>a 不 进>a BOX=b ， 因为 它=p>a:role 太>x BIG=x>p 了
BOX=a 放>a 不 进>a BOX=b ， 因为 它=p>a:role 太>x BIG=x>p 了
BOX=a 放>a 不 进>a BOX=b ， 因为 它=p>b:role 太>x SMALL=x>p 了
BOX=a 放>a 不 进>a BOX=b ， 因为 它=p>b:role 太>x SMALL=x>p 了
WOMAN|MAN=a FOUND>a 了 RED=x>b 的>b -THING=b 和 RED=y>c 的>c -THING=c ， PRON=p>a BOUGHT>p 了 @x=z>o 的>o 那个=o>b:same
WOMAN|MAN=a FOUND>a 了 RED=x>b 的>b -THING=b 和 RED=y>c 的>c -THING=c ， PRON=p>a BOUGHT>p 了 @x=z>o 的>o 那个=o>b:same
WOMAN|MAN=a FOUND>a 了 RED=x>b 的>b -THING=b 和 RED=y>c 的>c -THING=c ， PRON=p>a BOUGHT>p 了 @y=z>o 的>o 那个=o>c:same
WOMAN|MAN=a FOUND>a 了 RED=x>b 的>b -THING=b 和 RED=y>c 的>c -THING=c ， PRON=p>a BOUGHT>p 了 @y=z>o 的>o 那个=o>c:same
"""


def _before(name: str, noun: str, adjectives: tuple[str, ...], rng: Random) -> list[Word]:
    """What stands before a noun: 那位, 这位勇敢的, 聪明的; nothing before a name."""
    measure = _MEASURES[noun]
    if (measure == "-" and not noun.endswith("们")) or rng.random() < _BARE:
        return []
    described = [Word(pick(adjectives, rng), "adjective", name), Word("的", "adjective", name)]
    counted = [Word(pick("那那这这一两三", rng), "determiner", name), Word(measure, "determiner", name)]
    return [*(counted if measure != "-" else []), *(described if rng.random() < 0.3 else [])]


_MEASURES = {
    noun: measure for counted in _COUNTED.values() for measure, nouns in counted.items() for noun in nouns.split()
}
_NOUNS = {kind: " ".join(counted.values()) for kind, counted in _COUNTED.items()}
_PRONOUNS = dict.fromkeys(_NOUNS, ("它",)) | {"WOMAN": ("她",), "MAN": ("他",), "PEOPLE": ("他们",)}

CHINESE = Grammar(
    lists=split_all(_NOUNS | _WORDS),
    fits=split_all(_ADJECTIVES),
    agreeing={"PRON": _PRONOUNS, "OWN": _PRONOUNS},
    relations={"PRON": "pronoun", "OWN": "pronoun", "太": "degree", "DEGREE": "degree"}
    | dict.fromkeys(("的", "RED", "@"), "adjective")
    | dict.fromkeys(("ADJ", "TIRED", "WIDE", "BIG", "SMALL"), "predicate"),
    before=_before,
    parts=lambda word: (tuple(word), head_of(word)),
    join="".join,
    stop="。",
    acting=frozenset(("FOUND", "MET", "FED", "LOST", "BOUGHT", "GAVE", "CROSS", "LIKES", "告诉", "有")),
    acted_on=frozenset(("I", "PRON")),
    shapes=tuple(_SHAPES.split("\n")[1:-1]),
)
