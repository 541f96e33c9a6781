/** What might have gone otherwise at an event: each choice is one override, run again from 0. */
import type { Override } from '../model/faults.ts';
import { machineOf } from '../model/run.ts';
import { EVERYONE, NOBODY, NO_MESSAGE, step } from '../model/rule.ts';
import type { Film } from './play.film.ts';
import { configurationOf, type Setting } from './play.setting.ts';

export interface Choice {
  /** Completes 'What if …'. */
  words: string;
  override: Override;
}

/** More peers than this are not listed one by one. */
const PEERS_MOST = 7;

/**
 * A roll of few digits that has a machine do what is asked: `to` a peer, EVERYONE or NOBODY, which
 * is an internal event; null if no roll does.
 */
export function rollFor(setting: Setting, id: number, to: number): number | null {
  const machine = machineOf(configurationOf(setting), id);
  const does = (roll: number) => step(machine, NO_MESSAGE, roll).to === to;
  const sends = 1 - setting.internal;
  const place = to < id ? to : to - 1;
  const [low, high] = to === NOBODY ? [sends, 1]
    : to === EVERYONE ? [(1 - setting.both) * sends, sends]
    : [0, 1].map((edge) =>
      ((1 - setting.both) * sends * (place + edge)) / (setting.machines - 1)) as [number, number];
  for (let digits = 1; digits <= 9; digits++) {
    const roll = Number(((low + high) / 2).toFixed(digits));
    if (roll < 1 && does(roll)) return roll;
  }
  return null;
}

/** What might have gone otherwise at an event: its roll, its messages. */
export function choicesAt(film: Film, setting: Setting, place: number): Choice[] {
  const machine = film.machine[place]!;
  const tick = film.tick[place]!;
  const event = film.event[place]!;
  const clock = film.clock[place]!;
  const peers = film.peers[place]!;
  if (event === 'receive') {
    return peers.map((from, nth) => ({
      words: `the message ${film.values[place]![nth]} from machine ${from} had been lost`,
      override: { do: 'lose', from, to: machine, clock: film.values[place]![nth]! },
    }));
  }
  if (tick < 0) return [];
  const others = Array.from({ length: setting.machines }, (_, id) => id)
    .filter((id) => id !== machine);
  const choices: Choice[] = [];
  const roll = (to: number, words: string) => {
    const shown = rollFor(setting, machine, to);
    if (shown !== null) {
      choices.push({ words, override: { do: 'roll', machine, tick, roll: shown } });
    }
  };
  if (event === 'send') roll(NOBODY, 'it had not sent');
  if (others.length > 1 && peers.length < others.length) {
    roll(EVERYONE, others.length === 2 ? 'it had sent to both' : 'it had sent to all');
  }
  for (const id of others.slice(0, PEERS_MOST)) {
    if (peers.length !== 1 || peers[0] !== id) roll(id, `it had sent to machine ${id}`);
  }
  for (const to of peers.slice(0, PEERS_MOST)) {
    choices.push({ words: `its message to machine ${to} had been lost`,
      override: { do: 'lose', from: machine, to, clock } });
  }
  return choices;
}

/** Just after an event, in milliseconds: what begins there leaves the event as it is. */
export const after_s = (time_s: number): number => Math.ceil(time_s * 1000 + 1e-6) / 1000 || 0.001;

/** An override as a person reads it: 'at tick 17 machine 0 rolls 0.05'. */
export function overrideWords(override: Override): string {
  const { machine } = override as { machine: number };
  switch (override.do) {
    case 'roll': return `machine ${machine} rolls ${override.roll} at tick ${override.tick}`;
    case 'lose':
      return `the message ${override.clock} from ${override.from} to ${override.to} is lost`;
    case 'pause': return `machine ${machine} pauses for ${override.for_s} s at ${override.at_s} s`;
    case 'rate': return `machine ${machine} runs at ${override.rate_hz} Hz from ${override.at_s} s`;
  }
}

/** A list with one more; an older one of the same thing gives way. */
export function withOverride(what_if: readonly Override[], added: Override): Override[] {
  const thing = (one: Override) => (one.do === 'roll' ? `roll ${one.machine} ${one.tick}`
    : one.do === 'lose' ? `lose ${one.from} ${one.to} ${one.clock}`
    : `${one.do} ${one.machine} ${one.at_s}`);
  return [...what_if.filter((one) => thing(one) !== thing(added)), added];
}
