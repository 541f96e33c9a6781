/** From the selected event to others: along a machine, across machines, along a message. */
import { lastEvent, type Film } from './play.film.ts';

export interface Selection {
  along(by: 1 | -1): void;
  across(by: 1 | -1): void;
  message(): void;
}

/** From none the first step is to what happened last. */
export function selection(on: {
  film(): Film;
  now(): number;
  selected(): number;
  to(event: number): void;
}): Selection {
  const isTick = (film: Film, event: number | undefined) =>
    event !== undefined && film.tick[event]! >= 0 && film.time_s[event]! <= on.now();
  const latest = (film: Film) => film.lanes.map((_, id) => lastEvent(film, id, on.now()))
    .filter((event) => isTick(film, event))
    .reduce((best, event) => (best < 0 || film.time_s[event]! > film.time_s[best]! ? event : best),
      -1);
  const go = (find: (film: Film, event: number) => number | undefined) => () => {
    const film = on.film();
    const event = on.selected();
    const next = event < 0 ? latest(film) : find(film, event);
    if (isTick(film, next)) on.to(next!);
  };
  return {
    along: (by) => go((film, event) => {
      const lane = film.lanes[film.machine[event]!]!;
      return lane[lane.indexOf(event) + by];
    })(),
    across: (by) => go((film, event) => {
      const lane = film.lanes[film.machine[event]! + by];
      const far = (one: number) => Math.abs(film.time_s[one]! - film.time_s[event]!);
      return lane?.filter((one) => isTick(film, one))
        .reduce((best, one) => (best < 0 || far(one) < far(best) ? one : best), -1);
    })(),
    message: go((film, event) => (film.cause[event]! >= 0 ? film.cause[event]!
      : film.messages.find(({ sent, taken }) => sent === event && taken >= 0)?.taken)),
  };
}
