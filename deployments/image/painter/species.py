"""Animals, as data: natural coats, and which ears, muzzle, tail, markings and extras each has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Species:
    coats: tuple[str, ...]
    belly: str = ""  # colour of belly and muzzle; empty: a lighter coat
    ears: str = "round"
    muzzle: str = "small"
    tail: str = ""
    marks: str = ""
    extra: str = ""
    limbs: str = ""  # colour of arms and legs; empty: the coat
    fixed: bool = False  # a colour named for it tints the marks' ground only a little, as for a panda


SPECIES = {
    "cat": Species(("#efa25c", "#a7adb8", "#f3e3c8", "#55535f", "#f8f4ec"), ears="cat", tail="long", marks="tabby"),
    "dog": Species(("#d9a066", "#f1dfc2", "#a87450", "#f6f1e7"), ears="floppy", muzzle="dog", tail="up", marks="patch"),
    "rabbit": Species(("#f4efe8", "#c9b39c", "#b9bcc6", "#e9d2b8"), "#fffaf2", "long", "small", "puff"),
    "fox": Species(("#e8813b", "#de7434", "#ee9147"), "#fff4e4", "fox", "fox", "bushy", limbs="#6b4436"),
    "bear": Species(("#a9764c", "#8d603f", "#c2905f"), "#e9c99d", muzzle="dog", tail="puff"),
    "polar bear": Species(("#f4f6f8", "#e9eef4"), "#ffffff", muzzle="dog", tail="puff"),
    "panda": Species(("#fbf8f2",), "#ffffff", muzzle="small", tail="puff", marks="panda", limbs="#45444f", fixed=True),
    "red panda": Species(("#c8623a",), "#f6e2cb", "fox", "fox", "ringed", limbs="#573530"),
    "mouse": Species(("#b4b4c0", "#cdb8a4", "#e6e1dc"), "#f4ebe6", "dish", "point", "whip"),
    "hamster": Species(("#e9b878", "#d9a06a"), "#fff6e8", muzzle="small", tail="puff"),
    "squirrel": Species(("#c97d45", "#b56b3c"), "#f7e5cb", "tuft", "small", "plume"),
    "hedgehog": Species(("#e2c09a",), "#f5e3cb", muzzle="point", extra="spines"),
    "raccoon": Species(("#9ba0ab",), "#e5e7ea", "round", "small", "ringed", "mask"),
    "wolf": Species(("#8c94a3", "#a3a7b1"), "#edf0f2", "fox", "fox", "bushy"),
    "koala": Species(("#a9afba",), "#e6e8ec", "fluff", "koala"),
    "monkey": Species(("#9b6b48", "#b07f55"), "#f0d0a8", "side round", "face", "long"),
    "deer": Species(("#c98f5a", "#d6a26d"), "#f6e6cd", "leaf", "dog", "puff", "fawn", "antlers"),
    "giraffe": Species(("#f0c66e",), "#f9ecd0", "leaf", "long", "tassel", "giraffe", "ossicones"),
    "horse": Species(("#b57f54", "#e3c49a", "#8b5d43"), "#e9cfae", "leaf", "long", "tassel", extra="forelock"),
    "zebra": Species(("#f7f5f0",), "#5a5965", "leaf", "long", "tassel", "zebra", "forelock", fixed=True),
    "unicorn": Species(("#fbf6fb",), "#ffeef4", "leaf", "long", "tassel", extra="unicorn"),
    "cow": Species(("#f8f3ea",), "#f6c9bb", "leaf", "long", "tassel", "cow", "horns"),
    "sheep": Species(("#f6efe4",), "#f6efe4", "leaf", "sheep", "puff", extra="wool", limbs="#6a5c5c"),
    "goat": Species(("#ece3d5", "#b9a58f"), "#faf5ec", "leaf", "dog", "puff", extra="goat"),
    "pig": Species(("#f4b3b5", "#f2a9ad"), "#f9c9c8", "fold", "snout", "curl"),
    "elephant": Species(("#a4b0c2", "#b3b6c6"), "#c9d2de", "elephant", "trunk", "tassel"),
    "lion": Species(("#eebb62", "#e6ad5a"), "#f9e6c0", "round", "dog", "tassel", extra="mane"),
    "tiger": Species(("#efa148", "#ea953f"), "#fff3df", "round", "dog", "long", "tiger"),
    "frog": Species(("#84bd5c", "#6fb074"), "#dcebb0", "frog", "wide"),
    "turtle": Species(("#9cc470", "#8cba7c"), "#e9dca6", "", "wide", extra="shell"),
    "penguin": Species(("#4b5670", "#3f4a63"), "#fffdf6", "", "beak", extra="bird", marks="penguin", limbs="#f0a243"),
    "owl": Species(("#a8805a", "#8f7d70"), "#eedcbd", "owl", "beak", extra="bird", marks="owl", limbs="#eaa743"),
    "duck": Species(("#f9d75c", "#fbf5e6"), "#fdeaa0", "crest", "bill", "flick", extra="bird", limbs="#f09a3e"),
    "goose": Species(("#fbfaf5",), "#ffffff", "", "bill", "flick", extra="bird", limbs="#f09a3e"),
    "chicken": Species(
        ("#fbf3e2", "#d99a5b", "#f8da70"), "#fff8ea", "comb", "beak", "fan", extra="bird", limbs="#f0a243"
    ),
    "dragon": Species(("#6cb58a", "#c8605f", "#7d8ecb"), "#f6e3a8", "horned", "dragon", "dino", extra="wings"),
    "dinosaur": Species(("#82b96b", "#6db1a7"), "#eaeab5", "", "dragon", "dino", extra="plates"),
}
