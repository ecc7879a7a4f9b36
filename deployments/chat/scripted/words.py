"""Who may play in a story: kinds, names, colours and clothes, in words that the painter knows too."""

# ruff: noqa: E501, SIM905 (tables)

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A species or a sort of person: `zh` and `en` are what it is called, with its usual colour ("" for people)."""

    zh: str
    en: str
    zh_colour: str
    en_colour: str
    measure: str
    zh_words: tuple[str, ...]
    en_words: tuple[str, ...]
    person: bool = False
    she: bool | None = None


def _kinds(rows: str) -> tuple[Kind, ...]:
    """Rows: zh / en / zh colour / en colour / measure word / zh words / en words / person, she, he."""
    kinds = []
    for row in rows.strip().splitlines():
        zh, en, zh_colour, en_colour, measure, zh_words, en_words, who = (cell.strip() for cell in row.split("/"))
        she = True if "she" in who.split() else False if "he" in who.split() else None
        words = tuple(zh_words.split()), tuple(en_words.split())
        kinds.append(Kind(zh, en, zh_colour, en_colour, measure, *words, "person" in who, she))
    return tuple(kinds)


KINDS = _kinds("""
    小狐狸 / fox       / 橙色 / orange          / 只 / 狐狸           / fox foxes           /
    小兔子 / rabbit    / 白色 / white           / 只 / 兔子 小兔 白兔 兔 / rabbit rabbits bunny hare /
    小熊   / bear      / 棕色 / brown           / 只 / 小熊 狗熊 棕熊 北极熊 大熊 熊 / bear bears   /
    小熊猫 / panda     / 黑白相间 / black and white / 只 / 熊猫       / panda pandas        /
    小猫   / cat       / 灰色 / gray            / 只 / 小猫 猫咪 花猫 黑猫 白猫 大猫 猫 / cat cats kitten kitty /
    小狗   / dog       / 棕色 / brown           / 只 / 小狗 狗狗 大狗 黄狗 狗 / dog dogs puppy  /
    小老鼠 / mouse     / 灰色 / gray            / 只 / 老鼠 小鼠 田鼠   / mouse mice          /
    小松鼠 / squirrel  / 棕色 / brown           / 只 / 松鼠           / squirrel squirrels  /
    小鹿   / deer      / 棕色 / brown           / 只 / 小鹿 梅花鹿 鹿   / deer fawn           /
    小象   / elephant  / 灰色 / gray            / 头 / 小象 大象       / elephant elephants  /
    小狮子 / lion      / 金黄色 / golden        / 只 / 狮子           / lion lions          /
    小老虎 / tiger     / 橙色 / orange          / 只 / 老虎 小虎       / tiger tigers        /
    小猪   / pig       / 粉色 / pink            / 只 / 小猪 猪猪 猪     / pig pigs piglet     /
    小牛   / cow       / 黑白相间 / black and white / 头 / 小牛 奶牛 牛牛 / cow cows calf    /
    小羊   / sheep     / 白色 / white           / 只 / 小羊 绵羊 山羊 羊羊 / sheep lamb       /
    小鸭子 / duck      / 黄色 / yellow          / 只 / 小鸭 鸭子       / duck ducks duckling /
    小鸡   / chicken   / 黄色 / yellow          / 只 / 小鸡 母鸡 公鸡   / chicken chick hen   /
    小青蛙 / frog      / 绿色 / green           / 只 / 青蛙           / frog frogs          /
    小乌龟 / turtle    / 绿色 / green           / 只 / 乌龟 海龟       / turtle turtles tortoise /
    小企鹅 / penguin   / 黑白相间 / black and white / 只 / 企鹅       / penguin penguins    /
    小猫头鹰 / owl     / 棕色 / brown           / 只 / 猫头鹰         / owl owls            /
    小龙   / dragon    / 绿色 / green           / 条 / 恐龙 小龙 飞龙 巨龙 龙 / dragon dragons dinosaur /
    小鸟   / bird      / 蓝色 / blue            / 只 / 小鸟 鸟儿 麻雀 燕子 鸟 / bird birds sparrow /
    小鱼   / fish      / 橙色 / orange          / 条 / 小鱼 金鱼 鱼儿   / fish goldfish       /
    小蝴蝶 / butterfly / 黄色 / yellow          / 只 / 蝴蝶           / butterfly butterflies /
    小机器人 / robot   / 银色 / silver          / 个 / 机器人         / robot robots        /
    小女孩 / girl      /      /                 / 个 / 女孩 小姑娘 姑娘 女生 公主 妹妹 姐姐 / girl girls princess sister / person she
    小男孩 / boy       /      /                 / 个 / 男孩 男生 王子 弟弟 哥哥 小伙子 / boy boys prince brother / person he
    小朋友 / child     /      /                 / 个 / 孩子 小朋友 宝宝 宇航员 / child children kid astronaut / person
    奶奶   / grandmother /    /                 / 位 / 奶奶 外婆 姥姥 婆婆 / grandmother grandma granny / person she
    爷爷   / grandfather /    /                 / 位 / 爷爷 外公 姥爷   / grandfather grandpa / person he
    国王   / king      /      /                 / 位 / 国王           / king                / person he
    女王   / queen     /      /                 / 位 / 女王 王后       / queen               / person she
    阿姨   / woman     /      /                 / 位 / 阿姨 妈妈 女人 女士 / woman mother mom lady / person she
    叔叔   / man       /      /                 / 位 / 叔叔 爸爸 男人 先生 / man father dad sailor farmer / person he
