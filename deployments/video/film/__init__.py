"""Films of still pictures: a moving camera, captions and a narration, encoded by PyAV."""

from deployments.video.film.film import Film

__all__ = ["Film"]
