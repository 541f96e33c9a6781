/**
 * Who sent what to whom: where a row names its peer or the value it carries, and where a jump can
 * have come from one send only. Between two that are known, the channel's order tells the rest.
 */
import { jumpsOf } from './rule.ts';
import type { Event, Run } from './rows.ts';

export type Source = 'logged' | 'reconstructed' | '';

/** What is known of an event's message. */
export interface Link {
  /** Ids: a send's receivers, a receive's sender. */
  peers: number[];
  peer: Source;
  /** The clock of the send's row; null if unknown. */
  message: number | null;
  from: Source;
}

interface Send {
  machine: number;
  /** Its place among the machine's events. */
  n: number;
  event: Event;
}

/** Messages may seem to come so much before they were sent: clocks of whole seconds. */
const EARLY_US = 1_500_000;

/** What is known of each event of each machine. */
export function linksOf(run: Run, offset: number | null): Link[][] {
  const links = run.machines.map(({ events }) =>
    events.map((): Link => ({ peers: [], peer: '', message: null, from: '' })),
  );
  const sends = sendsByClock(run);
  const proven = new Set<number>();
  const names = namesOf(run, sends, offset, proven);
  nameReceivers(run, links, names);
  const wire = wireOffset(run, sends);
  const part = vectorOffset(run);
  for (const [id, { events }] of run.machines.entries()) {
    const jumps = new Set(jumpsOf(events).map(({ n }) => n));
    for (const [n, event] of events.entries()) {
      if (event.event !== 'receive') continue;
      const link = links[id]![n]!;
      const [sender] = event.peers.map((peer) => names[id]!.get(peer));
      if (sender !== undefined) {
        const peer = proven.has(id) ? 'reconstructed' : 'logged';
        Object.assign(link, { peers: [sender], peer });
      }
      const found = event.vector
        ? byVector(run, id, n, part)
        : event.message !== null && wire !== null
          ? bySend(run, links, sends, id, event, event.message + wire, sender)
          : jumps.has(n) && offset !== null
            ? bySend(run, links, sends, id, event, event.clock - offset, sender)
            : null;
      if (found) tie(link, found, event.message !== null ? 'logged' : 'reconstructed');
    }
  }
  for (const [id, { events }] of run.machines.entries()) {
    forgetTwice(links[id]!.filter((_, n) => events[n]!.event === 'receive'));
  }
  for (const id of run.machines.keys()) fillChannels(run, links, id);
  learnReceivers(run, links);
  return links;
}

/** What was reconstructed as taken twice is wrong at least once: then it is not known. */
function forgetTwice(links: Link[]): void {
  const first = new Map<string, Link>();
  for (const link of links) {
    if (link.message === null || link.peers.length !== 1) continue;
    const key = `${link.peers[0]} ${link.message}`;
    const other = first.get(key);
    if (!other) first.set(key, link);
    for (const one of other ? [other, link] : []) {
      if (one.from === 'logged' && one.peer === 'logged') continue;
      one.message = null;
      one.from = '';
      if (one.peer === 'reconstructed') Object.assign(one, { peers: [], peer: '' });
    }
  }
}

function tie(link: Link, { machine, event }: Send, from: Source): void {
  if (link.peer === '') Object.assign(link, { peers: [machine], peer: 'reconstructed' });
  link.message = event.clock;
  link.from = from;
}

function sendsByClock(run: Run): Map<number, Send[]> {
  const sends = new Map<number, Send[]>();
  for (const [machine, { events }] of run.machines.entries()) {
    for (const [n, event] of events.entries()) {
      if (event.event !== 'send') continue;
      const same = sends.get(event.clock);
      if (same) same.push({ machine, n, event });
      else sends.set(event.clock, [{ machine, n, event }]);
    }
  }
  return sends;
}

/** What is to be added to a received value to have the clock of its send's row; null if nothing. */
function wireOffset(run: Run, sends: ReadonlyMap<number, Send[]>): number | null {
  const values = run.machines.flatMap(({ events }, id) =>
    events
      .filter(({ event, message }) => event === 'receive' && message !== null)
      .map(({ message }) => ({ id, message: message! })),
  );
  if (values.length === 0) return null;
  const hits = [0, 1, -1].map((offset) => ({
    offset,
    hits: values.filter(({ id, message }) =>
      sends.get(message + offset)?.some(({ machine }) => machine !== id),
    ).length,
  }));
  const best = hits.sort((a, b) => b.hits - a.hits)[0]!;
  return best.hits > values.length * 0.8 ? best.offset : null;
}

