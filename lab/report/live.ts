/**
 * The live page of a run: a small server on loopback that tells every viewer what the machines do,
 * and takes faults from its buttons. Events go as server-sent events; a viewer is a place in one
 * shared list of what was told, so one that comes late sees all, and one that is slow has nothing
 * kept for it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { Fault } from '../model/faults.ts';
import type { Configuration } from '../model/run.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const PUMP_MS = 40; // What came in so long goes out in one piece.
const PIECE = 500; // Items of a piece: a slow viewer holds no more than one in its socket.
const TOLD_MAX = 2_000_000; // Items; a run of more rows is told no further, its logs have it all.
const VIEWERS_MAX = 64; // A browser that reconnects in a loop takes no more than this.
const BODY_MAX_BYTES = 200; // Of a fault in words.
const LAST_LOOK_MS = 5000; // How long viewers have at the end to fetch the report.
const PING_MS = 15_000; // A line that says nothing, so that nobody in between hangs up.
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** What is told, in this order of time; a string is a row of a log. */
export type Told =
  | string
  | { begun: { name: string; configuration: Configuration; start_us: number } }
  | { faults: Fault[] }
  | { note: string }
  | { ended: string };

export interface LiveOptions {
  /** 127.0.0.1, unless a person asked for more. */
  host: string;
  /** The page's HTML. */
  page: string;
  /**
   * Does what a button says: 'pause 0', 'continue 0', 'kill 1', 'restart 1', 'cut 0-2', 'heal 0-2'.
   * @throws RangeError with one sentence if that cannot be
   */
  fault(text: string): void | Promise<void>;
  /** System time, epoch µs, by the clock of the rows. */
  now_us(): number;
}

export interface Live {
  /** Where the page is, token and all. */
  address: string;
  tell(told: Told): void;
  /** The run is over: viewers go on to the report; resolves when they have it, or soon. */
  end(report: string | null): Promise<void>;
  /** How many look on. */
  viewers(): number;
  /** What is kept for viewers that have not read it, in bytes. */
  held(): number;
}

/** A person's browser: how far it has been told, and whether its socket is full. */
interface Viewer {
  response: ServerResponse;
  next: number;
  full: boolean;
}

