"""Cut the film's caption font out of Noto Sans CJK.   python catalog/fonts/subset.py NotoSansCJK-Regular.ttc

Needs fonttools, which nothing else here does. The same source and fonttools give the same bytes.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection

FACE = "Noto Sans CJK SC"
HERE = Path(__file__).parent
RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin-1, and Latin Extended-A for names
    (0x2010, 0x2027),  # dashes, quotation marks, ellipses
    (0x2030, 0x205E),
    (0x20A0, 0x20BF),  # currencies
    (0x2100, 0x214F),
    (0x2190, 0x21FF),
    (0x2460, 0x24FF),  # circled numbers
    (0x3000, 0x30FF),  # CJK punctuation and kana
    (0xFE30, 0xFE4F),
    (0xFF01, 0xFFEE),  # full-width and half-width forms
)

# Characters of present-day names and places that neither code has.
NAMES = (
    "镕喆垚玥珺堃犇翀頔祎晞煊昇赟旻琤玚珅珩瑄瑀瑢璟璐炘烜焜焱燊熠皓皞晟晗昕昉昫昳晔暐曈彧悆悰慜懋"
    "堉塬埼墉壵嫄婳妘妤妍姸姁姮嬿孖宥宬寔岚岽峣崟嵘嶷帡庥弢彣徕忞恺惇愔捷斐旸昀昶晳晴暄暾朓杲枨栐桢梣棪"
    "楙榞槿樾橦欤沄沐沨泓泠洺洣浠浥涞涵淏淦渼湉湜溁溆滢漪潆潇澍澔濛濯瀚炅炆炜烔焓煐煜熹爔玎玘玙玠玭珂珈珏珞"
    "珣珮琇琎琛琨琬琰琳琸瑆瑗瑭瑷璁璘璞璠璨甯畅畯皛盷眙睿砉硚碁祐祗禔禛禤秾稹竑筠箐篁粲絜綦缊缇缙缜缦"
    "羿翃翊翎翙耘聃肜胤臻舸芃芊芮苡茉茜荃荥莜莳菀菁萱葳蒗蓁蔚蕙薷藜蘅虓蜎衎袆訚詝诃诩谌谞谡豳赉赪跻辀轺邕郃"
    "郇郓鄄鄢酆醴钘钤钰钲钺铄铉铖铠铧铭锟锴锵镐镔镝镠鑫闫闳闿阇阊阗陔隽雎雩雯霁霂霈霏霭靓靖韬韫韡頫颋颐颙颢飏飒"
    "馗骁骃骎骐骕骙髙魃鲲鸢鸾鹓麒黉黻黼龑龢囧槑嘚瑟啰噻嗯嘞呗咩喵咔噗唔叨叽哔嘭啵噔咻哐嗖嘣咘怼撸爨"
)


def double_bytes(codec: str, first: int, last: int) -> Iterable[str]:
    """The characters of a double-byte code whose lead byte is in the range."""
    for lead in range(first, last + 1):
        for trail in range(0x40, 0xFF):
            yield bytes((lead, trail)).decode(codec, errors="ignore")


def characters() -> set[str]:
    """GB 2312 (6,763 hanzi and its symbols), Big5's first level (5,401 common traditional hanzi), names, the ranges."""
    wanted = {chr(code) for first, last in RANGES for code in range(first, last + 1)}
    wanted.update(double_bytes("gb2312", 0xA1, 0xF7))
    wanted.update(double_bytes("big5", 0xA4, 0xC6))
    wanted.update(NAMES)
    return {character for character in wanted if len(character) == 1 and ord(character) >= 0x20}


def options() -> Options:
    """Outlines and Latin kerning; no hints, no vertical forms, no alternative shapes."""
    chosen = Options()
    chosen.hinting = False
    chosen.desubroutinize = False
    chosen.layout_features = ["kern"]
    chosen.drop_tables += ["VORG", "vhea", "vmtx", "BASE", "DSIG"]
    chosen.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    return chosen


def main(source: Path) -> None:
    faces = TTCollection(source).fonts
    font = next(face for face in faces if face["name"].getDebugName(1) == FACE)
    subsetter = Subsetter(options())
    subsetter.populate(text="".join(characters()))
    subsetter.subset(font)
    font.save(HERE / "NotoSansSC-Regular.otf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
