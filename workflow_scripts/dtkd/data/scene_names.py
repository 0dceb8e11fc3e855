"""Names that tell which clips are of one scene, as those of some known data sets do."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dtkd.common.errors import DtkdError

# Of a file's name, the scene's part and what follows it.
SCENES = {
    "UCF101": (r".+_g\d+", r"_c\d+\."),
    "HMDB51": (r".+", r"_[fhlu]_[cn]m_np\d+_(?:ba|fr|le|ri)_(?:bad|goo|med)_\d+\."),
    "KTH": (r"person\d+", r"_[A-Za-z]+_d\d[_.]"),
    "clips cut from YouTube": (r"[\w-]{11}", r"_\d{6}_\d{6}\."),
}


class InNames(NamedTuple):
    """Scenes that names of a known kind tell of: whose kind, the two parts of its pattern, path -> scene."""

    known: str
    scene: str
    rest: str
    scenes: dict[str, str]


def scenes_in_names(paths: Iterable[str]) -> InNames | None:
    """The scenes that videos' names tell of, of those videos whose names do; None where no two show the same."""
    paths = list(paths)
    for known, (scene, rest) in SCENES.items():
        found = {path: match[1] for path in paths if (match := re.search(f"/({scene}){rest}", path))}
        if len(set(found.values())) < len(found):
            return InNames(known, scene, rest, found)
    return None


def check_scenes(root: str | Path, paths: Iterable[str]) -> None:
    """Raise DtkdError if the names of ``folders`` tell of clips of one scene, which lists drawn by clip would part.

    ``paths`` are those of `videos_by_class`. To be asked where there is no `group_pattern`: the message offers one.
    """
    paths = list(paths)
    if (found := scenes_in_names(paths)) is None:
        return
    sizes = Counter(found.scenes.values())
    several = [path for path, scene in found.scenes.items() if sizes[scene] > 1]
    pattern = f"/({found.scene}){found.rest}"
    if len(found.scenes) < len(paths):  # the pattern has to find something in every name
        pattern = f"/({found.scene}(?={found.rest})|.+)"
    raise DtkdError(
        f"{root}: by their names, such as {several[0]} (like those of {found.known}), {len(several)} videos show a "
        "scene that others show too, and lists drawn clip by clip would train and test on it; keep scenes together "
        f"with `group_pattern: '{pattern}'`, or say `group_pattern: none` if they are none"
    )


def groups(known: str, paths: Iterable[str]) -> dict[str, str]:
    """Path -> its scene, by names as those of a data set of SCENES are; a video of another name is alone."""
    scene, rest = SCENES[known]
    found = {path: re.search(f"^([^/]+/{scene}){rest}", path) for path in paths}
    return {path: match[1] if match else path for path, match in found.items()}
