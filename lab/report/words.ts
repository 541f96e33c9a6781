/** What is said of an event and of a window. The page of a report bundles this file. */
import type { Diagram } from '../model/causality.ts';
import { inView, type View } from './diagram.ts';

const seconds = (s: number) => `${s.toFixed(3)} s`;
const list = (words: (string | number)[]) =>
  (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** What happened at an event, in a sentence. */
export function tell(diagram: Diagram, at: number): string {
  const { machine, event, peer, message, time_s, cause } = diagram;
  const who = `Machine ${machine[at]}`;
  const when = `at ${seconds(time_s[at]!)}`;
  if (event[at] === 'i') return `${who}, ${when}: an internal event.`;
  if (event[at] === 'r') {
    const sent = cause[at]! < 0 ? ''
      : `, sent at ${seconds(time_s[cause[at]!]!)}: it waited ${
        seconds(time_s[at]! - time_s[cause[at]!]!)}`;
    return `${who}, ${when}: receives ${message[at]} from machine ${peer[at]}${sent}.`;
  }
  const taken = new Map(takers(diagram, at).map((to) => [machine[to]!, time_s[to]!]));
  const told = peer[at]!.split(' ').map((id) => (taken.has(Number(id))
    ? `machine ${id} (taken ${seconds(taken.get(Number(id))! - time_s[at]!)} later)`
    : `machine ${id} (not taken)`));
  return `${who}, ${when}: sends ${message[at]} to ${list(told)}.`;
}

/** The receives of a send. */
export const takers = ({ cause }: Diagram, at: number): number[] =>
  cause.flatMap((from, to) => (from === at ? [to] : []));

/** Clock, queue and vector clock of an event; of many machines only the entries above 0. */
export function state({ machines, clock, queue }: Diagram, clocks: Int32Array, at: number): string {
  const vector = [...clocks.subarray(at * machines, (at + 1) * machines)];
  const entries = machines <= 12 ? `[${vector.join(' ')}]`
    : `{${vector.flatMap((n, id) => (n > 0 ? [`${id}: ${n}`] : [])).join(', ')}}`;
  return `clock ${clock[at]} · queue ${queue[at]} · vector clock ${entries}`;
}

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
