"""Recognition engines by name: whatever the installed packages declare in the entry-point group `captchad.recognisers`.

An entry is a function without arguments that loads and returns a RecognitionEngine. Engines whose names are joined by
`+` read together, see ensemble.py.
"""

from importlib.metadata import EntryPoint, entry_points

from captchad.domain.errors import DependencyMissing
from captchad.recognition.ensemble import EnsembleEngine
from captchad.recognition.recognition_engine import RecognitionEngine

ENTRY_POINT_GROUP = "captchad.recognisers"
DEFAULT_ENGINE = "captchad"
ENSEMBLE_SIGN = "+"
ENSEMBLE_MEMBERS = ("captchad", "ddddocr", "tesseract")
"""Members of `ensemble`, as far as they are installed; at equal confidence the first one wins."""

_OWN_PACKAGE = "captchad"


def list_engines() -> tuple[str, ...]:
    """Name every declared engine in order; whether it is fully installed shows only when it is loaded."""
    return tuple(sorted(_find_entries()))


def find_unknown(name: str) -> tuple[str, ...]:
    """Return the parts of a name (NAME or NAME+NAME) that no package declares."""
    entries = _find_entries()
    return tuple(part for part in name.split(ENSEMBLE_SIGN) if part not in entries)


def load_engine(name: str = DEFAULT_ENGINE) -> RecognitionEngine:
    """Load an engine (NAME, or NAME+NAME for several together); DependencyMissing where one is not installed."""
    unknown = find_unknown(name)
    if unknown:
        raise DependencyMissing(describe_unknown(unknown))
    entries = _find_entries()
    members = [_load(entries[part]) for part in dict.fromkeys(name.split(ENSEMBLE_SIGN))]
    return members[0] if len(members) == 1 else EnsembleEngine(members)


def describe_unknown(unknown: tuple[str, ...]) -> str:
    """Say which engine is unknown, and which are known."""
    known = ", ".join(list_engines()) or "none: reinstall captchad"
    return f"there is no engine {', '.join(map(repr, unknown))}; those declared are: {known}"


def load_ensemble() -> RecognitionEngine:
    """Load captchad's own engines that are installed; DependencyMissing where none is."""
    members: list[RecognitionEngine] = []
    reasons: list[str] = []
    for name in ENSEMBLE_MEMBERS:
        try:
            members.append(load_engine(name))
        except DependencyMissing as error:
            reasons.append(error.message)
    if not members:
        raise DependencyMissing("; ".join(reasons))
    return EnsembleEngine(members)


def _find_entries() -> dict[str, EntryPoint]:
    """Find all entries; where two packages use the same name, captchad's own wins, otherwise the first."""
    found = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: not _is_own(entry))
    entries: dict[str, EntryPoint] = {}
    for entry in found:
        entries.setdefault(entry.name, entry)
    return entries


def _is_own(entry: EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == _OWN_PACKAGE


def _load(entry: EntryPoint) -> RecognitionEngine:
    try:
        load = entry.load()
    except (ImportError, AttributeError) as error:
        raise DependencyMissing(f"the engine {entry.name} ({entry.value}) can't be loaded: {error}") from error
    engine: RecognitionEngine = load()
    return engine
