// Chainlit 2.12's microphone and player, mended. Its bundle puts both classes on the window; they are caught
// there, and the methods that its page calls are replaced by ones over worklets of our own. Mended are:
//   - a start that the server refused left a spinner for ever (`end` threw);
//   - a second P while connecting tore the call down (`begin` threw);
//   - an end while the microphone opened, with a start behind it, ended that start as well;
//   - 171 ms between chunks of the microphone: now 40 ms;
//   - nobody was told how much of a reply was played: now each 200 ms, and at its end, for each track;
//   - the count of played samples began anew after an underrun: the worklet now outlives it;
//   - two AudioContexts leaked with each call, and the microphone's sound piled up in memory.
import { tellDesk } from "./mailbox.js";
import { voiceIsOn } from "./push.js";

const SAMPLE_RATE = 24000;
const MOST_WAITING = 100; // pieces of 100 ms

/** Catch both classes as the bundle puts them on the window. */
export function mendVoice() {
  caught("WavRecorder", mendRecorder);
  caught("WavStreamPlayer", mendPlayer);
}

function caught(name, mend) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    set(value) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
      mend(value.prototype);
    },
  });
}

// --- the microphone ---

// The desk's own voice is taken out of the sound, for open speakers. The browser's noise suppression and gain
// are left off: they are made for human ears, and cost a recogniser words (measured: docs/decisions).
const MICROPHONE = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false };

const FAULTS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

function mendRecorder(recorder) {
  recorder.begin = async function () {
    // While it opens, and once it is open, there is nothing more to do.
    this.opening ??= openMicrophone();
    while (this.opening) {
      const opening = this.opening;
      try {
        const microphone = await opening;
        if (this.opening === opening) return Boolean(Object.assign(this, microphone));
      } catch (error) {
        if (this.opening === opening) this.opening = null;
        if (!this.opening) throw error;
      }
    }
    return ended();
  };
  recorder.record = async function (onChunk) {
    if (!this.processor) return ended();
    if (this.recording) return true;
    this.processor.port.onmessage = ({ data }) => onChunk({ mono: data, raw: data });
    this.recording = true;
    voiceIsOn(true);
    return true;
  };
  recorder.end = async function () {
    voiceIsOn(false);
    this.opening?.then(closeMicrophone, () => null); // at once, or as soon as it is open
    const nothing = { opening: null, recording: false, stream: null, source: null, processor: null, node: null };
    Object.assign(this, nothing);
    return null;
  };
}

/** What a start that was ended meanwhile waits for: it has nothing more to do, and whoever ended it said so. */
const ended = () => new Promise(() => {});

async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) throw failed("insecure");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE });
  } catch (error) {
    throw failed(FAULTS[error.name] ?? "refused");
  }
  const { context, source } = tap(stream);
  await context.audioWorklet.addModule(new URL("./microphone-worklet.js", import.meta.url));
  const node = new AudioWorkletNode(context, "helpline-microphone", { numberOfOutputs: 0 });
  const analyser = analyserOf(context);
  source.connect(node);
  source.connect(analyser);
  stream.getAudioTracks()[0].addEventListener("ended", () => failed("lost"));
  return { stream, source, analyser, processor: node, node };
}

/** The stream at 24 kHz; some browsers refuse to resample a microphone, and then the worklet does it. */
function tap(stream) {
  let context = new AudioContext({ sampleRate: SAMPLE_RATE });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    context.close();
    context = new AudioContext();
    return { context, source: context.createMediaStreamSource(stream) };
  }
}

function closeMicrophone({ stream, processor }) {
  stream.getTracks().forEach((track) => track.stop());
  if (processor.context.state !== "closed") processor.context.close();
}

function failed(fault) {
  tellDesk("microphone", { fault });
  return new Error(`microphone: ${fault}`);
}

// --- the player ---

function mendPlayer(player) {
  player.connect = async function () {
    if (this.context && this.context.state !== "closed") {
      await this.context.resume();
    } else {
      await openPlayer(this);
    }
    const waited = this.waiting ?? [];
    this.open = true;
    this.waiting = [];
    for (const { pcm, track } of waited) this.add16BitPCM(pcm, track);
    return true;
  };
  player.add16BitPCM = function (pcm, track = "default") {
    if (!this.open) {
      // The desk may speak while the microphone is still being asked for.
      this.waiting = [...(this.waiting ?? []), { pcm, track }].slice(-MOST_WAITING);
    } else if (!this.silenced.has(track)) {
      this.latest = track;
      this.stream.port.postMessage({ type: "play", track, pcm }, [pcm]);
    }
  };
  player.interrupt = async function () {
    this.waiting = [];
    if (!this.stream) return null;
    if (this.latest) this.silenced.add(this.latest);
    this.stream.port.postMessage({ type: "silence" });
    return null;
  };
}

async function openPlayer(player) {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE });
  await context.resume();
  await context.audioWorklet.addModule(new URL("./speaker-worklet.js", import.meta.url));
  const node = new AudioWorkletNode(context, "helpline-speaker", {
    numberOfInputs: 0,
    outputChannelCount: [1],
  });
  const analyser = analyserOf(context);
  node.connect(context.destination);
  node.connect(analyser);
  node.port.onmessage = ({ data }) => onPlayed(player, context, data);
  Object.assign(player, { context, analyser, stream: node, silenced: new Set(), latest: "" });
}

/** The worklet counts what it hands over; what is still on its way to the ear is not heard yet. */
function onPlayed(player, context, { track, samples, over, idle }) {
  const latency_ms = ((context.baseLatency || 0) + (context.outputLatency || 0)) * 1000;
  const ms = (samples * 1000) / SAMPLE_RATE;
  if (track && over) {
    // The rest will be heard in any case: nothing can call it back from the sound card.
    setTimeout(() => tellDesk("played", { track, ms: Math.round(ms) }), latency_ms);
  } else if (track) {
    tellDesk("played", { track, ms: Math.max(0, Math.round(ms - latency_ms)) });
  }
  if (idle) player.onStop?.();
}

function analyserOf(context) {
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0.1;
  return analyser;
}