// ── Names of peers ───────────────────────────────────────────────────────────────────────────

const ending = (text: string) => (/(\d+|[A-Za-z])$/.exec(text)?.[1] ?? text).toLowerCase();

/**
 * For each machine, which machine each of its names for peers means.
 * @param proven takes the machines whose names jumps explained, since they are nobody's own
 */
function namesOf(
  run: Run,
  sends: ReadonlyMap<number, Send[]>,
  offset: number | null,
  proven: Set<number>,
): Map<string, number>[] {
  const all = run.machines.map(({ events }) => new Set(events.flatMap(({ peers }) => peers)));
  const meant = (own: number, name: string): number => {
    const is = (test: (name: string) => boolean) =>
      run.machines.findIndex(({ names }, id) => id !== own && names.some(test));
    const exact = is((other) => other.toLowerCase() === name.toLowerCase());
    return exact !== -1 ? exact : is((other) => ending(other) === ending(name));
  };
  const evidence = tallies(run, sends, offset);
  return all.map((names, own) => {
    const byName = new Map([...names].map((name) => [name, meant(own, name)] as const));
    const map = new Map<string, number>();
    const isSound = [...byName.values()].every((id) => id !== -1) && agrees(byName, evidence[own]!);
    if (!isSound) proven.add(own);
    for (const name of names) {
      const id = isSound ? byName.get(name)! : strongest(evidence[own]!.get(name));
      if (id !== -1) map.set(name, id);
    }
    return map;
  });
}

type Tally = Map<string, Map<number, number>>;

/** By how many jumps each name of a peer was seen to mean each machine. */
function tallies(run: Run, sends: ReadonlyMap<number, Send[]>, offset: number | null): Tally[] {
  const found: Tally[] = run.machines.map(() => new Map());
  if (offset === null) return found;
  const count = (id: number, name: string, other: number) => {
    if (!found[id]!.has(name)) found[id]!.set(name, new Map());
    const counts = found[id]!.get(name)!;
    counts.set(other, (counts.get(other) ?? 0) + 1);
  };
  for (const [id, { events }] of run.machines.entries()) {
    for (const { event } of jumpsOf(events)) {
      const from = (sends.get(event.clock - offset) ?? []).filter(({ machine }) => machine !== id);
      if (from.length !== 1) continue;
      const [{ machine, event: send }] = from as [Send];
      if (event.peers.length === 1) count(id, event.peers[0]!, machine);
      if (send.peers.length === 1) count(machine, send.peers[0]!, id);
    }
  }
  return found;
}

function strongest(counts: Map<number, number> | undefined): number {
  const sorted = [...(counts ?? [])].sort((a, b) => b[1] - a[1]);
  const [first, second] = sorted;
  return first && first[1] >= 3 && first[1] >= 3 * (second?.[1] ?? 0) ? first[0] : -1;
}

/** Whether what names say is not refuted by the jumps. */
const agrees = (names: ReadonlyMap<string, number>, evidence: Tally) => {
  let [right, wrong] = [0, 0];
  for (const [name, counts] of evidence) {
    for (const [id, count] of counts) {
      if (names.get(name) === id) right += count;
      else wrong += count;
    }
  }
  return wrong <= Math.max(2, right);
};

function nameReceivers(run: Run, links: Link[][], names: readonly Map<string, number>[]): void {
  const everybody = [...run.machines.keys()];
  for (const [id, { events }] of run.machines.entries()) {
    const others = everybody.filter((other) => other !== id);
    for (const [n, event] of events.entries()) {
      if (event.event !== 'send') continue;
      const named = event.peers.map((peer) => names[id]!.get(peer));
      const all = event.both || others.length === 1;
      const peers =
        all && named.length < 2
          ? others
          : named.every((peer) => peer !== undefined)
            ? [...new Set(named as number[])]
            : [];
      links[id]![n] = {
        peers: peers.sort((a, b) => a - b),
        peer: peers.length > 0 ? 'logged' : '',
        message: event.clock,
        from: 'logged',
      };
    }
  }
}

// ── One receive ──────────────────────────────────────────────────────────────────────────────

