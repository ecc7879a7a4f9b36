"""Who the starter avatars are: a face for each documented model, in scenes of `training.avatar.synthetic`."""

from contracts.human import AvatarModel
from training.avatar.synthetic.film import Scene
from training.avatar.synthetic.head import Looks

SECONDS = 4.0
HER = Looks(
    skin=(0.90, 0.70, 0.60),
    hair=(0.30, 0.17, 0.09),
    iris=(0.22, 0.30, 0.22),
    lips=(0.78, 0.34, 0.36),
    shirt=(0.62, 0.30, 0.34),
    long_hair=True,
)
SCENES: dict[AvatarModel, Scene] = {
    "SyncTalk": Scene(seconds=SECONDS, seed=4, looks=HER, fine=1.5),
    "ER-NeRF": Scene(seconds=SECONDS, seed=0, looks=Looks(), fine=1.5),
}
