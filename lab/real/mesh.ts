/**
 * The connections of one machine with all others, over any wire: the higher id calls the lower. Who
 * is connected to all tells machine 0; when all are, machine 0 names the start. A machine that
 * returns from a crash calls everybody, and is told the start by its launcher.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from '../model/run.ts';
import { now_us } from './time.ts';
import {
  addressText, WireError, type Address, type Ear, type Line, type Link, type Listener, type Wire,
} from './wire.ts';

export interface MeshOptions {
  wire: Wire;
  /** Where this machine listens. */
  listener: Listener;
  id: number;
  /** Where the others listen, by id. */
  peers: Map<number, Address>;
  /** Of the run: who does not know it is refused. */
  token: string;
  /** How often this machine has come back from a crash. */
  life?: number;
  /** When the run began, epoch µs, for a machine that returns to it; else machine 0 names it. */
  start_us?: number | undefined;
  /** How long to wait for the others. */
  timeout_s: number;
  /** The highest clock that any machine can have by now; a message above it is a lie. */
  clockMax(start_us: number): number;
  /** Is called with each message, in the order in which they come. */
  receive(from: number, clock: number): void;
  /** Is called with a line for whoever looks after the machine. */
  note(text: string): void;
  stop: AbortSignal;
}

/** Who is silent for longer is no machine. Where many connect at once each has to wait for it. */
const HELLO_WITHIN_MS = 5000;
const HELLO_EACH_MS = 100;
/** So many callers beyond the peers may be silent at a time; then the oldest has to go. */
const STRANGERS_MAX = 64;
const CALL_AGAIN_MS = 50; // At first; twice as long each time,
const CALL_AGAIN_MAX_MS = 1000; // up to this.
const GOODBYE_MS = 2000; // A peer that does not hang up within this is paused or gone.
const RETURN_MS = 2000; // Who returns waits no longer for peers that may be dead.
/** From the word to the start: time for it to reach everybody, also 150 machines on two cores. */
const LEAD_US = 50_000;
const LEAD_EACH_US = 2000;

const CLOCK_ROOM = 1000; // Ticks, and
const CLOCK_ROOM_US = 5e6; // time: clocks of two hosts differ, and ticks may be irregular.

/**
 * The highest clock that any machine can have by now, with room: all ticks of all machines so far,
 * since no tick raises the highest clock by more than one.
 */
export const clockMax = ({ rates_hz, speed }: Pick<Configuration, 'rates_hz' | 'speed'>) => {
  const ticks_each_us = (rates_hz.reduce((sum, rate_hz) => sum + rate_hz, 0) * speed) / 1e6;
  return (start_us: number): number =>
    CLOCK_ROOM + 1.2 * ticks_each_us * (Math.max(0, now_us() - start_us) + CLOCK_ROOM_US);
};

/** The others did not come in time: who, and why as far as is known. */
export class NotConnected extends Error {}

/** What a machine knows of another. */
interface Peer {
  readonly id: number;
  readonly address: Address;
  /** Stands after both said hello. */
  link: Link | null;
  /** A call that was not answered yet. */
  calling: Link | null;
  life: number;
  isReady: boolean;
  /** It said goodbye. */
  hasStopped: boolean;
  /** It hung up without one; whoever hangs up after this machine's own goodbye is not lost. */
  isLost: boolean;
  isCut: boolean;
  isHealing: boolean;
  trouble: string;
}

/**
 * Connects a machine with its peers.
 * @returns when all are connected to all; `start_us` is null if `stop` came before
 * @throws NotConnected after `timeout_s`
 */
export async function connect(options: MeshOptions): Promise<Mesh> {
  const mesh = new Mesh(options);
  const settled = new AbortController();
  const none = once(options.stop, 'abort', { signal: settled.signal }).catch(() => {});
  const late = sleep(options.timeout_s * 1000, 'late', { signal: settled.signal }).catch(() => {});
  const first = options.stop.aborted ? undefined
    : await Promise.race([mesh.gather(), none, late]);
  settled.abort();
  if (first === 'late') {
    await mesh.close();
    throw new NotConnected(`not connected after ${options.timeout_s} s; waited for `
      + mesh.missing());
  }
  return mesh;
}

export class Mesh {
  /** When the run begins, epoch µs, the same for every machine; null: not yet named. */
  start_us: number | null;
  #options: MeshOptions;
  #life: number;
  #peers: Map<number, Peer>;
  #phase: 'gathering' | 'returning' | 'running' | 'closing' = 'gathering';
  /** Callers that have not said hello, oldest first, by what refuses them. */
  #strangers = new Set<(why: string) => void>();
  #begin = (): void => {};
  #healed = new Map<Peer, () => void>();

