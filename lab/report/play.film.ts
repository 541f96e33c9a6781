/**
 * A run as something to look at: its whole course, and from it the state at any time. To step back
 * is then nothing but to ask for an earlier time. Pure, so that playground, live page and tests
 * share it; a live run is a film that still grows.
 */

/** So long a message that is lost at once is seen on its way, in model seconds. */
export const LOST_SEEN_S = 0.3;

/** What a row of a log says, times in model seconds from the start. */
export interface Row {
  time_s: number;
  machine: number;
  /** The tick's number, or −1 where the event is none of a tick. */
  tick: number;
  event: string;
  /** A send's receivers or a receive's senders, and the values that were sent or taken. */
  peers: number[];
  values: number[];
  queue: number;
  clock: number;
}

/** One message to one machine. Times that never come are Infinity. */
export interface Message {
  from: number;
  to: number;
  /** The value that it carries. */
  clock: number;
  /** Places of its send and of its receive in the film's columns; −1: not (yet) taken. */
  sent: number;
  taken: number;
  sent_s: number;
  arrival_s: number;
  /** When it stops waiting: it is taken, dropped or lost with its machine. */
  gone_s: number;
  /** It never arrived. */
  lost: boolean;
}

export interface Film {
  name: string;
  machines: number;
  rates_hz: number[];
  /** No message overtakes another on a channel, and the oldest is taken first. */
  inOrder: boolean;
  /** Model seconds that the run lasts, and until which it is known. */
  duration_s: number;
  end_s: number;
  // One place an event in each of these columns.
  machine: number[];
  time_s: number[];
  tick: number[];
  event: string[];
  peers: number[][];
  values: number[][];
  queue: number[];
  clock: number[];
  /** Of a receive the place of the send of its largest message, or −1. */
  cause: number[];
  /** Places by machine, and all of them, in the order of time. */
  lanes: number[][];
  order: number[];
  /** Messages in the order in which they were sent, and by receiver in that of arrival. */
  messages: Message[];
  inboxes: Message[][];
  /** The longest time that a message was under way. */
  flight_max_s: number;
  /** What is still looked for: sends by value for each sender, messages by receiver. */
  sends: Map<number, number>[];
  open: Map<string, Message>[];
  /** By receiver, for each place of its inbox the first place that may still wait then. */
  oldest: number[][];
}

/** A film without an event. */
export function emptyFilm(
  { name, rates_hz, duration_s, inOrder = false }:
  Pick<Film, 'name' | 'rates_hz' | 'duration_s'> & { inOrder?: boolean },
): Film {
  const each = <T>(make: () => T) => rates_hz.map(make);
  return {
    name, machines: rates_hz.length, rates_hz, duration_s, inOrder, end_s: 0,
    machine: [], time_s: [], tick: [], event: [], peers: [], values: [], queue: [], clock: [],
    cause: [], lanes: each(() => []), order: [], messages: [], inboxes: each(() => []),
    flight_max_s: 0, sends: each(() => new Map()), open: each(() => new Map()),
    oldest: each(() => []),
  };
}

/** Puts a place where it belongs in a list that is in order but for its last few. */
function insert<T>(list: T[], item: T, time: (item: T) => number): number {
  let place = list.length;
  while (place > 0 && time(list[place - 1]!) > time(item)) place--;
  if (place === list.length) list.push(item);
  else list.splice(place, 0, item);
  return place;
}

const keyOf = (from: number, clock: number) => `${from} ${clock}`;

/**
 * Adds an event. Rows of one machine come in their order; those of several may be mixed, so a
 * receive may come before its send. A message arrives when it is sent unless `arrives` says more.
 */
export function addRow(film: Film, row: Row): void {
  const { machine: id, time_s, event } = row;
  const place = film.machine.length;
  film.machine.push(id);
  film.time_s.push(time_s);
  film.tick.push(row.tick);
  film.event.push(event);
  film.peers.push(row.peers);
  film.values.push(row.values);
  film.queue.push(row.queue);
  film.clock.push(row.clock);
  film.cause.push(-1);
  film.lanes[id]!.push(place);
  insert(film.order, place, (at) => film.time_s[at]!);
  if (time_s > film.end_s) film.end_s = time_s;
  if (event === 'send') {
    film.sends[id]!.set(row.clock, place);
    for (const to of row.peers) sent(film, place, to, row.clock);
  } else if (event === 'receive') {
    row.peers.forEach((from, nth) => taken(film, place, from, row.values[nth]!));
  } else if (event === 'restart') {
    // What was sent to it before is lost with its old life, of which this was the last row.
    const died_s = film.time_s[film.lanes[id]!.at(-2) ?? place]!;
    for (const message of film.open[id]!.values()) {
      if (message.taken >= 0 || message.sent_s >= time_s) continue;
      if (message.sent_s <= died_s) goes(film, message, died_s);
      else isLost(film, message);
    }
  }
}

