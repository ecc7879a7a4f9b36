"""The starter avatars as they are shipped: they say what they have never heard."""

import numpy as np
import pytest

from contracts.catalog import CATALOG
from deployments.avatar.bundle import Bundle
from deployments.avatar.renderer import Renderer
from deployments.avatar.sound import windows
from training.avatar.footage import Footage
from training.avatar.mouth import correlation, cut, loudness, openings
from training.avatar.synthetic.speech import Line, spoken

NEW = (Line("How can I help you today?"), Line("很高兴认识你。"))


@pytest.mark.parametrize("model", ["ER-NeRF", "SyncTalk"])
def test_its_mouth_follows_new_words(model: str) -> None:
    bundle = Bundle.load(CATALOG / "starter" / "avatars" / model)
    manifest, renderer = bundle.manifest, Renderer(bundle)
    assert (manifest.model, renderer.size, manifest.licence) == (model, (256, 256), "Apache-2.0")
    assert manifest.metrics["voice"] >= 0.6 and abs(manifest.metrics["shuffled"]) < 0.25
    heard = windows(spoken(NEW, 3))
    rows = [renderer.pose(number) for number in range(len(heard))]
    track = bundle.track
    posed = Footage(bundle.frames, bundle.behind, heard, track.camera.numpy(), track.poses.numpy(), np.zeros((0, 0)))
    mouth = openings(cut(renderer.render(heard, 0), posed.mouth[rows]))
    assert correlation(mouth, loudness(heard)) > 0.5
