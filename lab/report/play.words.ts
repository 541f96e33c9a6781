/** The sentences of the playground: what an event is, and what theory says of a setting. */
import { predict, type Prediction } from '../theory/predict.ts';
import { type Film, momentsAt } from './play.film.ts';
import type { Setting } from './play.setting.ts';

/** 'a', 'a and b', 'a, b and c'. */
export const listed = (words: readonly (string | number)[]): string =>
  (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** Two digits that count: 0.87, 2.4, 34. */
export const about = (x: number): string => (!Number.isFinite(x) ? '–' : Math.abs(x) >= 10
  ? String(Math.round(x)) : String(Number(x.toPrecision(2))));

/** What a machine did, in the words of the exercise: 'send 17 to 0 and 2'. */
export function eventWords(film: Film, place: number): string {
  const [event, peers, values] = [film.event[place]!, film.peers[place]!, film.values[place]!];
  if (event === 'send') return `send ${film.clock[place]} to ${listed(peers)}`;
  if (event === 'receive' && values.length > 0) {
    return `receive ${listed(values)}${peers.length > 0 ? ` from ${listed(peers)}` : ''}`;
  }
  return event;
}

/** An event in a sentence of its own. */
export function eventSentence(film: Film, place: number): string {
  const tick = film.tick[place]!;
  return `Machine ${film.machine[place]}${tick >= 0 ? `, tick ${tick}` : ''}, at `
    + `${film.time_s[place]!.toFixed(2)} s: ${eventWords(film, place)}`;
}

/** What theory says of a setting; null where it says nothing. */
export function predictionOf(
  setting: Pick<Setting, 'internal' | 'take' | 'queue_max' | 'news' | 'senders' | 'both' | 'loss'>,
  rates_hz: number[],
): Prediction[] | null {
  const { internal, take, queue_max, news, senders, both, loss } = setting;
  const known = take === 'oldest' && queue_max === null && !news && senders === null && loss === 0
    && Math.abs(both - 1 / 3) < 1e-9;
  return known ? predict({ rates_hz, internal }) : null;
}

/** A load in digits that never say 1.00 of one that is not 1. */
export const loadText = (load: number): string =>
  (load !== 1 && load.toFixed(2) === '1.00' ? load.toPrecision(4) : load.toFixed(2));

/** 'load 1.67: falls behind 2.4 a second'. */
export function theoryWords({ load, lag_growth_hz, mean_lag, basis }: Prediction): string {
  if (load > 1) return `load ${loadText(load)}: falls behind ${about(lag_growth_hz)} a second`;
  if (load === 1) return 'load 1.00: on the border, lag grows as √t';
  return `load ${loadText(load)}: keeps up${Number.isFinite(mean_lag)
    ? `, ${basis === 'outside' ? 'perhaps ' : ''}${about(mean_lag)} behind on average` : ''}`;
}

/** The finding of a setting, in a sentence. */
export function headline(predictions: Prediction[]): string {
  const late = predictions.filter(({ load }) => load > 1);
  const border = predictions.filter(({ load }) => load === 1);
  const names = (some: Prediction[]) => `Machine${some.length > 1 ? 's' : ''} `
    + listed(some.length > 4 ? [...some.slice(0, 3).map(({ machine }) => machine),
      `${some.length - 3} more`] : some.map(({ machine }) => machine));
  if (late.length > 0) {
    const worst = late.reduce((a, b) => (b.lag_growth_hz > a.lag_growth_hz ? b : a));
    return late.length === 1
      ? `${names(late)} hears ${loadText(worst.load)} messages for each of its ticks: it falls `
        + `behind by ${about(worst.lag_growth_hz)} a second`
      : `${names(late)} cannot keep up with their messages: up to ${about(worst.lag_growth_hz)} `
        + 'further behind each second';
  }
  if (border.length > 0) {
    return `${names(border)} stand${border.length > 1 ? '' : 's'} on the border: one message for `
      + 'each tick, and chance decides';
  }
  const most = predictions.reduce((a, b) => (b.load > a.load ? b : a));
  return `Every machine keeps up: machine ${most.machine} hears most, `
    + `${loadText(most.load)} messages for each of its ticks`;
}

/** What is seen at the end of a run, in a sentence: where theory has none. */
export function outcome(film: Film): string {
  const moments = momentsAt(film, film.end_s, 0);
  const lag = Math.max(...moments.map((moment) => moment.lag));
  const last = moments.findIndex((moment) => moment.lag === lag);
  const { queue } = moments[last]!;
  if (lag <= 3) return `All clocks end within ${lag} of each other`;
  return `Machine ${last} ends ${lag} behind the highest clock, with ${queue === 0 ? 'no message'
    : `${queue} message${queue === 1 ? '' : 's'}`} waiting`;
}
