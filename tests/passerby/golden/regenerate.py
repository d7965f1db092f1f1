"""Write the golden bytes of a protocol version anew: `python -m tests.passerby.golden.regenerate`.

Only for a version that was never released: what is in a released version's folder must decode for ever.
"""

from pathlib import Path

import msgspec

from passerby.codec import VERSION, encode
from tests.passerby.wire_samples import SAMPLES

FOLDER = Path(__file__).parent


def regenerate() -> None:
    """One file a kind: a msgpack array of the message's parts."""
    folder = FOLDER / f"v{VERSION[0]}.{VERSION[1]}"
    folder.mkdir(exist_ok=True)
    for kind, envelope in SAMPLES.items():
        (folder / f"{kind}.msgpack").write_bytes(msgspec.msgpack.encode(encode(envelope)))


if __name__ == "__main__":
    regenerate()
