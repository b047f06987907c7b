"""Arrays on disk in chunks that can be resumed: each a pure function of its index and the settings.

A data set is a Zarr group (format 3) whose attributes say how it was made; each chunk is a group of its own,
written beside and moved into place whole, with a checksum. An interrupted run therefore resumes where it
stopped and returns the same bytes. How many chunks beyond those returned lie on disk depends on the workers.
"""

import hashlib
import json
import math
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

#: chunks after which a data set gives up if they hold fewer members than their number
PATIENCE = 16
#: what must be the same for chunks to join those of an earlier run
VERSIONS = {name: version(name) for name in ("nslib", "jax", "numpy")}


def collect(path, n, chunk, settings, *, units, attributes, client=None, progress=True):
    """Arrays of the first chunks that together hold n members, computed where they lack.

    One process at a time may write to a path.

    Parameters
    ----------
    path : path of the data set
    n : int, members wanted
    chunk : function (index, settings) -> dict of arrays; a module-level one for a client to find
    settings : dict that JSON can hold
    units : dict of the names of the arrays to their units; the first counts the members of a chunk
    attributes : dict, further attributes of the data set
    client : Dask client, its workers sharing the file system; None: two threads here
    progress : bool, show a bar

    Returns
    -------
    dict of arrays, chunks in order; the last chunk may go beyond n

    Raises
    ------
    ValueError
        n below 1; a path with other settings, or one that would have to grow under other versions of
        nslib, JAX or NumPy; a damaged chunk, named; fewer members than chunks after ``PATIENCE`` chunks
    """
    import dask
    from tqdm import tqdm

    if not (isinstance(n, (int, np.integer)) and n >= 1):
        raise ValueError(f"n must be a whole number >= 1, got {n!r}")
    path, made = _open(Path(path), settings, attributes | {"units": units})
    where = {"scheduler": "threads", "num_workers": 2} if client is None else {"scheduler": client}
    workers = 2 if client is None else max(1, sum(client.nthreads().values()))
    found = []
    while sum(found) < n and (path / _name(len(found))).exists():
        found.append(_members(path, len(found), units))
    if sum(found) < n:
        _same(path, made, {"versions": VERSIONS})
    with tqdm(total=n, initial=min(n, sum(found)), desc=path.name, disable=not progress) as bar:
        while sum(found) < n:
            if len(found) >= PATIENCE and sum(found) < len(found):
                raise ValueError(f"{len(found)} chunks hold {sum(found)} members; the settings accept next to nothing: {settings}")
            ahead = math.ceil((n - sum(found)) * len(found) / max(1, sum(found)))
            wave = range(len(found), len(found) + min(max(ahead, 1), 2 * workers))
            found += dask.compute(*(dask.delayed(_ensure)(path, i, chunk, settings, units) for i in wave), **where)
            bar.update(min(n, sum(found)) - bar.n)
    used = int(np.searchsorted(np.cumsum(found), n)) + 1
    parts = [_read(path / _name(i), units) for i in range(used)]
    return {name: np.concatenate([part[name] for part in parts]) for name in units}


def _name(index):
    return f"chunk-{index:05d}"


def _clear(folder):
    """The path of a folder that is no longer there."""
    if folder.exists():
        shutil.rmtree(folder)
    return folder


def _open(path, settings, attributes):
    """The path of a data set with these settings and its attributes; begun there if nothing stands there yet."""
    import zarr

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=path.name, suffix=".part", dir=path.parent))
        zarr.open_group(part, mode="w", zarr_format=3, attributes={"settings": settings, "versions": VERSIONS} | attributes)
        os.replace(part, path)
    try:
        made = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        made["settings"], made["versions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a data set of nslib: {error!r}") from error
    _same(path, made, {"settings": settings})
    return path, made


def _same(path, made, wanted):
    """ValueError naming the first of the settings or versions in which a data set differs from those wanted."""
    for kind, entries in wanted.items():
        for name, value in json.loads(json.dumps(entries)).items():
            if name not in made[kind] or made[kind][name] != value:
                raise ValueError(f"{path} was made with {name} = {made[kind].get(name)}, not {value}; give another path")


def _ensure(path, index, chunk, settings, units):
    """Number of members of one chunk, which is computed and written unless it is there."""
    folder = path / _name(index)
    if not folder.exists():
        part = _clear(path / f".{folder.name}.part")
        _write(part, chunk(index, settings), units)
        os.replace(part, folder)
    return _members(path, index, units)


def _members(path, index, units):
    """Number of members of a chunk that is there."""
    return len(_read(path / _name(index), units)[next(iter(units))])


def checksum(arrays):
    """SHA-256 of a dict of arrays: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _write(folder, arrays, units):
    """A chunk as a Zarr group, each array in one piece."""
    import zarr

    group = zarr.open_group(folder, mode="w", zarr_format=3, attributes={"sha256": checksum(arrays)})
    for name, unit in units.items():
        whole = tuple(max(1, k) for k in arrays[name].shape)
        group.create_array(name, data=arrays[name], chunks=whole, attributes={"unit": unit})


def _read(folder, units):
    """Arrays of one chunk; ValueError naming the folder where they are not what was written."""
    import zarr

    cure = "delete that folder and call again to compute it afresh"
    try:
        group = zarr.open_group(folder, mode="r", zarr_format=3)
        arrays = {name: group[name][...] for name in units}
        intact = checksum(arrays) == group.attrs["sha256"]
    except Exception as error:  # a damaged file can make the decoders raise anything
        raise ValueError(f"{folder} is damaged: {error!r}; {cure}") from error
    if not intact:
        raise ValueError(f"{folder} is damaged: its arrays do not have their checksum; {cure}")
    return arrays