  constructor(options: MeshOptions) {
    this.#options = options;
    this.#life = options.life ?? 0;
    this.start_us = options.start_us ?? null;
    this.#peers = new Map([...options.peers].map(([id, address]) => [id, { id, address, link: null,
      calling: null, life: 0, isReady: false, hasStopped: false, isLost: false, isCut: false,
      isHealing: false, trouble: 'no answer' }]));
  }

  /** Begins to call and to answer; resolves when the start is known to all. */
  gather(): Promise<void> {
    const begun = new Promise<void>((resolve) => { this.#begin = resolve; });
    const returns = this.#life > 0;
    if (returns) {
      this.#phase = 'returning';
      setTimeout(() => this.#run(this.start_us!), RETURN_MS).unref();
    }
    this.#options.listener.answer((link) => this.#attach(link, null));
    for (const peer of this.#peers.values()) {
      if (returns || peer.id < this.#options.id) this.#call(peer, CALL_AGAIN_MS);
    }
    return begun;
  }

  /** Who is still waited for, and why; for a person. */
  missing(): string {
    const lines = [...this.#peers.values()].filter(({ link }) => !link)
      .map(({ id, address, trouble }) => `machine ${id} (${id > this.#options.id
        ? 'it has not called' : `${addressText(address)}, ${trouble}`})`);
    return lines.join(', ') || 'machines that are not connected to each other';
  }

  /** The peers that hung up without a goodbye while this machine ran. */
  lost(): number[] {
    return [...this.#peers.values()].filter(({ isLost }) => isLost).map(({ id }) => id);
  }

  /** Sends the clock to a peer; to one that is gone it is lost, as on any network. */
  send(to: number, clock: number): void {
    const peer = this.#peers.get(to)!;
    const { link } = peer;
    if (!link) return;
    link.send({ clock });
    if (!link.isStuffed) return;
    this.#options.note(`connection with machine ${to} closed: it reads nothing`);
    this.#leave(peer);
    link.destroy();
  }

  /** Cuts the link with a peer: what is on its way is lost, and nobody calls until it heals. */
  cut(id: number): void {
    const peer = this.#peers.get(id)!;
    const { link, calling } = peer;
    Object.assign(peer, { link: null, calling: null, isCut: true, isHealing: false });
    link?.destroy();
    calling?.destroy();
  }

  /** Ends a cut; resolves when the link stands again. */
  heal(id: number): Promise<void> {
    const peer = this.#peers.get(id)!;
    Object.assign(peer, { isCut: false, isHealing: true });
    if (this.#options.id > id) this.#call(peer, CALL_AGAIN_MS);
    return new Promise((resolve) => this.#healed.set(peer, resolve));
  }

  /** Says goodbye; resolves when every peer has hung up, or after two seconds. */
  async close(): Promise<void> {
    this.#phase = 'closing';
    this.#options.listener.close();
    const peers = [...this.#peers.values()];
    for (const { link, calling } of peers) {
      calling?.destroy();
      link?.send({ stop: true });
      link?.end();
    }
    const limit_ms = Date.now() + GOODBYE_MS;
    while (peers.some(({ link }) => link) && Date.now() < limit_ms) await sleep(5);
    for (const { link } of peers) link?.destroy();
  }

  #call(peer: Peer, again_ms: number): void {
    const { wire, id, token } = this.#options;
    const life = this.#life;
    wire.call(peer.address, { hello: id, token, ...(life > 0 && { life }) }, (link) => {
      peer.calling = link;
      const ear = this.#attach(link, peer);
      const closed = () => {
        ear.closed();
        if (peer.calling === link) peer.calling = null;
        if (this.#phase === 'returning') return this.#complete();
        if (peer.link || !(this.#phase === 'gathering' || peer.isHealing)) return;
        setTimeout(() => {
          if (peer.link || peer.isCut || this.#phase === 'closing') return;
          this.#call(peer, Math.min(again_ms * 2, CALL_AGAIN_MAX_MS));
        }, again_ms);
      };
      return { ...ear, closed };
    });
  }

  /** Follows one connection to its end; `called` is who must answer, null for a caller. */
  #attach(link: Link, called: Peer | null): Ear {
    let peer: Peer | null = null;
    let isOver = false;
    const refuse = (why: string) => {
      if (isOver) return;
      isOver = true;
      const who = peer ?? called;
      if (called) called.trouble = why;
      this.#options.note(`connection ${who ? `with machine ${who.id}` : `from ${link.where}`} `
        + `closed: ${why}`);
      link.destroy();
    };
    // Who returns waits for a paused peer as long as that may take.
    const silence = called && this.#phase !== 'gathering' ? undefined
      : setTimeout(() => refuse('no hello'),
        HELLO_WITHIN_MS + HELLO_EACH_MS * this.#peers.size);
    if (!called) this.#welcome(refuse);
    const hear = (line: Line) => {
      if (isOver) return;
      if (peer) return void (peer.link === link && this.#hear(peer, line));
      peer = this.#greet(line, called);
      clearTimeout(silence);
      this.#strangers.delete(refuse);
      if (!peer) return link.destroy();
      this.#join(peer, link, called !== null);
    };
    return {
      refuse,
      hear: (line) => {
        try {
          hear(line);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          refuse(error.message);
        }
      },
      failed: (why) => { if (called) called.trouble = why; },
      closed: () => {
        isOver = true;
        clearTimeout(silence);
        this.#strangers.delete(refuse);
        if (peer?.link === link) this.#leave(peer);
      },
    };
  }

  #welcome(refuse: (why: string) => void): void {
    this.#strangers.add(refuse);
    if (this.#strangers.size <= STRANGERS_MAX + this.#peers.size) return;
    const [oldest] = this.#strangers;
    this.#strangers.delete(oldest!);
    oldest!('too many connections that say nothing');
  }

  /** Who says hello, if it may join; null for one that comes while its link is cut. */
  #greet(line: Line, called: Peer | null): Peer | null {
    if (!('hello' in line)) throw new WireError('its first line is no hello');
    const { hello: id, token, life = 0 } = line;
    if (token !== this.#options.token) throw new WireError('wrong token');
    const peer = this.#peers.get(id);
    const returns = peer !== undefined && life > peer.life;
    const isCaller = called === null && (id > this.#options.id || returns || life > 0);
    if (!peer || !(called === peer || isCaller)) throw new WireError(`unknown id ${id}`);
    if (peer.isCut || this.#phase === 'closing') return null;
    if (peer.link && !returns) throw new WireError(`a second connection from id ${id}`);
    if (!called && !returns && !peer.isHealing && this.#phase !== 'gathering'
      && this.#phase !== 'returning') throw new WireError(`id ${id} comes too late`);
    // Two that return call each other: the call of the higher id holds.
    if (!called && peer.calling && this.#options.id > id) return null;
    peer.life = life;
    return peer;
  }

  /** A link stands from here on. */
  #join(peer: Peer, link: Link, called: boolean): void {
    const { link: old, calling } = peer;
    Object.assign(peer, { link, calling: null, isHealing: false, isReady: false,
      hasStopped: false, isLost: false });
    old?.destroy();
    if (!called) calling?.destroy();
    const { id, token } = this.#options;
    if (!called) link.send({ hello: id, token, ...(this.#life > 0 && { life: this.#life }) });
    this.#healed.get(peer)?.();
    this.#healed.delete(peer);
    this.#complete();
  }

  #leave(peer: Peer): void {
    peer.link = null;
    peer.isReady = false;
    if (this.#phase === 'closing' || peer.hasStopped) return;
    peer.isLost = true;
    this.#options.note(`machine ${peer.id} is lost`);
  }

  #hear(peer: Peer, line: Line): void {
    const { id, clockMax, receive, timeout_s } = this.#options;
    if ('clock' in line) {
      // A message can overtake the word of machine 0 that names the start.
      if (line.clock <= clockMax(this.start_us ?? now_us())) return receive(peer.id, line.clock);
      throw new WireError(`clock ${line.clock} is more than all machines together have ticked`);
    }
    if ('stop' in line) peer.hasStopped = true;
    else if ('ready' in line && id === 0) {
      peer.isReady = true;
      this.#complete();
    } else if ('start_us' in line && peer.id === 0 && this.#phase === 'gathering') {
      if (Math.abs(line.start_us - now_us()) > timeout_s * 1e6) {
        throw new WireError(`start_us ${line.start_us} is over ${timeout_s} s from now`);
      }
      this.#run(line.start_us);
    } else throw new WireError(`out of turn: ${JSON.stringify(line)}`);
  }

  #complete(): void {
    const peers = [...this.#peers.values()];
    if (this.#phase === 'returning') {
      if (peers.every(({ link, calling }) => link || !calling)) this.#run(this.start_us!);
      return;
    }
    if (this.#phase !== 'gathering' || !peers.every(({ link }) => link)) return;
    if (this.#options.id !== 0) return this.#peers.get(0)!.link!.send({ ready: true });
    if (!peers.every(({ isReady }) => isReady)) return;
    const start_us = now_us() + LEAD_US + LEAD_EACH_US * peers.length;
    for (const { link } of peers) link!.send({ start_us });
    this.#run(start_us);
  }

  #run(start_us: number): void {
    if (this.#phase === 'closing' || this.#phase === 'running') return;
    this.#phase = 'running';
    this.start_us = start_us;
    this.#begin();
  }
}
