/** Real time: the clock of the computer, and waiting for a deadline. */
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';

/** System time in µs since the epoch; steady, for it does not see the wall clock being set. */
export const now_us = () => Math.floor((performance.timeOrigin + performance.now()) * 1000);

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
