/** What is said of an event and of a window. The page of a report bundles this file. */
import type { Diagram } from '../model/causality.ts';
import { type Drawable, inView, type View } from './diagram.ts';

const seconds = (s: number) => `${s.toFixed(3)} s`;
const list = (words: (string | number)[]) =>
  (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** What happened at an event, in a sentence. */
export function tell(diagram: Drawable, at: number): string {
  const { machine, event, peer, message, time_s } = diagram;
  const who = `Machine ${machine[at]}`;
  const when = `at ${seconds(time_s[at]!)}`;
  if (event[at] === 'i') return `${who}, ${when}: an internal event.`;
  if (event[at] === 'r') {
    if (message[at] === null || peer[at] === '') return `${who}, ${when}: receives a message.`;
    return `${who}, ${when}: receives ${message[at]} from ${machines(peer[at]!)}`
      + `${journey(diagram, at)}.`;
  }
  if (peer[at] === '') return `${who}, ${when}: sends ${message[at] ?? 'a message'}.`;
  const taken = new Map(takers(diagram, at).map((to) => [machine[to]!, time_s[to]!]));
  const receivers = peer[at]!.split(' ').map((id) => (taken.has(Number(id))
    ? `machine ${id} (taken ${seconds(taken.get(Number(id))! - time_s[at]!)} later)`
    : `machine ${id} (${diagram.reconstructed ? 'no clock says when it was taken'
      : isLost(diagram, at, Number(id)) ? 'never taken' : 'not taken'})`));
  return `${who}, ${when}: sends ${message[at] ?? 'a message'} to ${list(receivers)}.`;
}

const machines = (peers: string) =>
  list(peers.split(' ').map((id) => `machine ${id}`));

const isLost = ({ lost = [] }: Drawable, at: number, receiver: number) =>
  lost.some(([send, to]) => send === at && to === receiver);

/** When the message of a receive was sent, when it arrived, as far as is known, and its wait. */
function journey({ cause, time_s, arrived_s, reconstructed }: Drawable, at: number): string {
  if (cause[at]! < 0) return '';
  const sent_s = time_s[cause[at]!]!;
  const arrived = arrived_s?.[at] ?? null;
  const guess = reconstructed ? ' (so far as the clocks tell)' : '';
  if (arrived === null) {
    return `, sent at ${seconds(sent_s)}: it was taken ${seconds(time_s[at]! - sent_s)} later`
      + guess;
  }
  return arrived - sent_s < 0.001
    ? `, sent and there at ${seconds(sent_s)}: it waited ${seconds(time_s[at]! - arrived)}`
    : `, sent at ${seconds(sent_s)}: it arrived at ${seconds(arrived)} and waited ${
      seconds(Math.max(0, time_s[at]! - arrived))}`;
}

/** The rule at an event, with its numbers, and whether it is obeyed. @param before the clock */
export function rule({ event, message, clock }: Diagram, at: number, before: number): string {
  const is = clock[at]!;
  const said = (words: string, must: number) => `${words} = ${must}: `
    + (must === is ? 'the rule is obeyed.' : `the rule is broken, its clock is ${is}.`);
  if (event[at] !== 'r') return said(`${before} + 1`, before + 1);
  return message[at] === null ? `from ${before} to ${is}, by a message that is not known.`
    : said(`max(${before}, ${message[at]}) + 1`, Math.max(before, message[at]!) + 1);
}

/** The receives of a send. */
export const takers = ({ cause }: Diagram, at: number): number[] =>
  cause.flatMap((from, to) => (from === at ? [to] : []));

/** The vector clock of an event; of many machines only the entries above 0. */
export function vector({ machines: all }: Diagram, clocks: Int32Array, at: number): string {
  const entries = [...clocks.subarray(at * all, (at + 1) * all)];
  return all <= 12 ? `[${entries.join(' ')}]`
    : `{${entries.flatMap((n, id) => (n > 0 ? [`${id}: ${n}`] : [])).join(', ')}}`;
}

/** Clock, queue and vector clock of an event. */
export const state = (diagram: Diagram, clocks: Int32Array, at: number): string =>
  `clock ${diagram.clock[at]}${diagram.queue[at]! < 0 ? '' : ` · queue ${diagram.queue[at]}`}`
  + ` · vector clock ${vector(diagram, clocks, at)}`;

/** What the window shows, and whether this is all. */
export function extent(diagram: Diagram, view: View): string {
  const { end_s, events, time_s } = diagram;
  const shown = inView(diagram, view).events.length;
  const whole = view.from_s <= 0 && view.to_s >= end_s && events === time_s.length;
  const s = (x: number) => Number(x.toFixed(view.to_s - view.from_s < 5 ? 2 : 1));
  return (whole ? `The whole run: ${s(end_s)} s and ${events} events.`
    : `A part: ${s(view.from_s)}–${s(view.to_s)} s of ${s(end_s)} s, `
      + `${shown} of ${events} events.`)
    + (events === time_s.length ? ''
      : ` This page holds the first ${time_s.length} events, up to ${s(time_s.at(-1) ?? 0)} s.`);
}
