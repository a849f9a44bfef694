// The microphone as 40 ms pieces of 24 kHz mono s16le. Keeps nothing.
const RATE = 24000;
const PIECE = 960;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.sum = 0;
    this.count = 0;
    this.phase = 0;
  }

  process([input]) {
    const channel = input[0];
    if (!channel) return true;
    for (const sample of channel) {
      // Each sample that leaves is the mean of those that came in its time: at 24 kHz, the sample itself.
      this.sum += sample;
      this.count += 1;
      this.phase += RATE;
      if (this.phase < sampleRate) continue;
      this.phase -= sampleRate;
      this.put(this.sum / this.count);
      this.sum = 0;
      this.count = 0;
    }
    return true;
  }

  put(sample) {
    const clipped = Math.max(-1, Math.min(1, sample));
    this.piece[this.filled++] = Math.round(clipped * 32767);
    if (this.filled < PIECE) return;
    const { buffer } = this.piece;
    this.port.postMessage(buffer, [buffer]);
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
  }
}

registerProcessor("helpline-microphone", Microphone);
