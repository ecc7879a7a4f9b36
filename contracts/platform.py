"""What jobs of the multimedia family are asked: the API writes these parameters, the pipelines read them."""

from pydantic import Field, FiniteFloat

from contracts.image import ImageRequest
from contracts.model import Contract
from contracts.tasks import Clip
from contracts.transcription import TranscriptionRequest

IMAGE, VIDEO, SPEECH, TRANSCRIPTION = "media.image", "media.video", "media.speech", "media.transcription"  # kinds
CLASSIFIER, LORA = "media.classifier", "media.lora"  # kinds of training
MERGE = "media.merge"  # of what the second has made, with its base
ONE_CLICK = "live.train"  # the same as the second, as live commerce asks for it
ADAPTING = (LORA, ONE_CLICK)  # make adapters of language models
TEACHING = (*ADAPTING, CLASSIFIER)  # make models that answer to a name of their own
OUTPUTS = "outputs"  # results, under names that nobody can guess: whoever has one may have the file


class PictureTask(ImageRequest):
    """A picture from a text, or from another picture (`picture`, an upload that is removed at the end)."""

    model: str

    def key(self, job_id: str) -> str:
        return f"{OUTPUTS}/images/{'transformed' if self.picture else 'generated'}_{job_id}.png"


class ClipTask(Clip):
    """A film from a text, or from one picture (an upload that is removed at the end)."""

    @property
    def upload(self) -> str:
        return self.picture

    def key(self, job_id: str) -> str:
        return f"{OUTPUTS}/videos/generated_{job_id}.mp4"

    def scratch(self, job_id: str) -> str:
        """Where a job keeps what only it reads; no caller can name a folder that begins with a dot."""
        return f"{OUTPUTS}/.work/{job_id}"


class TranscribeTask(TranscriptionRequest):
    """What is said in a recording (an upload that is removed at the end)."""

    model: str


DATASETS, TRAINED = "datasets", "models"  # folders of a caller's own
MANIFEST = "manifest.json"  # of a model: what it was taught, how, and how well; it is whole when this is there


class TrainingTask(Contract):
    """Train a model with a dataset of the store: the key of a file, or of a folder that operators have laid there."""

    base_model: str
    dataset: str
    output: str = Field(description="Key of the folder, the caller's own, that the trained model is kept in.")
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: FiniteFloat = Field(gt=0)
    save_steps: int = Field(500, ge=1, description="Steps between two checkpoints.")
    dataset_sha256: str = Field("", description="Of what is learnt, as it was when it was checked.")


class FinetuneTask(TrainingTask):
    """Train an adapter of a language model."""

    lora_r: int = Field(8, ge=1)
    lora_alpha: int = Field(16, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    max_length: int = Field(512, ge=1, description="Tokens of an example.")
    gradient_accumulation_steps: int = Field(4, ge=1)
    quantized: bool = Field(False, description="QLoRA: the base model is held in four bits.")


class MergeTask(Contract):
    """Make one model of an adapter and its base."""

    base_model: str
    adapter: str = Field(description="Key of its folder.")
    output: str = Field(description="Key of the folder, the caller's own, that the model is kept in.")


class Figures(Contract):
    """How far a training is. Its job tells them with its progress, and its result ends with them, as `figures`."""

    current_epoch: int = 0
    total_epochs: int = 0
    current_step: int = 0
    total_steps: int = 0
    loss: FiniteFloat = 0.0
    learning_rate: FiniteFloat = 0.0
    metrics: dict[str, FiniteFloat] = {}
    notes: tuple[str, ...] = Field((), description="What their owner should know of the data.")