/** A message leaves; if its receive is here already, it is linked with it. */
function sent(film: Film, place: number, to: number, clock: number): void {
  const from = film.machine[place]!;
  const sent_s = film.time_s[place]!;
  const key = keyOf(from, clock);
  const early = film.open[to]!.get(key);
  const message: Message = early ?? {
    from, to, clock, sent: place, taken: -1, sent_s, arrival_s: sent_s, gone_s: Infinity,
    lost: false,
  };
  if (early) {
    [early.sent, early.sent_s, early.arrival_s] = [place, sent_s, Math.min(sent_s, early.gone_s)];
    if (largest(film, early.taken) === clock) film.cause[early.taken] = place;
    film.open[to]!.delete(key);
  } else film.open[to]!.set(key, message);
  insert(film.messages, message, (one) => one.sent_s);
  enter(film, message);
}

const largest = (film: Film, place: number) => Math.max(...film.values[place]!);

function taken(film: Film, place: number, from: number, clock: number): void {
  const to = film.machine[place]!;
  const key = keyOf(from, clock);
  const send = film.sends[from]?.get(clock);
  const gone_s = film.time_s[place]!;
  if (send !== undefined && largest(film, place) === clock) film.cause[place] = send;
  const message = film.open[to]!.get(key);
  if (message) {
    message.taken = place;
    message.gone_s = gone_s;
    film.open[to]!.delete(key);
    if (film.inOrder) passedOver(film, message);
  } else if (send === undefined) {
    film.open[to]!.set(key, { from, to, clock, sent: -1, taken: place, sent_s: gone_s,
      arrival_s: gone_s, gone_s, lost: false });
  }
}

/** Where order is kept, what was sent on a channel before a message that is taken is lost. */
function passedOver(film: Film, { from, to, clock }: Message): void {
  for (const older of film.open[to]!.values()) {
    if (older.from === from && older.clock < clock && older.taken < 0) isLost(film, older);
  }
}

/** Loses what was sent to a machine while a fault kept it away; `from` null: by whomever. */
export function loseBetween(
  film: Film, from: number | null, to: number, since_s: number, until_s: number,
): void {
  for (const message of film.open[to]!.values()) {
    if ((from === null || message.from === from) && message.taken < 0
      && message.sent_s > since_s && message.sent_s < until_s) isLost(film, message);
  }
}

/** A message that never arrived, as it turned out. */
const isLost = (film: Film, message: Message): void =>
  goes(film, message, message.sent_s, message.sent_s + LOST_SEEN_S);

/** Puts a message into its receiver's inbox, in the order of arrival. */
function enter(film: Film, message: Message): void {
  if (message.lost) return;
  const place = insert(film.inboxes[message.to]!, message, (one) => one.arrival_s);
  const oldest = film.oldest[message.to]!;
  if (oldest.length > place) oldest.length = place;
}

/** The message that a machine sent to another with this value, while it is not taken. */
export const underWay = (film: Film, from: number, to: number, clock: number) =>
  film.open[to]?.get(keyOf(from, clock));

/** Says when a message arrives, which its send did not know. */
export function arrives(film: Film, message: Message, arrival_s: number): void {
  leave(film, message);
  message.arrival_s = arrival_s;
  film.flight_max_s = Math.max(film.flight_max_s, arrival_s - message.sent_s);
  enter(film, message);
}

/**
 * Says that a message is gone without being taken: lost on its way, or dropped or lost where it
 * waited. `seen_s` is until when a message that is lost at once is drawn.
 */
export function goes(film: Film, message: Message, at_s: number, seen_s = at_s): void {
  leave(film, message);
  message.lost = at_s < message.arrival_s || seen_s > at_s;
  if (message.lost) message.arrival_s = seen_s;
  message.gone_s = Math.max(at_s, seen_s);
  film.flight_max_s = Math.max(film.flight_max_s, message.arrival_s - message.sent_s);
  film.open[message.to]!.delete(keyOf(message.from, message.clock));
  enter(film, message);
}

