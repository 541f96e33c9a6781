/** Real time: the clock of the computer, and waiting for a deadline. */
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';

/** The wall clock is compared with the steady one at so many of its milliseconds at most, */
const EDGES_MAX = 20;
/** until the two readings were so near to each other that nothing can have come between them. */
const EDGE_MAX_MS = 0.02;

/**
 * The wall clock's time, ms, at the zero of the steady clock. `performance.timeOrigin` says it too,
 * but is wrong by milliseconds where the process was interrupted between its two readings.
 */
function compareClocks(): number {
  let [origin_ms, closest_ms] = [performance.timeOrigin, Infinity];
  for (let edge = 0; edge < EDGES_MAX && closest_ms > EDGE_MAX_MS; edge++) {
    const was_ms = Date.now();
    for (let before_ms = performance.now(); ;) {
      const wall_ms = Date.now();
      const after_ms = performance.now();
      if (wall_ms !== was_ms) {
        // The millisecond began between the two readings of the steady clock.
        const apart_ms = after_ms - before_ms;
        if (apart_ms < closest_ms) {
          [origin_ms, closest_ms] = [wall_ms - (before_ms + after_ms) / 2, apart_ms];
        }
        break;
      }
      before_ms = after_ms;
    }
  }
  return origin_ms;
}

let origin_ms: number | null = null;

/** System time in µs since the epoch; steady, for it does not see the wall clock being set. */
export const now_us = (): number =>
  Math.floor(((origin_ms ??= compareClocks()) + performance.now()) * 1000);

/** Timers are good to a millisecond or two, so the last of a wait is slept out in full. */
const EXACT_MS = 2;
const TIMER_MAX_MS = 2 ** 30; // A longer one would fire at once.
const idle = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits for a deadline, or until `stop`, then looks at the sockets.
 * @returns the time, µs, at which it looked: what had arrived by then has been heard
 */
export async function until(at_us: number, stop: AbortSignal): Promise<number> {
  for (let left_ms; !stop.aborted && (left_ms = (at_us - now_us()) / 1000) > 0;) {
    if (left_ms <= EXACT_MS) Atomics.wait(idle, 0, 0, left_ms);
    else {
      const nap_ms = Math.min(left_ms - EXACT_MS / 2, TIMER_MAX_MS);
      await sleep(nap_ms, null, { signal: stop }).catch(() => {});
    }
  }
  return look();
}

/** A look that takes longer was interrupted, and may have heard what came after its time. */
const LOOK_MAX_US = 5000;
const LOOKS_MAX = 20;

/**
 * Hears all that has arrived, and tells the time at which it looked. If the process was stopped
 * between the reading of the clock and the look, it looks again: else a tick could be dated before
 * the send of the message that it takes.
 */
async function look(): Promise<number> {
  for (let nth = 1; ; nth++) {
    const time_us = now_us();
    await immediate(); // The event loop reads sockets before it comes back from this,
    await immediate(); // and from this what a connection said that it found in the first round.
    if (now_us() - time_us <= LOOK_MAX_US || nth === LOOKS_MAX) return time_us;
  }
}
