// Plays pieces of 24 kHz mono s16le in the order in which they come, and says how much of each track it has
// played. Unlike Chainlit's it lives on when it runs dry, so that a track's count never begins anew.
const REPORT_SAMPLES = 4800; // 200 ms

class Speaker extends AudioWorkletProcessor {
  constructor() {
    super();
    this.pieces = [];
    this.at = 0;
    this.track = "";
    this.samples = 0;
    this.reported = 0;
    this.dry = true;
    this.port.onmessage = ({ data }) => (data.type === "play" ? this.queue(data) : this.silence());
  }

  queue({ track, pcm }) {
    this.pieces.push({ track, pcm: new Int16Array(pcm, 0, pcm.byteLength >> 1) });
    this.dry = false;
  }

  silence() {
    this.pieces = [];
    this.at = 0;
    if (this.track) this.report({ over: true, idle: true });
    this.track = "";
    this.dry = true;
  }

  process(_inputs, [[output]]) {
    for (let index = 0; index < output.length; index++) output[index] = this.next() / 32768;
    if (!this.dry && this.pieces.length === 0) {
      this.dry = true;
      this.report({ over: true, idle: true });
    } else if (this.samples - this.reported >= REPORT_SAMPLES) {
      this.report({});
    }
    return true;
  }

  next() {
    const piece = this.pieces[0];
    if (!piece) return 0;
    if (piece.track !== this.track) this.begin(piece.track);
    const sample = piece.pcm[this.at++] ?? 0;
    this.samples += 1;
    if (this.at >= piece.pcm.length) {
      this.pieces.shift();
      this.at = 0;
    }
    return sample;
  }

  begin(track) {
    if (this.track && this.samples > this.reported) this.report({ over: true });
    this.track = track;
    this.samples = 0;
    this.reported = 0;
  }

  report(extra) {
    this.reported = this.samples;
    this.port.postMessage({ track: this.track, samples: this.samples, ...extra });
  }
}

registerProcessor("helpline-speaker", Speaker);