""")
SINGLE = {"兔", "熊", "猫", "狗", "鹿", "猪", "龙", "鸟"}  # too short to be trusted inside a topic

HEROES = [
    *"fox rabbit bear panda cat dog mouse squirrel deer elephant lion tiger pig cow sheep duck frog turtle penguin owl "
    "dragon robot girl boy child".split()
]
HELPERS = "fox rabbit bear panda cat dog mouse squirrel deer elephant pig sheep duck frog turtle owl".split()
OTHERS = "cat dog mouse squirrel deer sheep duck chicken frog turtle rabbit pig bird".split()
BY_WORD = {kind.en: kind for kind in KINDS}

ZH_NAMES = (
    "莫莫 朵朵 豆豆 果果 圆圆 橙橙 米粒 团团 乐乐 点点 毛毛 糖糖 小满 阿布 布丁 可可 花生 麦麦 奇奇 西西 泡泡 核桃 栗子 "
    "豆包 叮当 阿狸 安安 小满 多多 贝贝 桃桃 星星 嘟嘟 芽芽 波波"
).split()
EN_HE_NAMES = "Milo Pip Otto Toby Finn Leo Max Ollie Benny Jasper Theo Bramble Gus Sam Felix Nico Robin Rusty".split()
EN_SHE_NAMES = "Luna Hazel Poppy Daisy Mia Ruby Clover Nina Willow Bella Maple Tilly Ivy Olive Pearl Rosie Zoe".split()
EN_SHE_HINTS = (
    "lily lucy emily emma anna alice grace mary rose sophie sophia chloe ella olivia molly amy jane kate sarah "
    "maria julia laura nora clara eva amelia "
)
ZH_SHE_HINTS = "娜丽莉芳红花美婷妮莎娅雪玲燕萍梅兰婉娟秀珍琴月雅静"

COLOURS = [
    ("红色", "red"),
    ("蓝色", "blue"),
    ("黄色", "yellow"),
    ("绿色", "green"),
    ("紫色", "purple"),
    ("粉色", "pink"),
]
CLOTHES = [
    ("围着{colour}的围巾", "with {a} {colour} scarf"),
    ("戴着{colour}的帽子", "with {a} {colour} hat"),
    ("背着{colour}的背包", "with {a} {colour} backpack"),
    ("戴着{colour}的眼镜", "with {colour} glasses"),
]
DRESS = ("穿着{colour}的裙子", "with {a} {colour} dress")
CROWN = ("戴着金色的王冠", "with a golden crown")
THINGS = [
    ("风筝", "kite"),
    ("气球", "balloon"),
    ("灯笼", "lantern"),
    ("雨伞", "umbrella"),
    ("图画书", "picture book"),
    ("小船", "toy boat"),
]
TOYS = (0, 1, 5)  # the things one plays with
ZH_THINGS = {"风筝": 0, "气球": 1, "灯笼": 2, "伞": 3, "书": 4, "船": 5}
EN_THINGS = {"kite": 0, "balloon": 1, "lantern": 2, "umbrella": 3, "book": 4, "boat": 5}


def find_kinds(text: str, language: str, loose: bool = False) -> list[Kind]:
    """The kinds that the text names, in its order, longest words first; `loose` also trusts single characters."""
    found: dict[int, Kind] = {}
    taken: set[int] = set()
    low = text.lower()
    words = [(word, kind) for kind in KINDS for word in (kind.zh_words if language == "zh" else kind.en_words)]
    for word, kind in sorted(words, key=lambda pair: -len(pair[0])):
        if word in SINGLE and not loose:
            continue
        start = low.find(word)
        while start >= 0:
            span = set(range(start, start + len(word)))
            whole = language == "zh" or not any(
                0 <= at < len(low) and low[at].isalnum() for at in (start - 1, start + len(word))
            )
            if whole and not span & taken:
                taken |= span
                found.setdefault(start, kind)
            start = low.find(word, start + 1)
    return list(dict.fromkeys(found[start] for start in sorted(found)))


def article(phrase: str) -> str:
    """`a` or `an`, by the sound that the phrase most likely begins with."""
    low = phrase.lower()
    if low.startswith(("uni", "use", "one", "eu", "ufo", "ukulele")):
        return "a"
    return "an" if low[:1] in set("aeiou") or low.startswith(("hour", "honest", "heir")) else "a"
