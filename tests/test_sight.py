"""Engines that recognise, on real photographs: the weights of the face finder are real, the others' are random."""

import asyncio
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageEnhance
from transformers import (
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
    YolosConfig,
    YolosForObjectDetection,
    YolosImageProcessorPil,
)

from contracts.catalog import models
from contracts.errors import InvalidInput, Unavailable
from contracts.sight import Box, Detected, SeenFace
from deployments.boxes import area
from deployments.classification.engine import ClassificationEngine
from deployments.detection.engine import DetectionEngine
from deployments.face.engine import FaceEngine
from deployments.registry import build, load
from deployments.upright import upright
from deployments.video.film.camera import canvas
from store.media import check_picture
from tests.checkpoints import onnx, sight
from tests.photographs import ASTRONAUT, CAMERAMAN, TURNS, crowd, cut_out, encoded, photograph, sixteen_bits, turned

LIKENESS = 0.55  # of one person, `api.media.faces`


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small networks gain nothing by more, and among other work threads that wait for each other lose much."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> ClassificationEngine:
    folder = tmp_path_factory.mktemp("resnet")
    sight.build_resnet(folder)
    return loaded("classification", weights=str(folder))


@pytest.fixture(scope="module")
def detr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detr")
    sight.build_detr(folder)
    return folder


@pytest.fixture(scope="module")
def detector(detr: Path) -> DetectionEngine:
    return loaded("detection", weights=str(detr))


@pytest.fixture(scope="module")
def sface(tmp_path_factory: pytest.TempPathFactory) -> FaceEngine:
    folder = tmp_path_factory.mktemp("opencv")
    onnx.build_yunet(folder)
    onnx.build_sface(folder)
    engine: FaceEngine = build("face", "sface", {"weights": str(folder)})
    engine.load()
    return engine


@pytest.fixture(scope="module")
def finder() -> FaceEngine:
    return load(models()["mtcnn"])


def loaded(capability: str, **options: object) -> object:
    engine = build(capability, "transformers", options)
    engine.load()
    return engine


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    x1, y1, x2, y2 = max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
    common = area((x1, y1, max(x1, x2), max(y1, y2)))
    return common / (area(one) + area(other) - common)


def only(faces: list[list[SeenFace]]) -> SeenFace:
    [[face]] = faces
    return face


def likeness(one: SeenFace, other: SeenFace) -> float:
    return float(np.dot(one.vector, other.vector))


def moved(box: Box, x: float = 0, scale: float = 1) -> Box:
    x1, y1, x2, y2 = box
    return (x1 + x) * scale, y1 * scale, (x2 + x) * scale, y2 * scale


def test_faces_are_found_where_they_are(finder: FaceEngine) -> None:
    for name, box in (("astronaut", ASTRONAUT), ("camera", CAMERAMAN)):
        face = only(finder.find([photograph(name)]))
        assert face.confidence > 0.99 and overlap(face.bbox, box) > 0.7
        assert face.vector == []


def test_none_is_found_where_there_is_none(finder: FaceEngine) -> None:
    names = ("china", "flower", "chelsea", "coffee", "rocket")
    assert finder.find([photograph(name) for name in names]) == [[]] * 5


def test_faces_of_many_people_are_found_and_are_not_each_others(finder: FaceEngine) -> None:
    """Of 20 people who are seen badly; as many parts of pictures without a face have none."""
    found = finder.find([cut_out(number) for number in range(20)], embed=True)
    faces = [each[0] for each in found if len(each) == 1]
    assert len(faces) >= 18 and not any(finder.find([cut_out(number) for number in range(100, 120)]))
    strangers = [likeness(*pair) for pair in combinations(faces, 2)]
    assert np.mean(np.array(strangers) > LIKENESS) < 0.03


def test_landmarks_are_named_by_the_sides_of_the_picture(finder: FaceEngine) -> None:
    marks = only(finder.find([photograph("astronaut")])).landmarks
    assert list(marks) == ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]
    near = {"left_eye": (205, 102), "right_eye": (247, 104), "nose": (225, 129), "mouth_left": (202, 139)}
    for name, point in near.items():
        assert np.hypot(*np.subtract(marks[name], point)) < 6  # type: ignore[index]