/** The one send of a value that can have come to a machine; null if none or several can. */
function bySend(
  run: Run,
  links: readonly Link[][],
  sends: ReadonlyMap<number, Send[]>,
  id: number,
  event: Event,
  value: number,
  sender: number | undefined,
): Send | null {
  const can = (sends.get(value) ?? []).filter((send) => {
    if (send.machine === id || (sender !== undefined && send.machine !== sender)) return false;
    const { peers, peer } = links[send.machine]![send.n]!;
    if (peer === 'logged' && !peers.includes(id)) return false;
    const { absolute } = run.machines[id]!;
    return !absolute || !(send.event.time_us > event.time_us + EARLY_US);
  });
  return can.length === 1 ? can[0]! : null;
}

/** Whether messages carry the vector of the send's row, 0, or that from before its increment, 1. */
function vectorOffset(run: Run): number {
  const hits = [0, 1].map((part) =>
    run.machines.reduce(
      (sum, { events }, id) =>
        sum +
        events.filter(
          ({ event, vector }, n) => event === 'receive' && vector && byVector(run, id, n, part),
        ).length,
      0,
    ),
  );
  return hits[1]! > hits[0]! ? 1 : 0;
}

/** A vector names its send: the sender's own part is that of the send's row, less `part`. */
function byVector(run: Run, id: number, n: number, part: number): Send | null {
  const now = run.machines[id]!.events[n]!.vector!;
  const before = run.machines[id]!.events[n - 1]?.vector ?? now.map(() => 0);
  const can: Send[] = [];
  for (const [machine, { events }] of run.machines.entries()) {
    if (machine === id || !((now[machine] ?? 0) > (before[machine] ?? 0))) continue;
    // The sender's own part counts its events, so that it is nearly the place of its row.
    const from = Math.max(0, now[machine]! - 3);
    const found = events
      .slice(from, from + 6)
      .findIndex(
        ({ event, vector }) => event === 'send' && vector?.[machine] === now[machine]! + part,
      );
    const at = found === -1 ? -1 : from + found;
    const send = events[at];
    if (send?.vector?.every((its, other) => its - (other === machine ? part : 0) <= now[other]!))
      can.push({ machine, n: at, event: send });
  }
  return can.sort((a, b) => b.event.clock - a.event.clock)[0] ?? null;
}

// ── Channels ─────────────────────────────────────────────────────────────────────────────────

/** Where both ends name each other, messages between two known ones are known by their count. */
function fillChannels(run: Run, links: Link[][], id: number): void {
  for (const from of run.machines.keys()) {
    if (from === id) continue;
    const own = links[from]!.flatMap((link, n) =>
      run.machines[from]!.events[n]!.event === 'send' ? [link] : [],
    );
    if (own.some(({ peer }) => peer !== 'logged')) continue;
    const sent = own.filter(({ peers }) => peers.includes(id));
    const got = links[id]!.filter(
      (link, n) => run.machines[id]!.events[n]!.event === 'receive' && link.peers[0] === from,
    );
    if (
      links[id]!.some(
        (link, n) => run.machines[id]!.events[n]!.event === 'receive' && link.peers.length === 0,
      )
    )
      continue;
    const places = new Map(sent.map(({ message }, n) => [message, n]));
    let [lastGot, lastSent] = [-1, -1];
    for (let n = 0; n <= got.length; n++) {
      const message = got[n]?.message ?? null;
      const at =
        message === null
          ? n === got.length
            ? lastSent + n - lastGot
            : -1
          : (places.get(message) ?? -1);
      if (at === -1) continue;
      if (n - lastGot === at - lastSent) {
        for (let k = lastGot + 1; k < n; k++) {
          const send = sent[lastSent + k - lastGot];
          if (send) Object.assign(got[k]!, { message: send.message, from: 'reconstructed' });
        }
      }
      [lastGot, lastSent] = [n, at];
    }
  }
}

/** A send whose row names nobody went at least to those who are known to have received it. */
function learnReceivers(run: Run, links: Link[][]): void {
  const found = new Map<string, number[]>();
  for (const [id, own] of links.entries()) {
    for (const [n, { peers, message }] of own.entries()) {
      if (run.machines[id]!.events[n]!.event !== 'receive' || message === null) continue;
      const key = `${peers[0]} ${message}`;
      found.set(key, [...(found.get(key) ?? []), id]);
    }
  }
  for (const [id, own] of links.entries()) {
    for (const [n, link] of own.entries()) {
      if (run.machines[id]!.events[n]!.event !== 'send' || link.peer !== '') continue;
      const peers = [...new Set(found.get(`${id} ${link.message}`) ?? [])];
      if (peers.length > 0) Object.assign(link, { peers, peer: 'reconstructed' });
    }
  }
}
