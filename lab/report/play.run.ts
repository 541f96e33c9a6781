/** From a setting to a run: the lab's own engine, as a film, as logs, and a thousand at once. */
import { HEADER, row } from '../model/run.ts';
import { delay_ms, parseLatency } from '../model/network.ts';
import { Engine, simulate } from '../virtual/engine.ts';
import type { Flight } from '../virtual/flights.ts';
import {
  addRow, arrives, emptyFilm, goes, LOST_SEEN_S, underWay, type Film, type Message, type Row,
} from './play.film.ts';
import { configurationOf, type Setting } from './play.setting.ts';

type Cells = Parameters<typeof row>;

const numbers = (text: string | number): number[] =>
  (text === '' ? [] : String(text).split(' ').map(Number));

/** A row of a virtual log as the film takes it. */
const rowOf = ([time_us, machine, tick, event, peers, message, queue, clock]: Cells): Row => ({
  time_s: time_us / 1e6, machine, tick: tick === '' ? -1 : tick, event, peers: numbers(peers),
  values: numbers(message), queue, clock,
});

/** A name for a run: its rates and its seed. */
export const nameOf = (rates_hz: readonly number[], seed: number): string =>
  `${rates_hz.length > 8 ? `${rates_hz.length} machines` : rates_hz.join('-')}, seed ${seed}`;

/** A log's microseconds: what happens in one is at one time in a film. */
const floor_us = (s: number) => Math.floor(s * 1e6) / 1e6;

/** The whole run of a setting. */
export function filmOf(setting: Setting): Film {
  const configuration = configurationOf(setting);
  const { rates_hz, duration_s, seed, latency } = configuration;
  const film = emptyFilm({ name: nameOf(rates_hz, seed), rates_hz, duration_s });
  const usual_s = Math.max(LOST_SEEN_S, delay_ms(parseLatency(latency), 0.5) / 1000);
  const known = new Map<Readonly<Flight>, Message>();
  simulate(configuration, (...cells) => addRow(film, rowOf(cells)), (what, flight, now_s) => {
    if (what === 'sent') {
      const message = underWay(film, flight.from, flight.to, flight.clock)!;
      known.set(flight, message);
      arrives(film, message, floor_us(flight.at_s));
    } else if (what === 'arrived') {
      // It may have come in the microsecond of its receiver's last row, whose queue is without it.
      const message = known.get(flight)!;
      const last_s = film.time_s[film.lanes[flight.to]!.at(-1) ?? -1] ?? -1;
      if (message.arrival_s <= last_s) arrives(film, message, last_s + 1e-6);
    } else if (what === 'taken') known.delete(flight);
    else if (what === 'lost' || what === 'dropped') {
      const message = known.get(flight)!;
      const at_s = floor_us(now_s);
      // What is lost as it is sent would not be seen at all.
      const atOnce = what === 'lost' && at_s === message.sent_s;
      goes(film, message, at_s, atOnce ? at_s + usual_s : at_s);
    }
  });
  film.end_s = duration_s;
  return film;
}

/** The files of the run's folder as simulate.ts writes them, by name. */
export function filesOf(setting: Setting, versions: { lab: string; node: string }) {
  const configuration = configurationOf(setting);
  const logs = configuration.rates_hz.map(() => [HEADER]);
  simulate(configuration, (...cells) => void logs[cells[1]]!.push(row(...cells)));
  const record = { ...configuration, kind: 'virtual', start_us: 0, versions, ended: 'finished' };
  const files = new Map([['run.json', `${JSON.stringify(record, null, 2)}\n`]]);
  logs.forEach((rows, id) => files.set(`machine-${id}.csv`, rows.join('')));
  return files;
}

/** How far the clocks are apart at the end: the drift of a run. */
export const driftOf = (clocks: ArrayLike<number>): number => {
  const all = Array.from(clocks);
  return Math.max(...all) - Math.min(...all);
};

/**
 * The drifts of runs that differ from a setting in their seeds, which are in a row from its own on:
 * the same rates (also where the seed drew them), other phases and other chance.
 */
export function* driftsOf(setting: Setting, runs: number): Generator<number> {
  const engine = new Engine(setting.machines);
  const { rates_hz } = configurationOf(setting);
  for (let nth = 0; nth < runs; nth++) {
    const one = configurationOf({ ...setting, rates_hz, seed: setting.seed + nth });
    yield driftOf(engine.run(one, one).final_clock);
  }
}
