/** Where in a run the page is, and how time passes there: plays, pauses, steps, seeks. */
import { type Film, nextTick, previousTick } from './play.film.ts';
import { SPEED_LEAST, SPEED_MOST } from './play.setting.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]; // What the keys go by.
const FRAME_MOST_S = 0.1; // A page that was hidden goes on where it was.
// ─────────────────────────────────────────────────────────────────────────────────────────────

export interface Playhead {
  /** Model seconds, and model seconds a second. */
  t: number;
  speed: number;
  playing: boolean;
  play(): void;
  pause(): void;
  seek(to_s: number): void;
  forward(): void;
  back(): void;
  setSpeed(speed: number): void;
  faster(): void;
  slower(): void;
  /** Lets so many real seconds pass. */
  pass(real_s: number): void;
}

/**
 * The playhead of some films that last equally long.
 * @param moved is called after each jump in time, not while it merely passes; `paced` after a
 *   change of speed, `turned` when playing begins or ends
 */
export function playhead(on: {
  films(): Film[];
  moved(): void;
  paced(): void;
  turned(): void;
}): Playhead {
  const end_s = () => on.films()[0]!.duration_s;
  const turn = (playing: boolean) => {
    head.playing = playing;
    on.turned();
  };
  const step = (to_s: number) => {
    head.playing = false;
    head.seek(to_s);
  };
  const head: Playhead = {
    t: 0, speed: 1, playing: false,
    play() {
      if (head.t >= end_s()) head.t = 0;
      turn(true);
    },
    pause: () => turn(false),
    seek(to_s) {
      head.t = Math.max(0, Math.min(end_s(), to_s));
      on.moved();
    },
    forward: () => step(Math.min(...on.films().map((film) => nextTick(film, head.t)))),
    back: () => step(Math.max(...on.films().map((film) => previousTick(film, head.t)))),
    setSpeed(speed) {
      head.speed = Math.min(SPEED_MOST, Math.max(SPEED_LEAST, speed));
      on.paced();
    },
    faster: () => head.setSpeed(SPEEDS.find((one) => one > head.speed * 1.01) ?? SPEED_MOST),
    slower: () =>
      head.setSpeed(SPEEDS.filter((one) => one < head.speed * 0.99).at(-1) ?? SPEED_LEAST),
    pass(real_s) {
      if (!head.playing) return;
      head.t = Math.min(end_s(), head.t + Math.min(FRAME_MOST_S, real_s) * head.speed);
      if (head.t >= end_s()) turn(false);
    },
  };
  return head;
}