def test_the_largest_face_comes_first(finder: FaceEngine) -> None:
    [faces] = finder.find([crowd()])
    assert [overlap(face.bbox, box) > 0.7 for face, box in zip(faces, (ASTRONAUT, moved(CAMERAMAN, 512)), strict=True)]
    assert area(faces[0].bbox) > area(faces[1].bbox)


def test_a_large_picture_has_boxes_in_its_own_pixels(finder: FaceEngine) -> None:
    face = only(finder.find([photograph("astronaut").resize((4096, 4096))]))
    assert overlap(face.bbox, moved(ASTRONAUT, scale=8)) > 0.7


@pytest.mark.parametrize("orientation", TURNS)
def test_pictures_are_turned_as_their_camera_was_held(finder: FaceEngine, orientation: int) -> None:
    picture = photograph("astronaut").crop((0, 0, 400, 512))
    seen = upright(turned(picture, orientation))
    assert seen.size == (400, 512)
    assert overlap(only(finder.find([seen])).bbox, ASTRONAUT) > 0.7


FORMS: dict[str, Callable[[Image.Image], bytes]] = {
    "grey": lambda picture: encoded(picture.convert("L")),
    "CMYK": lambda picture: encoded(picture.convert("CMYK")),
    "palette": lambda picture: encoded(picture.quantize(64), "PNG"),
    "transparent": lambda picture: encoded(picture.convert("RGBA"), "PNG"),
    "16 bits": sixteen_bits,
    "WebP": lambda picture: encoded(picture, "WEBP", quality=80),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_picture_is_seen_as_people_see_it(finder: FaceEngine, form: str) -> None:
    picture = photograph("astronaut")
    seen = upright(FORMS[form](picture))
    assert seen.mode == "RGB"
    assert np.abs(np.asarray(seen.convert("L"), float) - np.asarray(picture.convert("L"), float)).mean() < 8
    assert overlap(only(finder.find([seen])).bbox, ASTRONAUT) > 0.7


def broken_exif() -> bytes:
    """To be turned by a quarter; its resolution is no number."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "a camera"
    content = encoded(photograph("astronaut").crop((0, 0, 400, 512)).transpose(Image.Transpose.ROTATE_90), exif=exif)
    return content.replace(b"\x01\x0f\x00\x02", b"\x01\x1a\x00\x02")  # the maker's tag, as text, is XResolution's


def test_a_picture_whose_camera_writes_badly_is_seen(finder: FaceEngine, tmp_path: Path) -> None:
    assert check_picture(io.BytesIO(broken_exif()), "image").upright == (400, 512)
    seen = upright(broken_exif())
    assert seen.size == (400, 512) and overlap(only(finder.find([seen])).bbox, ASTRONAUT) > 0.7
    (tmp_path / "broken.jpg").write_bytes(broken_exif())
    assert canvas("broken", tmp_path / "broken.jpg", 400, 512)


def test_what_is_transparent_is_white() -> None:
    assert upright(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG")).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(33, 1), (1, 6_000)])
def test_a_strip_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="狭长") as refused:
        upright(encoded(Image.new("RGB", size), "PNG"))
    assert refused.value.param == "image"


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "crop": lambda picture: picture.crop((130, 20, 330, 250)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.4),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.5),
    "flatter": lambda picture: ImageEnhance.Contrast(picture).enhance(0.5),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
    "JPEG": lambda picture: upright(encoded(picture, quality=20)),
    "smaller": lambda picture: picture.resize((256, 256)),
    "larger": lambda picture: picture.resize((1024, 1024)),
    "tilted": lambda picture: picture.rotate(10),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_person_is_like_herself_and_not_like_another(finder: FaceEngine, edit: str) -> None:
    her, him = (only(finder.find([photograph(name)], embed=True)) for name in ("astronaut", "camera"))
    edited = only(finder.find([EDITS[edit](photograph("astronaut"))], embed=True))
    assert len(edited.vector) == 1216 and np.linalg.norm(edited.vector) == pytest.approx(1)
    assert likeness(her, edited) > LIKENESS + 0.1
    assert likeness(him, edited) < LIKENESS - 0.3


def lit(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    picture = Image.new("RGB", size)
    picture.paste("white", box)
    return picture


@pytest.mark.parametrize("scale", [1, 8])
def test_yunet_and_sface_load_from_their_files(sface: FaceEngine, scale: int) -> None:
    """They are made up: a face is where a picture is bright."""
    corners = 96 * scale, 64 * scale, 128 * scale, 96 * scale
    faces, none = sface.find([lit((320 * scale, 240 * scale), corners), Image.new("RGB", (50, 50))], embed=True)
    assert none == [] and faces
    for face in faces:
        x1, y1, x2, y2 = face.bbox
        assert corners[0] <= round((x1 + x2) / 2) <= corners[2] and corners[1] <= round((y1 + y2) / 2) <= corners[3]
        assert face.landmarks["left_eye"][0] < face.landmarks["nose"][0] < face.landmarks["right_eye"][0]
        assert face.landmarks["left_eye"][1] < face.landmarks["mouth_left"][1]
        assert len(face.vector) == 128 and np.linalg.norm(face.vector) == pytest.approx(1)
    assert [area(face.bbox) for face in faces] == sorted((area(face.bbox) for face in faces), reverse=True)
    assert all(face.vector == [] for face in sface.find([lit((320, 240), (96, 64, 128, 96))])[0])


def test_yunet_and_sface_are_said_to_be_nowhere(tmp_path: Path) -> None:
    for content in (None, b"no network"):
        if content:
            for name in ("face_detection_yunet_x.onnx", "face_recognition_sface_x.onnx"):
                (tmp_path / name).write_bytes(content)
        with pytest.raises(Unavailable, match="hold"):
            build("face", "sface", {"weights": str(tmp_path)}).load()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
async def test_pictures_that_wait_are_not_yet_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a hundred megabytes where its file takes one."""
    from deployments.face import deployment

    replica = deployment.FaceDeployment.func_or_class(models()["mtcnn"])
    begun: list[None] = []
    monkeypatch.setattr(deployment, "upright", lambda content: begun.append(None) or upright(content))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    content = encoded(photograph("astronaut"))
    calls = [asyncio.create_task(replica.find(content)) for _ in range(8)]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    assert len(begun) <= len(done) + 3
    assert all(only([call]) for call in await asyncio.gather(*calls))


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (21, 21), (21, 600), (4000, 125)])
def test_a_small_or_narrow_picture_has_no_face(finder: FaceEngine, size: tuple[int, int]) -> None:
    assert finder.find([Image.new("RGB", size, "teal")]) == [[]]


