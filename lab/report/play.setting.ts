/**
 * What the playground is set to, and how an address says it: `#rates=1,4,6&seed=7&take=newest`, in
 * the words of simulate.ts's options, so that an address is a command and a command an address.
 */
import {
  checkFaults, faultText, overrideText, parseFault, parseOverride, type Fault, type Override,
} from '../model/faults.ts';
import { parseLatency, PERFECT, type Network } from '../model/network.ts';
import { configure, EXERCISE, parseTicks, type Configuration, type Knobs } from '../model/run.ts';

/** Bounds that keep a page alive: a run is computed whole, in a moment. */
export const MACHINES_MOST = 200;
export const TICKS_MOST = 400_000;
export const RATE_MOST_HZ = 1000;

export interface Setting extends Network, Knobs {
  seed: number;
  machines: number;
  /** Null: drawn by the seed from 1 to 6, as the exercise has it. */
  rates_hz: number[] | null;
  internal: number;
  duration_s: number;
  faults: Fault[];
  what_if: Override[];
}

/** The exercise, on a perfect network. */
export const PLAIN: Readonly<Setting> = {
  seed: 1, machines: 3, rates_hz: null, internal: 0.7, duration_s: 60, ...EXERCISE, ...PERFECT,
  faults: [], what_if: [],
};

/** Where in a run the page is: model seconds, model seconds a second. */
export interface Place {
  t: number;
  speed: number;
}
export const SPEED_LEAST = 0.1;
export const SPEED_MOST = 100;

// ── The address ──────────────────────────────────────────────────────────────────────────────

const encode = (text: string) => encodeURIComponent(text)
  .replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%20', '+');

/** A setting as pairs of an option's name and its value; what is the exercise's is left out. */
function pairs(setting: Setting): [string, string][] {
  const list: [string, string][] = [];
  const put = (name: string, value: unknown, usual: unknown) => {
    if (value !== usual) list.push([name, String(value)]);
  };
  if (setting.rates_hz) list.push(['rates', setting.rates_hz.join(',')]);
  else list.push(['machines', String(setting.machines)]);
  list.push(['seed', String(setting.seed)]);
  put('internal', setting.internal, PLAIN.internal);
  put('duration', setting.duration_s, PLAIN.duration_s);
  put('latency', setting.latency, PLAIN.latency);
  put('loss', setting.loss, PLAIN.loss);
  put('reorder', setting.reorder, PLAIN.reorder);
  put('take', setting.take, PLAIN.take);
  put('queue-max', setting.queue_max, PLAIN.queue_max);
  put('drop', setting.drop, PLAIN.drop);
  put('news', setting.news, PLAIN.news);
  put('ticks', setting.ticks, PLAIN.ticks);
  put('senders', setting.senders, PLAIN.senders);
  put('both', setting.both, PLAIN.both);
  for (const fault of setting.faults) list.push(['fault', faultText(fault)]);
  for (const override of setting.what_if) list.push(['what-if', overrideText(override)]);
  return list;
}

/** The part of an address after the #. */
export function addressOf(setting: Setting, place?: Partial<Place>): string {
  const list = pairs(setting);
  if (place?.t) list.push(['t', String(Number(place.t.toFixed(3)))]);
  if (place?.speed !== undefined && place.speed !== 1) {
    list.push(['speed', String(Number(place.speed.toPrecision(3)))]);
  }
  return list.map(([name, value]) => `${name}=${encode(value)}`).join('&');
}

/** The command that makes the same run, byte for byte. */
export function commandOf(setting: Setting): string {
  const quote = (text: string) => (/^[\w.,:-]+$/.test(text) ? text : `'${text}'`);
  return ['npx tsx simulate.ts', ...pairs(setting).map(([name, value]) =>
    (value === 'true' ? `--${name}` : `--${name} ${quote(value)}`))].join(' ');
}

/** Reads one value of an address into a setting; false if there is no such name. */
type Reader = (setting: Setting, text: string) => void;

const must = (holds: boolean, what: string) => {
  if (!holds) throw new RangeError(`It is not ${what}.`);
};
function number(text: string, holds: (x: number) => boolean, what: string): number {
  const x = /^\d+(\.\d+)?(e-?\d+)?$/.test(text) ? Number(text) : NaN;
  must(holds(x), what);
  return x;
}
const share = (text: string) => number(text, (x) => x <= 1, 'a number from 0 to 1');
const whole = (text: string, least: number, most = Number.MAX_SAFE_INTEGER) =>
  number(text, (x) => Number.isSafeInteger(x) && x >= least && x <= most,
    `a whole number from ${least} to ${most}`);
function oneOf<T extends string>(text: string, words: readonly T[]): T {
  must(words.includes(text as T), words.join(' or '));
  return text as T;
}
const checked = (text: string, parse: (text: string) => unknown) => (parse(text), text);

