// Reads the stream of snapshots, and comes back by itself whenever it breaks.
//
// fetch instead of EventSource, since only fetch can send an API key as a header.

const SILENCE_MILLISECONDS = 10_000;
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 5_000;

class KeyNeeded extends Error {}
class RedisAway extends Error {}

export class SnapshotStream {
  #address;
  #readKey;
  #onSnapshot;
  #onState;
  #abort = null;
  #wake = null;

  constructor(address, { readKey, onSnapshot, onState }) {
    this.#address = address;
    this.#readKey = readKey;
    this.#onSnapshot = onSnapshot;
    this.#onState = onState;
  }

  // Ends a pause, for instance because a key was entered or the page can be seen again.
  retryNow() {
    this.#wake?.();
  }

  async run() {
    let pause = FIRST_PAUSE_MILLISECONDS;
    for (;;) {
      await this.#untilVisible();
      try {
        await this.#read(() => {
          pause = FIRST_PAUSE_MILLISECONDS;
        });
        this.#onState("lost", "the monitor ended the stream; reconnecting");
      } catch (error) {
        if (error instanceof KeyNeeded) {
          this.#onState("locked", error.message);
          await this.#pause(null);
          continue;
        }
        if (error instanceof RedisAway) this.#onState("away", error.message);
        else if (!document.hidden) this.#onState("lost", "the monitor does not answer; reconnecting");
      }
      await this.#pause(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS);
    }
  }

  async #read(onFirst) {
    const abort = new AbortController();
    this.#abort = abort;
    let watchdog = this.#guard(abort);
    const leave = () => document.hidden && abort.abort();
    document.addEventListener("visibilitychange", leave);
    try {
      const key = this.#readKey();
      const headers = key ? { Authorization: `Bearer ${key}` } : {};
      const response = await fetch(this.#address, { headers, signal: abort.signal, cache: "no-store" });
      if (response.status === 401) throw new KeyNeeded(key ? "This key is not valid." : "");
      if (response.status === 403) throw new KeyNeeded("This key may not look at the fleet.");
      if (!response.ok) {
        const { code } = await response.json().catch(() => ({}));
        // Without Redis the API key can't be looked up.
        if (code === "broker_unavailable") throw new RedisAway("Redis does not answer");
        throw new Error(`the monitor answered ${response.status}`);
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = this.#guard(abort);
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) this.#dispatch(block, onFirst);
      }
    } finally {
      clearTimeout(watchdog);
      document.removeEventListener("visibilitychange", leave);
    }
  }

  #dispatch(block, onFirst) {
    const lines = block.split("\n").filter((line) => line.startsWith("data: "));
    if (lines.length === 0) return;
    onFirst();
    this.#onSnapshot(JSON.parse(lines.map((line) => line.slice("data: ".length)).join("\n")));
  }

  #guard(abort) {
    return setTimeout(() => abort.abort(), SILENCE_MILLISECONDS);
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = milliseconds === null ? null : setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #untilVisible() {
    if (!document.hidden) return Promise.resolve();
    this.#onState("connecting", "paused while not seen");
    return new Promise((resolve) => {
      document.addEventListener("visibilitychange", () => resolve(), { once: true });
    });
  }
}