@pytest.mark.parametrize(
    "part", [(200, 0, 512, 512), (0, 100, 512, 512), (0, 0, 240, 512), (0, 0, 512, 130), (190, 80, 260, 170)]
)
def test_of_a_face_that_is_cut_the_box_is_within_the_picture(
    finder: FaceEngine, part: tuple[int, int, int, int]
) -> None:
    picture = photograph("astronaut").crop(part)
    for face in finder.find([picture], embed=True)[0]:
        x1, y1, x2, y2 = face.bbox
        assert 0 <= x1 < x2 <= picture.width and 0 <= y1 < y2 <= picture.height


def test_torchvision_is_not_made_believe() -> None:
    """Others ask whether there is one."""
    import sys

    assert not any(
        name.startswith("torchvision") and not hasattr(sys.modules[name], "__file__") for name in sys.modules
    )


def test_classes_are_the_checkpoints_likeliest_first(classifier: ClassificationEngine) -> None:
    [classes] = classifier.classify([photograph("chelsea")])
    confidences = [each.confidence for each in classes]
    assert len(classes) == 5 and confidences == sorted(confidences, reverse=True) and sum(confidences) <= 1
    assert {each.label for each in classes} < set(sight.LABELS.values())


def test_pictures_of_all_sizes_are_classified_together_as_alone(classifier: ClassificationEngine) -> None:
    pictures = [photograph("chelsea"), photograph("china"), Image.new("RGB", (1, 1)), Image.new("RGB", (32, 1), "red")]
    together = classifier.classify(pictures)
    for picture, classes in zip(pictures, together, strict=True):
        [alone] = classifier.classify([picture])
        assert [each.label for each in alone] == [each.label for each in classes]
        assert [each.confidence for each in alone] == pytest.approx([each.confidence for each in classes], abs=1e-5)