const READERS: Record<string, Reader> = {
  rates: (setting, text) => {
    const rates_hz = text.split(',').map((rate) => number(rate,
      (x) => x > 0 && x <= RATE_MOST_HZ, `rates above 0 and up to ${RATE_MOST_HZ}`));
    must(rates_hz.length >= 2 && rates_hz.length <= MACHINES_MOST,
      `two to ${MACHINES_MOST} machines`);
    [setting.rates_hz, setting.machines] = [rates_hz, rates_hz.length];
  },
  machines: (setting, text) => {
    setting.machines = whole(text, 2, MACHINES_MOST);
    setting.rates_hz = null;
  },
  seed: (setting, text) => { setting.seed = whole(text, 0); },
  internal: (setting, text) => { setting.internal = share(text); },
  duration: (setting, text) => {
    setting.duration_s = number(text, (x) => x > 0, 'a number above 0');
  },
  latency: (setting, text) => { setting.latency = checked(text, parseLatency); },
  loss: (setting, text) => { setting.loss = share(text); },
  reorder: (setting, text) => { setting.reorder = oneOf(text, ['true', 'false']) === 'true'; },
  take: (setting, text) => { setting.take = oneOf(text, ['oldest', 'newest', 'all']); },
  'queue-max': (setting, text) => { setting.queue_max = whole(text, 1); },
  drop: (setting, text) => { setting.drop = oneOf(text, ['oldest', 'newest']); },
  news: (setting, text) => { setting.news = oneOf(text, ['true', 'false']) === 'true'; },
  ticks: (setting, text) => { setting.ticks = checked(text, parseTicks); },
  senders: (setting, text) => {
    setting.senders = text.split(',').map((id) => whole(id, 0, MACHINES_MOST - 1));
  },
  both: (setting, text) => { setting.both = share(text); },
  fault: (setting, text) => { setting.faults = [...setting.faults, parseFault(text)]; },
  'what-if': (setting, text) => { setting.what_if = [...setting.what_if, parseOverride(text)]; },
};

/** What an address says, and a line for each part of it that cannot be read, which is left out. */
export interface Read {
  setting: Setting;
  place: Partial<Place>;
  trouble: string[];
}

export function readAddress(address: string): Read {
  const setting: Setting = { ...PLAIN };
  const place: Partial<Place> = {};
  const trouble: string[] = [];
  for (const pair of address.replace(/^#/, '').split('&').filter((text) => text !== '')) {
    const [name, ...rest] = pair.split('=');
    try {
      const text = decodeURIComponent(rest.join('=').replaceAll('+', ' '));
      if (name === 't') place.t = number(text, (x) => x >= 0, 'a time in seconds');
      else if (name === 'speed') {
        place.speed = number(text, (x) => x >= SPEED_LEAST && x <= SPEED_MOST,
          `a number from ${SPEED_LEAST} to ${SPEED_MOST}`);
      } else if (Object.hasOwn(READERS, name!)) READERS[name!]!(setting, text);
      else throw new RangeError('Nothing has this name.');
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof URIError)) throw error;
      trouble.push(`${pair.slice(0, 80)}: ${error.message}`);
    }
  }
  bound(setting, trouble);
  return { setting, place, trouble };
}

/** Leaves out what does not fit the machines, and shortens what would take too long. */
function bound(setting: Setting, trouble: string[]): void {
  const known = (id: number) => id < setting.machines;
  if (setting.senders && !setting.senders.every(known)) {
    trouble.push(`senders: there are ${setting.machines} machines`);
    setting.senders = null;
  }
  try {
    checkFaults(faultsOf(setting), setting);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    trouble.push(error.message);
    [setting.faults, setting.what_if] = [[], []];
  }
  setting.what_if = setting.what_if.filter((override) => {
    const ids = override.do === 'lose' ? [override.from, override.to] : [override.machine];
    if (ids.every(known)) return true;
    trouble.push(`${overrideText(override)}: there are ${setting.machines} machines`);
    return false;
  });
  const ticks_hz = configurationOf(setting).rates_hz.reduce((sum, rate_hz) => sum + rate_hz, 0);
  if (ticks_hz * setting.duration_s > TICKS_MOST) {
    setting.duration_s = Math.floor(TICKS_MOST / ticks_hz);
    trouble.push(`duration: cut to ${setting.duration_s} s: a page holds ${TICKS_MOST} ticks`);
  }
}

/** All faults: those that are stated, and the pauses of a what-if. */
export const faultsOf = ({ faults, what_if }: Pick<Setting, 'faults' | 'what_if'>): Fault[] =>
  [...faults, ...what_if.flatMap((override): Fault[] => (override.do !== 'pause' ? []
    : [{ ...override, do: 'pause' }]))];

/** The configuration that the engine runs and run.json states. */
export function configurationOf(setting: Setting): Configuration & Network {
  const { rates_hz, latency, loss, reorder, faults, what_if, ...rest } = setting;
  const configuration = rates_hz === null
    ? configure({ ...rest, rates_range: [1, 6] }) : configure({ ...rest, rates_hz });
  return {
    ...configuration, latency, loss, reorder,
    ...(faults.length > 0 && { faults }), ...(what_if.length > 0 && { what_if }),
  };
}