/** Takes a message out of its receiver's inbox. */
function leave(film: Film, message: Message): void {
  const inbox = film.inboxes[message.to]!;
  const place = inbox.lastIndexOf(message);
  if (place < 0) return;
  inbox.splice(place, 1);
  const oldest = film.oldest[message.to]!;
  if (oldest.length > place) oldest.length = place;
}

// ── The state at a time ──────────────────────────────────────────────────────────────────────

/** How many of a sorted list are at most x. */
export function countUpTo(length: number, at: (place: number) => number, x: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A machine at a time. */
export interface Moment {
  /** The place of its last event, or −1 before the first. */
  last: number;
  clock: number;
  lag: number;
  /** What waits, in the order of arrival, up to a limit, and how many there are in all. */
  waiting: Message[];
  queue: number;
  alive: boolean;
}

/** The place of a machine's last event up to a time, or −1. */
export function lastEvent({ lanes, time_s }: Film, id: number, t: number): number {
  const lane = lanes[id]!;
  return lane[countUpTo(lane.length, (at) => time_s[lane[at]!]!, t) - 1] ?? -1;
}

/** What waits at a machine: arrived by then, and neither taken nor dropped. */
function waitingAt(film: Film, id: number, t: number, most: number): [Message[], number] {
  const inbox = film.inboxes[id]!;
  const oldest = film.oldest[id]!;
  const arrived = countUpTo(inbox.length, (at) => inbox[at]!.arrival_s, t);
  for (let place = oldest.length; place < arrived; place++) {
    let first = oldest[place - 1] ?? 0;
    while (first < place && inbox[first]!.gone_s <= inbox[place]!.arrival_s) first++;
    oldest.push(first);
  }
  const shown: Message[] = [];
  let count = 0;
  for (let place = oldest[arrived - 1] ?? 0; place < arrived; place++) {
    if (inbox[place]!.gone_s <= t || inbox[place]!.lost) continue;
    count++;
    if (shown.length < most) shown.push(inbox[place]!);
  }
  return [shown, count];
}

/** The state of all machines at a time. */
export function momentsAt(film: Film, t: number, most = Infinity): Moment[] {
  const moments = film.lanes.map((_, id): Moment => {
    const last = lastEvent(film, id, t);
    const [waiting, queue] = waitingAt(film, id, t, most);
    const clock = last < 0 ? 0 : film.clock[last]!;
    return { last, clock, lag: 0, waiting, queue, alive: film.event[last] !== 'stop' };
  });
  const highest = highestOf(moments);
  for (const moment of moments) moment.lag = highest - moment.clock;
  return moments;
}

export const highestOf = (moments: readonly Moment[]): number =>
  moments.reduce((most, { clock }) => Math.max(most, clock), 0);

/**
 * Messages under way at a time.
 * @param linger_s a message is seen for so long at least, even one that arrives at once
 */
export function flyingAt(film: Film, t: number, linger_s = 0): Message[] {
  const { messages, flight_max_s } = film;
  const flying: Message[] = [];
  const since_s = t - Math.max(flight_max_s, linger_s);
  for (let at = countUpTo(messages.length, (place) => messages[place]!.sent_s, t) - 1;
    at >= 0 && messages[at]!.sent_s >= since_s; at--) {
    const { arrival_s, sent_s } = messages[at]!;
    if (t < arrival_s || t <= sent_s + linger_s) flying.push(messages[at]!);
  }
  return flying;
}

// ── Steps ────────────────────────────────────────────────────────────────────────────────────

const isTick = (film: Film, place: number) => film.tick[place]! >= 0;

/** The time of the next tick after a time, or of the end. */
export function nextTick(film: Film, t: number): number {
  const { order, time_s } = film;
  for (let at = countUpTo(order.length, (place) => time_s[order[place]!]!, t);
    at < order.length; at++) {
    if (isTick(film, order[at]!)) return time_s[order[at]!]!;
  }
  return Math.max(t, film.end_s);
}

/** The time of the last tick before a time, or 0. */
export function previousTick(film: Film, t: number): number {
  const { order, time_s } = film;
  for (let at = countUpTo(order.length, (place) => time_s[order[place]!]!, t) - 1; at >= 0; at--) {
    if (time_s[order[at]!]! < t && isTick(film, order[at]!)) return time_s[order[at]!]!;
  }
  return 0;
}
