"""People who do not exist, before cameras that are not good; the trainer is not told of their builds and lenses."""

from training.avatar.synthetic.film import Scene
from training.avatar.synthetic.head import Build, Looks

CAMERA = {"side": 256, "noise": 6.0, "drift": 0.35, "sway": 1.2, "seed": 5}  # grey levels; how far the lamp goes
PEOPLE = {  # a lens is in picture widths: a telephone at arm's length, a camera across the table, a portrait lens
    "of the usual build": Scene(**CAMERA),
    "narrow, lens 1.2": Scene(
        **CAMERA,
        looks=Looks(
            skin=(0.55, 0.38, 0.29),
            hair=(0.05, 0.04, 0.04),
            lips=(0.50, 0.25, 0.24),
            shirt=(0.60, 0.20, 0.20),
            build=Build(wide=0.88, tall=1.08, deep=0.94, jaw=-0.10),
        ),
        focal=1.2,
    ),
    "wide, lens 3.5": Scene(
        **CAMERA,
        looks=Looks(
            skin=(0.93, 0.75, 0.66),
            hair=(0.55, 0.38, 0.18),
            iris=(0.25, 0.40, 0.50),
            shirt=(0.20, 0.20, 0.22),
            long_hair=True,
            build=Build(wide=1.12, tall=0.94, deep=1.06, jaw=0.12),
        ),
        focal=3.5,
    ),
    "long, lens 2": Scene(**CAMERA, looks=Looks(build=Build(wide=0.95, tall=1.14, deep=1.10, jaw=0.06)), focal=2.0),
}
