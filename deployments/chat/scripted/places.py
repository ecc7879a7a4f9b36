"""Where a story plays: scenes, the spots inside them, and how a user's own place is put into a sentence."""

import re
from dataclasses import dataclass
from random import Random

from deployments.chat.scripted.words import Kind


@dataclass(frozen=True)
class Setting:
    """`place` is a locative phrase ("森林里", "in the forest"); spots are locative too and lie inside it."""

    place: str
    spots: tuple[tuple[str, str], ...]
    sort: str

    @property
    def outdoors(self) -> bool:
        return self.sort not in ("room", "space", "under", "other")


_SPOTS = {
    "forest": """老松树下 / under the old pine
        长满蘑菇的小坡上 / on the slope full of mushrooms
        小木桥上 / on the little wooden bridge
        大石头旁 / beside the big rocks
        小河边 / beside the river
        开满花的空地上 / among the flowers""",
    "sea": """软软的沙滩上 / on the soft sand
        白色的灯塔下 / below the white lighthouse
        小船旁 / beside the little boat
        圆圆的石头旁 / beside the round rocks
        海边的大树下 / under the tall tree
        靠海的小屋前 / in front of the small house""",
    "mountain": """高高的松树下 / under the tall pine
        山石旁 / beside the mossy rocks
        弯弯的小桥上 / on the narrow bridge
        山脚的小屋前 / in front of the small house
        山坡的花丛旁 / beside the mountain flowers
        清清的小河边 / beside the clear river""",
    "meadow": """大树下 / under the big tree
        花丛旁 / beside the flowers
        圆圆的小山坡上 / on the round little hill
        小河边 / beside the river
        小木桥上 / on the wooden bridge
        红屋顶的小屋前 / in front of the house with the red roof""",
    "village": """小屋门前 / in front of the little house
        村口的大树下 / under the big tree
        石桥上 / on the stone bridge
        花丛旁 / beside the flowers
        小河边 / beside the river
        路口的灯旁 / beside the lamp at the crossing""",
    "city": """路灯下 / under the street lamp
        石桥上 / on the stone bridge
        街角的大树下 / under the tree on the corner
        书店门前 / in front of the book shop
        广场的花丛旁 / beside the flowers on the square
        高高的房子前 / in front of the tall house""",
    "castle": """城堡门前 / in front of the castle gate
        大树下 / under the old tree
        石桥上 / on the stone bridge
        花丛旁 / beside the castle flowers
        长廊的灯旁 / beside the lamp in the long hall
        高高的塔下 / below the tall tower""",
    "desert": """大石头旁 / beside the big rocks
        绿洲的湖边 / beside the lake of the oasis
        孤单的大树下 / under the lonely tree
        高高的沙丘上 / on the high dune
        沙地的小花旁 / beside the desert flowers""",
    "snow": """积雪的松树下 / under the snowy pine
        小木屋前 / in front of the wooden house
        结冰的湖边 / beside the frozen lake
        圆圆的雪坡上 / on the round snowy hill
        大石头旁 / beside the big rocks""",
    "lake": """湖边的大树下 / under the big tree
        小船旁 / beside the little boat
        小木桥上 / on the wooden bridge
        水边的花丛旁 / beside the flowers
        圆圆的石头旁 / beside the round rocks
        湖边的小屋前 / in front of the small house""",
    "room": """窗边 / by the window
        书架旁 / beside the shelf of books
        温暖的灯旁 / beside the warm lamp
        门口 / by the door
        花瓶旁 / beside the vase of flowers
        软软的地毯上 / on the soft rug""",
    "sky": """软软的白云上 / on a soft white cloud
        热气球旁 / beside the hot-air balloon
        云朵城堡前 / in front of the cloud castle
        风筝旁 / beside the dancing kite
        云做的小桥上 / on a bridge made of clouds""",
    "space": """火箭旁 / beside the rocket
        大石头旁 / beside the big rocks
        圆圆的小山坡上 / on the round little hill
        亮亮的小屋前 / in front of the shining house
        发光的灯旁 / beside the glowing lamp""",
    "under": """大石头旁 / beside the big rocks
        沉睡的小船旁 / beside the sleeping boat
        会发光的花旁 / beside the glowing flowers
        水下城堡前 / in front of the sunken castle
        圆圆的小山坡上 / on the round little hill""",
    "other": """安静的角落里 / in a quiet corner
        一盏小灯旁 / beside a little lamp
        几朵小花旁 / beside some flowers
        一棵大树下 / under a big tree
        一块大石头旁 / beside a big rock""",
}
SPOTS = {
    sort: tuple((zh.strip(), en.strip()) for zh, _, en in (line.partition("/") for line in block.splitlines()))
    for sort, block in _SPOTS.items()
}
_SORTS = [
    ("under", "海底|水下|深海", r"under ?(?:the )?(?:sea|water|ocean)|underwater|sea floor|ocean floor"),
    ("space", "月球|月亮|太空|星球|宇宙|火星|银河|星空", r"moon|space|planet|mars|galaxy|stars"),
    ("sky", "天空|云朵|云端|天上|云上", r"sky|clouds?"),
    ("snow", "雪|冰|北极|南极", r"snow\w*|icy?|arctic|antarctica?|pole"),
    ("castle", "城堡|皇宫|王宫", r"castle|palace"),
    ("room", "房间|教室|学校|幼儿园|图书馆|卧室|厨房|屋|家里|室", r"\w*room|school|kindergarten|library|kitchen|home"),
    ("forest", "森林|树林|丛林|林", r"forest|woods?|jungle"),
    ("desert", "沙漠", r"desert"),
    ("sea", "海|沙滩|岛|港", r"sea\w*|ocean|beach|island|harbou?r|coast"),
    ("lake", "湖|河|池塘|溪", r"lake|river|pond|stream"),
    ("village", "村|镇|农庄", r"village|town"),
    ("city", "城市|街|城|都市", r"city|street"),
    ("mountain", "山", r"mountains?|cliff|valley"),
    ("meadow", "草原|草地|草|花园|公园|田|农场|花", r"meadow|gardens?|hills?|farm|park|fields?|grassland"),
]
_OWN = {
    "forest": [("青青的森林里", "in the green forest"), ("古老的森林里", "in the old forest")],
    "sea": [("蓝蓝的大海边", "by the blue sea"), ("金色的海滩上", "on the golden beach")],
    "mountain": [("高高的大山里", "in the high mountains"), ("云雾缭绕的大山里", "in the misty mountains")],
    "meadow": [("绿油油的草地上", "in the green meadow"), ("开满鲜花的花园里", "in the sunny garden")],
    "village": [("安静的小村庄里", "in the quiet village"), ("河边的小镇里", "in the little town by the river")],
    "city": [("热闹的城市里", "in the busy city"), ("弯弯的老街上", "in the old city streets")],
    "castle": [("古老的城堡里", "in the old castle"), ("山上的城堡里", "in the castle on the hill")],
    "desert": [("金黄的沙漠里", "in the golden desert")],
    "snow": [("白茫茫的雪地上", "on the white snowfield"), ("遥远的雪原上", "on the faraway snowfield")],
    "lake": [("弯弯的湖边", "by the quiet lake"), ("清清的小湖边", "by the clear little lake")],
    "room": [("暖暖的房间里", "in the cosy room")],
    "sky": [("高高的天空中", "high up in the sky")],
    "space": [("圆圆的月球上", "on the round moon"), ("遥远的小星球上", "on a faraway little planet")],
    "under": [("深深的海底", "under the deep blue sea")],
}
_USUAL = ["forest", "forest", "sea", "mountain", "meadow", "meadow", "village", "city", "snow", "lake"]
_AT_HOME = {
    "penguin": ["snow"],
    "fish": ["under"],
    "king": ["castle"],
    "queen": ["castle"],
    "robot": ["city", "space", "village"],
    "duck": ["lake", "village"],
    "frog": ["lake", "meadow"],
    "turtle": ["sea", "lake"],
    "lion": ["meadow", "mountain"],
    "elephant": ["forest", "meadow"],
    "butterfly": ["meadow"],
}
_ZH_LOCATIVE = ("里", "上", "中", "下", "边", "旁", "内", "外", "前", "后", "处", "底", "畔", "里面", "附近", "之间")
_ZH_PARTICLE = (
    dict.fromkeys("林园堡村庄镇市城山漠室校家屋馆场谷国界宫店洞学", "里")
    | dict.fromkeys("原地滩岛街球星路坡船车云", "上")
    | dict.fromkeys("湖河海溪塘洋", "边")
    | {"空": "中"}
)
_EN_ON = r"\b(?:beach|island|farm|hills?|moon|mars|planet|snowfield|street|mountain|coast|stage|ship|boat|train)$"
_EN_BY = r"\b(?:sea|lake|river|pond|stream|ocean|seaside|lighthouse)$"
_EN_AT = r"\b(?:school|home)$"
_EN_PLACED = r"(?i)(?:in|on|at|by|under|near|inside|beside|behind|above|below|between|among|outside|over|beyond)\b"


