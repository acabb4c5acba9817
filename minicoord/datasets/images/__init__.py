"""Real images with labels: subsets that ship with minicoord, and whole sets from files that a user has.

`shipped_images` returns 5,000 digits of MNIST or 8,000 pictures of Fashion-MNIST without a network; their sources and
licences stand in ``LICENSES.md``, and ``extract.py`` made them. `load_images` reads all of MNIST, Fashion-MNIST or
CIFAR-10 from a folder, and fetches what is missing when it is told to. Nothing is ever unpickled.

``photos.py`` reads photos of one's own, without labels, for the GAN.

Begin with ``labelled.py``, which says what both return; then ``shipped.py`` and ``load.py``.
"""
