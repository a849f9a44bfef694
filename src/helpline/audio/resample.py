"""Changes the rate of a stream of PCM, chunk by chunk, without clicks at the seams."""

import numpy as np
import soxr

from helpline.audio.pcm import BYTES_PER_SAMPLE, from_samples, samples


class Resampler:
    """One stream from one rate to another: feed it chunks of any length, then `finish`.

    Computed in floats: in integers soxr adds dither, and the same sound would not come out the same twice.
    It holds back a few milliseconds (`delay_ms`), which `finish` returns. Equal rates pass through.
    """

    def __init__(self, in_rate: int, out_rate: int, *, quality: str = "MQ") -> None:
        if in_rate <= 0 or out_rate <= 0:
            raise ValueError("rates must be above zero")
        self._out_rate = out_rate
        self._half = b""
        same = in_rate == out_rate
        self._stream = None if same else soxr.ResampleStream(in_rate, out_rate, 1, "float32", quality)

    def feed(self, pcm: bytes) -> bytes:
        """What of the chunk (and of those before) is ready at the new rate; may be empty."""
        pcm = self._half + pcm
        whole = len(pcm) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE
        self._half = pcm[whole:]
        return self._run(pcm[:whole], last=False)

    def finish(self) -> bytes:
        """The rest; afterwards the resampler is ready for another stream."""
        rest = self._run(b"", last=True)
        self.reset()
        return rest

    def reset(self) -> None:
        """Forgets the stream so far: what was held back belonged to a sound that is no longer wanted."""
        self._half = b""
        if self._stream is not None:
            self._stream.clear()

    @property
    def delay_ms(self) -> float:
        """How much sound is held back now."""
        return 0.0 if self._stream is None else float(self._stream.delay()) * 1000 / self._out_rate

    def _run(self, pcm: bytes, *, last: bool) -> bytes:
        if self._stream is None:
            return pcm
        if not pcm and not last:
            return b""
        return from_samples(self._stream.resample_chunk(samples(pcm).astype(np.float32), last=last))


def resample(pcm: bytes, in_rate: int, out_rate: int) -> bytes:
    """A whole sound at another rate, in the best quality."""
    if in_rate == out_rate or len(pcm) < BYTES_PER_SAMPLE:
        return pcm
    return from_samples(soxr.resample(samples(pcm).astype(np.float32), in_rate, out_rate, "HQ"))
