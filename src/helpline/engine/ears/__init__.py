"""The engine's ears, by the name that HELPLINE_ENGINE_EARS gives them."""

from helpline.engine.ears import faster_whisper, moonshine, pocketsphinx, sherpa_onnx
from helpline.engine.ears.port import Ears, MakeEars
from helpline.engine.lexicon import Library
from helpline.engine.parts import is_own, made_by, need_own, own_part
from helpline.errors import SettingsError

__all__ = [
    "Ears",
    "MakeEars",
    "beside",
    "check_ears",
    "heard_in",
    "load_ahead",
    "load_ears",
    "processes_for",
    "to_be_fetched",
]

_SETTING = "HELPLINE_ENGINE_EARS"
_KINDS = "pocketsphinx, faster-whisper:MODEL_OR_PATH, sherpa-onnx:PATH or package.module:function"


def check_ears(spec: str) -> None:
    """Whether the package and the files are there, without loading any; raises MissingPartError."""
    match spec.partition(":"):
        case "pocketsphinx", _, _:
            pocketsphinx.check()
        case "faster-whisper", _, model if model:
            faster_whisper.check(model)
        case "sherpa-onnx", _, folder if folder:
            sherpa_onnx.check(folder)
        case _ if is_own(spec):
            need_own(spec, _SETTING)
        case _:
            raise SettingsError(f"{_SETTING} names no ears: use {_KINDS}.")


def load_ears(spec: str, library: Library | None = None) -> MakeEars:
    """The ears that HELPLINE_ENGINE_EARS names, loaded. Raises MissingPartError, in one sentence.

    A model of faster-whisper by name is fetched when it is not on this machine yet; a path never is. A broken
    model of sherpa-onnx ends the process: load it in a worker.
    """
    check_ears(spec)
    kind, _, what = spec.partition(":")
    if kind == "faster-whisper":
        return faster_whisper.load(what)
    if kind == "sherpa-onnx":
        return sherpa_onnx.load(what)
    if is_own(spec):
        make: MakeEars = own_part(spec, _SETTING)
        made_by(make, spec, _SETTING, Ears)
        return make
    decoders = pocketsphinx.Decoders(library)
    return lambda: pocketsphinx.PocketsphinxEars(decoders)


def load_ahead(spec: str) -> None:
    """What these ears need before the first utterance, and may load when nobody waits for them to start.

    Raises MissingPartError, as they do themselves when somebody is to be heard.
    """
    if spec == "pocketsphinx":
        moonshine.load_moonshine()


def beside(spec: str) -> str | None:
    """The second recogniser of these ears, by its name; empty: it is not installed; None: they have none."""
    if spec != "pocketsphinx":
        return None
    return "moonshine" if moonshine.is_here() else ""


def heard_in(spec: str) -> tuple[str, ...]:
    """The languages that these ears hear; empty: those of their model."""
    kind, _, model = spec.partition(":")
    if kind == "faster-whisper":
        return faster_whisper.languages_of(model)
    return ("en",) if kind == "pocketsphinx" else ()


def to_be_fetched(spec: str) -> bool:
    """Whether loading these ears would fetch a model."""
    kind, _, model = spec.partition(":")
    return kind == "faster-whisper" and faster_whisper.is_name(model) and not faster_whisper.is_here(model)


def processes_for(spec: str, cores: int) -> int:
    """How many processes listen: one per core, but whisper uses four cores in each."""
    return max(1, cores // 4) if spec.startswith("faster-whisper") else max(1, cores)
