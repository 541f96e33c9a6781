/**
 * Times of day as people write them: ISO, ctime, h:m:s, epochs of four units, counters of ticks.
 */

const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const CLOCK = String.raw`\d\d?:\d\d:\d\d(?:[.,:]\d+)?(?: ?[AaPp]\.?[Mm]\b\.?)?`;
const ZONE = String.raw`(?: ?(?:Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b))?`;

/** What the tokenizer takes for one time, the longest form first. No group is captured. */
export const TIME = [
  String.raw`datetime\.datetime\(\d{4}(?:, ?\d+){4,6}\)`,
  String.raw`\d{4}[-/.]\d\d?[-/.]\d\d?(?:[Tt_]|,? +)${CLOCK}${ZONE}`,
  String.raw`\d{4}[-/.]\d\d?[-/.]\d\d?[Tt_ -]\d\d-\d\d-\d\d(?:[.,-]\d+)?(?![\d-])`,
  String.raw`(?:[A-Z][a-z]{2},? )?(?:${MONTHS})[a-z]* +\d\d?,? +${CLOCK}` +
    String.raw`(?: [A-Z]{3,4})?(?: \d{4}\b)?`,
  String.raw`\d\d?[-/.]\d\d?[-/.]\d{2,4},? +${CLOCK}`,
  String.raw`\d\d?[-/]\d\d?,? +${CLOCK}`,
  String.raw`\d\d? (?:${MONTHS})[a-z]* \d{4},? +${CLOCK}`,
  String.raw`(?<![\d:])${CLOCK}`,
].join('|');

const FORM = new RegExp(`^(?:${TIME})$`);
const DAY_S = 86_400;
const NUMBER = /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i;

/** Seconds of an h:m:s, its fraction and its half of the day. */
function clock_s(text: string): number {
  const found =
    /(\d\d?):(\d\d):(\d\d)(?:[.,:](\d+))?(?: ?([AaPp])\.?[Mm])?/.exec(text) ??
    /[Tt_ -](\d\d)-(\d\d)-(\d\d)(?:[.,-](\d+))?$/.exec(text);
  if (!found) return NaN;
  const [, hour, minute, second, fraction = '0', half] = found;
  const late = half && /p/i.test(half) ? 12 : 0;
  const hours = half ? (Number(hour) % 12) + late : Number(hour);
  return hours * 3600 + Number(minute) * 60 + Number(second) + Number(`0.${fraction}`);
}

/** Days since the epoch of the date in a text; 0 if it has none. Without a year: of 2000. */
function date_d(text: string): number {
  const day = (year: number, month: number, date: number) => Date.UTC(year, month, date) / 864e5;
  const iso = /(\d{4})[-/.](\d\d?)[-/.](\d\d?)/.exec(text);
  if (iso) return day(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]));
  const named = new RegExp(`(${MONTHS})[a-z]* +(\\d\\d?)\\b(?!:)`).exec(text);
  const month = (name: string) => MONTHS.split('|').indexOf(name);
  if (named) {
    const year = / (\d{4})\b/.exec(text.slice(named.index))?.[1] ?? '2000';
    return day(Number(year), month(named[1]!), Number(named[2]));
  }
  const dated = new RegExp(`(\\d\\d?) (${MONTHS})[a-z]* (\\d{4})`).exec(text);
  if (dated) return day(Number(dated[3]), month(dated[2]!), Number(dated[1]));
  const short = /(\d\d?)[-/.](\d\d?)(?:[-/.](\d{2,4}))?,? +\d/.exec(text);
  if (!short) return 0;
  const year = Number(short[3] ?? '2000');
  return day(year < 100 ? 2000 + year : year, Number(short[1]) - 1, Number(short[2]));
}

/** A written time in seconds, since the epoch or since midnight; NaN if it is none. */
export function written_s(text: string): number {
  if (!FORM.test(text)) return NaN;
  const python = /^datetime\.datetime\((.*)\)$/.exec(text)?.[1]?.split(',').map(Number);
  if (python) {
    const [year = 0, month = 1, date = 1, hour = 0, minute = 0, second = 0, micro = 0] = python;
    return Date.UTC(year, month - 1, date, hour, minute, second) / 1000 + micro / 1e6;
  }
  return date_d(text) * DAY_S + clock_s(text);
}

/** How many of these make a second, by their size; null for numbers that are no epoch. */
export function epochUnit(value: number): number | null {
  for (const unit of [1, 1e3, 1e6, 1e9]) if (value > 9e8 * unit && value < 4e9 * unit) return unit;
  return null;
}

/**
 * The unit of times that count from nowhere in particular, by the usual step between two rows of a
 * machine, which ticks between some 0.2 and 20 times a second.
 * @returns so many a second; null if each row counts one: such a number is no time
 */
export function relativeUnit(steps: number[], fractions = false): number | null {
  const sorted = steps.filter((step) => step > 0).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 2)];
  if (usual === undefined) return null;
  if (!fractions && sorted.every((step) => step === 1) && sorted.length > 0.8 * steps.length)
    return null;
  for (const unit of [1, 1e3, 1e6, 1e9]) if (usual >= 0.02 * unit && usual < 20 * unit) return unit;
  return usual < 0.02 ? 1 : 1e9;
}

/**
 * Times in microseconds, from texts of one column of one machine in their order.
 * @returns NaN where there is none; all NaN if the column counts ticks; `absolute` unless they
 *   count from nowhere
 */
export function times_us(texts: readonly string[]): { us: Float64Array; absolute: boolean } {
  const clean = texts.map((text) =>
    text
      .trim()
      .replace(/^["'[(](.*)["'\])]$/, '$1')
      .trim(),
  );
  const first = clean.find((text) => text !== '') ?? '';
  if (!NUMBER.test(first)) {
    return { us: sinceMidnight(Float64Array.from(clean, written_s)), absolute: true };
  }
  const values = Float64Array.from(clean, (text) => (NUMBER.test(text) ? Number(text) : NaN));
  const steps: number[] = [];
  for (let n = 1; n < values.length; n++) steps.push(values[n]! - values[n - 1]!);
  const epoch = epochUnit(values.find((value) => !Number.isNaN(value)) ?? 0);
  const relative = relativeUnit(
    steps,
    clean.some((text) => text.includes('.')),
  );
  // Nanoseconds since a computer's start can look like milliseconds since the epoch.
  const isEpoch = epoch !== null && (relative === null || relative / epoch < 1e4);
  const scale = isEpoch ? epoch : relative;
  return {
    us: values.map((value) => (scale === null ? NaN : Math.round((value / scale) * 1e6))),
    absolute: isEpoch,
  };
}

/** Microseconds of times of a day, which go on after midnight. */
function sinceMidnight(values_s: Float64Array): Float64Array {
  let day = 0;
  let before = -Infinity;
  return values_s.map((value) => {
    if (value < DAY_S && value + day * DAY_S < before - DAY_S / 2) day++;
    const now = value + (value < DAY_S ? day * DAY_S : 0);
    if (!Number.isNaN(now)) before = now;
    return Math.round(now * 1e6);
  });
}