const HEADERS = {
  'cache-control': 'no-store', 'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer', // The token stands in the address.
  'cross-origin-resource-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

const HTML_HEADERS = { ...HEADERS, 'content-type': 'text/html; charset=utf-8' };

/** Serves a live page until `end`. */
export async function serveLive(options: LiveOptions): Promise<Live> {
  const show = new Show(options);
  return show.open();
}

class Show {
  #options: LiveOptions;
  #token = randomBytes(18).toString('base64url');
  #told: Told[] = [];
  #viewers = new Set<Viewer>();
  #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });
  #port = 0;
  #isDue = false;
  #report: string | null = null;
  #fetched = 0;
  #ping = setInterval(() => this.#each((response) => response.write(':\n\n')), PING_MS).unref();

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  async open(): Promise<Live> {
    const { host } = this.#options;
    this.#server.headersTimeout = 5000;
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    const shown = isIP(host) === 6 ? `[${host}]` : host;
    return {
      address: `http://${shown}:${this.#port}/${this.#token}/`,
      tell: (told) => this.#tell(told),
      end: (report) => this.#end(report),
      viewers: () => this.#viewers.size,
      held: () => [...this.#viewers].reduce((sum, { response }) =>
        sum + response.writableLength, 0),
    };
  }

  #tell(told: Told): void {
    if (this.#told.length >= TOLD_MAX && typeof told === 'string') return;
    this.#told.push(told);
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      for (const viewer of this.#viewers) this.#pump(viewer);
    }, PUMP_MS);
  }

  /** Tells a viewer what it does not know, as long as its socket takes it. */
  #pump(viewer: Viewer): void {
    const { response } = viewer;
    while (!viewer.full && viewer.next < this.#told.length) {
      const piece = this.#told.slice(viewer.next, viewer.next + PIECE);
      viewer.next += piece.length;
      viewer.full = !response.write(`id: ${viewer.next}\ndata: ${JSON.stringify(piece)}\n\n`);
    }
    if (viewer.full) {
      response.once('drain', () => {
        viewer.full = false;
        this.#pump(viewer);
      });
    }
  }

  #each(action: (response: ServerResponse) => void): void {
    for (const { response, full } of this.#viewers) if (!full) action(response);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, why: string) => {
      response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
      response.end(`${why}\n`);
    };
    const { method, url = '', headers } = request;
    const [, token = '', path = '', ...more] = new URL(url, 'http://live').pathname.split('/');
    if (!this.#isOwnHost(headers.host)) return refuse(421, 'This is not the host of this page.');
    const isOwn = headers.origin === undefined || headers.origin === `http://${headers.host}`;
    const site = headers['sec-fetch-site'];
    const isSame = site === undefined || site === 'same-origin'
      || (site === 'none' && method === 'GET') || (method === 'GET' && path === '');
    if (!isOwn || !isSame) return refuse(403, 'A request from another page.');
    if (!isEqual(token, this.#token) || more.length > 0) return refuse(404, 'Nothing is here.');
    if (method === 'GET' && path === '') {
      return void response.writeHead(200, HTML_HEADERS).end(this.#options.page);
    }
    if (method === 'GET' && path === 'events') return this.#welcome(request, response, refuse);
    if (method === 'GET' && path === 'report' && this.#report !== null) {
      response.on('finish', () => { this.#fetched++; });
      return void response.writeHead(200, HTML_HEADERS).end(this.#report);
    }
    if (method === 'POST' && path === 'fault') {
      if (headers.origin === undefined) return refuse(403, 'A request from no page.');
      return this.#fault(request, response, refuse);
    }
    return refuse(404, 'Nothing is here.');
  }

  /** The names under which this server may be asked: no name that somebody else gave it. */
  #isOwnHost(host: string | undefined): boolean {
    const end = `:${this.#port}`;
    if (!host?.endsWith(end)) return false;
    const name = host.slice(0, -end.length).replace(/^\[(.*)\]$/, '$1');
    return name === 'localhost' || name === this.#options.host
      || (isIP(this.#options.host) > 0 && isUnspecified(this.#options.host) && isIP(name) > 0);
  }

  #welcome(
    request: IncomingMessage, response: ServerResponse,
    refuse: (status: number, why: string) => void,
  ): void {
    if (this.#viewers.size >= VIEWERS_MAX) return refuse(503, 'Too many viewers.');
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    const hello = JSON.stringify([{ now_us: this.#options.now_us() }]);
    response.write(`retry: 1000\ndata: ${hello}\n\n`);
    // A browser that lost its connection says what it has been told.
    const known = Number(request.headers['last-event-id'] ?? 0);
    const next = Number.isInteger(known) && known >= 0 ? Math.min(known, this.#told.length) : 0;
    const viewer: Viewer = { response, next, full: false };
    this.#viewers.add(viewer);
    response.on('close', () => this.#viewers.delete(viewer));
    response.on('error', () => {});
    this.#pump(viewer);
  }

  async #fault(
    request: IncomingMessage, response: ServerResponse,
    refuse: (status: number, why: string) => void,
  ): Promise<void> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) {
      text += piece as string;
      if (text.length > BODY_MAX_BYTES) return refuse(413, 'A fault is a few words.');
    }
    try {
      await this.#options.fault(text.trim());
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return refuse(409, error.message);
    }
    response.writeHead(204, HEADERS).end();
  }

  async #end(report: string | null): Promise<void> {
    this.#report = report;
    const viewers = this.#viewers.size;
    this.#tell({ ended: report === null ? '' : 'report' });
    const until_ms = Date.now() + LAST_LOOK_MS;
    while (this.#fetched < viewers && report !== null && Date.now() < until_ms
      && (this.#viewers.size > 0 || this.#fetched < viewers)) {
      await new Promise((done) => setTimeout(done, 50));
    }
    if (report === null) await new Promise((done) => setTimeout(done, 2 * PUMP_MS));
    clearInterval(this.#ping);
    for (const { response } of this.#viewers) response.end();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const isUnspecified = (host: string) => host === '0.0.0.0' || host === '::';

/** Whether two texts are the same, in a time that says nothing of where they differ. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
