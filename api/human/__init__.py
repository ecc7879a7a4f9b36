"""The digital human: uploads, voices, films, conversation, training of avatars; one family in two documents."""

from api.family import Family
from api.human import avatars, converse, films, history, machine, static, talks, training, uploads, voices
from api.human.dialect import V1_PREFIX
from api.human.envelope import DOCUMENTED, SHOWN, failed, failed_list

V2, EVERYWHERE = ("", "/human"), ("", "/human", V1_PREFIX)
FORMS = (films.router, training.router, voices.router, talks.router, uploads.recording)
PLAIN = (
    uploads.router,
    avatars.details,
    machine.router,
    history.router,
    training.lookups,
    static.router,
    converse.router,
)

FAMILIES = (
    Family("human", V2, FORMS, failed, SHOWN),
    Family("human-v1", (V1_PREFIX,), FORMS, failed, DOCUMENTED),
    Family("human-plain", EVERYWHERE, PLAIN, failed, DOCUMENTED),
    Family("human-files", EVERYWHERE, (uploads.lists,), failed_list("files"), DOCUMENTED),
    Family("human-models", EVERYWHERE, (avatars.lists,), failed_list("models"), DOCUMENTED),
    Family("human-voices", EVERYWHERE, (voices.lists,), failed_list("audios"), DOCUMENTED),
)