def test_things_have_boxes_in_pixels_of_their_own_picture(detector: DetectionEngine) -> None:
    pictures = [photograph("astronaut"), photograph("chelsea"), Image.new("RGB", (3, 50))]
    for picture, things in zip(pictures, detector.detect(pictures), strict=True):
        assert 0 < len(things) <= 5
        assert [each.confidence for each in things] == sorted((each.confidence for each in things), reverse=True)
        for thing in things:
            x1, y1, x2, y2 = thing.bbox
            assert thing.label == "person" and 0.5 <= thing.confidence <= 1
            assert 0 <= x1 < x2 <= picture.width and 0 <= y1 < y2 <= picture.height


def test_things_are_detected_together_as_alone(detector: DetectionEngine) -> None:
    pictures = [photograph("astronaut"), photograph("china")]
    for picture, things in zip(pictures, detector.detect(pictures), strict=True):
        assert places(things) == pytest.approx(places(detector.detect([picture])[0]), abs=1)


def places(things: list[Detected]) -> np.ndarray:
    return np.array([thing.bbox for thing in things])


def test_the_threshold_leaves_out_what_is_less_sure(detr: Path) -> None:
    assert loaded("detection", weights=str(detr), threshold=0.99).detect([photograph("china")]) == [[]]  # type: ignore
    assert len(loaded("detection", weights=str(detr), most=2).detect([photograph("china")])[0]) == 2  # type: ignore


def test_labels_are_told_in_the_words_of_a_file(detr: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.yaml").write_text("person: 人\ncat: 猫\n", encoding="utf-8")
    detector = loaded("detection", weights=str(detr), labels=str(tmp_path / "labels.yaml"))
    assert {thing.label for thing in detector.detect([photograph("china")])[0]} == {"人"}  # type: ignore[attr-defined]


def test_other_architectures_load_from_their_folders(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    vit = ViTForImageClassification(ViTConfig(image_size=32, patch_size=8, **small, **sight.named(sight.LABELS)))
    vit.save_pretrained(tmp_path / "vit")
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path / "vit")
    yolos = YolosForObjectDetection(
        YolosConfig(image_size=[64, 64], patch_size=16, num_detection_tokens=5, **small, **sight.named(sight.THINGS))
    )
    torch.manual_seed(0)
    for weights in yolos.parameters():
        torch.nn.init.normal_(weights, std=0.3)  # else it hardly looks at the picture
    yolos.save_pretrained(tmp_path / "yolos")
    YolosImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(tmp_path / "yolos")
    classes = loaded("classification", weights=str(tmp_path / "vit")).classify([photograph("china")])  # type: ignore
    detector: Any = loaded("detection", weights=str(tmp_path / "yolos"), threshold=0.0)
    wide = photograph("china").crop((0, 0, 640, 220))
    together = detector.detect([wide, photograph("astronaut")])
    assert len(classes[0]) == 5 and all(0 < len(each) <= 5 for each in together)
    [alone] = detector.detect([wide])  # it would see what fills the room beside a picture
    assert [each.confidence for each in alone] == pytest.approx([each.confidence for each in together[0]], abs=1e-5)


@pytest.mark.parametrize("capability", ["classification", "detection"])
def test_weights_that_are_nowhere_are_said_to_be(
    capability: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for weights, said in (("nobody/nothing", "no folder here"), (str(tmp_path), "not hold a whole model")):
        with pytest.raises(Unavailable, match=said):
            loaded(capability, weights=weights)


def test_the_catalogue_says_what_each_can_name() -> None:
    for name, words in {"resnet50": "ImageNet-1k, 1000 labels", "detr-resnet-50": "COCO, 80 labels"}.items():
        spec = models()[name]
        assert (spec.label_set, spec.licence) == (words, "Apache-2.0") and spec.needs
    assert models()["mtcnn"].needs == "" and "不是神经网络" in models()["mtcnn"].description
