/** A run as the columns that happened-before, the space-time diagram and ShiViz are made from. */
import pl from 'nodejs-polars';
import type { Diagram } from '../model/causality.ts';
import { inTime } from './events.ts';
import type { Run } from './load.ts';

/**
 * The run's ticks in the order of time, and which send each receive goes back to: what the
 * space-time diagram and the vector clocks are made from.
 * @param most is how many events it holds at most: the first ones, so that no cause is missing
 */
export function diagram(run: Run, most = Infinity): Diagram {
  const ticks = run.events.filter(pl.col('tick').isNotNull());
  const last_s = ticks.height <= most ? run.end_s : ticks.getColumn('time_s').sort().get(most - 1);
  const part = inTime(ticks.filter(pl.col('time_s').ltEq(last_s)))
    .head(Math.min(most, ticks.height));
  const column = (name: string) => part.getColumn(name).toArray() as never[];
  const [machine, event, peer, message]: [number[], string[], (string | null)[], number[]] =
    [column('machine'), column('event'), column('peer'), column('message')];
  const sends = new Map<string, number>();
  for (const [at, kind] of event.entries()) {
    if (kind === 'send') sends.set(`${machine[at]} ${message[at]}`, at);
  }
  return {
    name: run.name, machines: run.run.machines, end_s: run.end_s, events: ticks.height,
    ends_s: lastSeen(run), machine, event: event.map((kind) => kind[0]!),
    peer: peer.map((ids) => ids ?? ''), message,
    time_s: (column('time_s') as number[]).map((s) => Number(s.toFixed(4))),
    clock: column('clock'), queue: column('queue'),
    cause: event.map((kind, at) =>
      (kind === 'receive' ? sends.get(`${peer[at]} ${message[at]}`) ?? -1 : -1)),
  };
}

/** When each machine was last heard of, in model seconds. */
function lastSeen({ run, events }: Run): number[] {
  const rows = events.groupBy('machine').agg(pl.col('time_s').max()).rows() as [number, number][];
  const last = new Map(rows);
  return run.rates_hz.map((_, id) => Math.min(last.get(id) ?? 0, run.duration_s));
}
