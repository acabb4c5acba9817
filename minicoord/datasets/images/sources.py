"""Where the whole sets come from: their files, checksums and addresses."""

from __future__ import annotations

from dataclasses import dataclass

DATA_VARIABLE = "MINICOORD_DATA"
"""The environment variable with a folder that has a folder for each set."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a set.

    Attributes
    ----------
    name : str
        Its name in a folder.
    sha256 : str
        Checksum of the published file, in hexadecimal digits.
    addresses : tuple of str
        Where it can be fetched, the first choice first.
    """

    name: str
    sha256: str
    addresses: tuple[str, ...]


def _files(addresses: tuple[str, ...], **checksums: str) -> tuple[SourceFile, ...]:
    names = {key: key.replace("_", "-") + "-ubyte.gz" for key in checksums}
    return tuple(
        SourceFile(names[key], sha256, tuple(address + names[key] for address in addresses))
        for key, sha256 in checksums.items()
    )


FILES: dict[str, tuple[SourceFile, ...]] = {
    "mnist": _files(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        train_images_idx3="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        train_labels_idx1="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        t10k_images_idx3="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        t10k_labels_idx1="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    "fashion-mnist": _files(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        train_images_idx3="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        train_labels_idx1="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        t10k_images_idx3="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        t10k_labels_idx1="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
    "cifar-10": (
        SourceFile(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
        ),
    ),
}
"""The published files of each set that `load_images` reads."""

CLASSES: dict[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    "cifar-10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
"""The names of the classes, by label."""