def choose(scene: str, topic: str, kind: Kind | None, language: str, rng: Random) -> Setting:
    """The user's scene; else one that the topic names; else one where the hero might live."""
    if scene:
        sort = sort_of(scene, language)
        return Setting(_zh_place(scene) if language == "zh" else _en_place(scene), SPOTS[sort], sort)
    sort = sort_of(topic, language)
    far = sort in ("space", "snow") and not re.search("月球|太空|雪地|space|moon|snow", topic.lower())
    if sort == "other" or far:
        sort = rng.choice(_AT_HOME.get(kind.en if kind else "", _USUAL))
    return Setting(rng.choice(_OWN[sort])[language == "en"], SPOTS[sort], sort)


def sort_of(text: str, language: str) -> str:
    """Which of the known sorts of place the text names, `other` if none."""
    for sort, zh, en in _SORTS:
        if re.search(zh if language == "zh" else rf"\b(?:{en})\b", text.lower()):
            return sort
    return "other"


def _zh_place(scene: str) -> str:
    scene = scene[1:] if scene.startswith("在") and len(scene) > 2 else scene
    if scene.endswith(_ZH_LOCATIVE):
        return scene
    if scene.endswith("房间"):
        return scene + "里"
    return scene + _ZH_PARTICLE.get(scene[-1], "")


def _en_place(scene: str) -> str:
    if re.match(_EN_PLACED, scene):
        return scene if scene.isupper() else scene[0].lower() + scene[1:]
    low = scene.lower()
    head = re.split(r"[,;:]| (?:by|of|near|in|on|with|at|under|beside|where|full|that|next|between) ", low)[0]
    preposition = "on" if re.search(_EN_ON, head) else "by" if re.search(_EN_BY, head) else "in"
    if re.search(_EN_AT, head):
        preposition = "at"
    if re.match(r"(?:a|an|the|my|our|his|her)\s", low):
        return f"{preposition} {low.split()[0]}{scene[len(low.split()[0]) :]}"
    if scene[0].islower() and low not in ("school", "home", "space"):
        return f"{preposition} the {scene}"
    if sort_of(scene, "en") != "other" and len(scene.split()) == 1 and low not in ("school", "home", "space", "mars"):
        return f"{preposition} the {low}"
    return f"{preposition} {scene}"
