/**
 * The words of the exercise, as students write them: which event, to whom, and which number is
 * what.
 */

export type TickEvent = 'internal' | 'send' | 'receive';

/** A word that names an event; `weight` 3: surely, 1: perhaps (a noun, a short code). */
interface Stem {
  event: TickEvent;
  weight: number;
}

const STEMS: [RegExp, TickEvent, number][] = [
  [
    /^(receiv\w*|reciev\w*|recev\w*|recv\w*|rec|rcv\w*|rx|popp?(?:ed|ing)?|dequeu\w*)$/,
    'receive',
    3,
  ],
  [/^(deliver\w*|consum\w+|processed|processing|receipt|incoming)$/, 'receive', 2],
  [
    /^(got|get|handled|handling|handle|pull\w*|took|take|fetch\w*|read|process|accept\w*|r)$/,
    'receive',
    1,
  ],
  [/^(sen[dt]|sends|sending|snd|tx|broadcast\w*|multicast\w*|unicast\w*|transmit\w*)$/, 'send', 3],
  [/^(dispatch\w*|emit\w*|publish\w*|outgoing|sendall|messaged)$/, 'send', 2],
  [/^(post\w*|push\w*|s|sb|ss|sa)$/, 'send', 1],
  // B is a machine's name as often as a broadcast.
  [/^b$/, 'send', 0.95],
  [/^(internal\w*|idle|idled|idling|slept|sleep\w*|ie|noop|nop)$/, 'internal', 3],
  [/^(compute|computation\w*|computing|nothing|intern|int)$/, 'internal', 2],
  [/^(local|self|none|own|private|event|tick|work\w*|i|e)$/, 'internal', 1],
];

/** Behind a stem, these make it a noun: "send clock", "received at", "internal clock". */
const NOUN = new RegExp(
  '^(clock|clocks|time|timestamp|queue|id|rate|size|length|len|count|prob\\w*|speed' +
    '|buffer|port|lc)$',
);
const NAMES = /^(process|local|self|none|own|private|event|tick|work\w*|handle)$/;
/** A row with one of these is not an event unless its own word says so loudly. */
const NO_EVENT = new RegExp(
  '\\b(?:connect\\w*|connection\\w*|handshake\\w*|listen\\w*|initiali\\w*' +
    '|start\\w*|stopp\\w*|stop|terminat\\w*|shut\\w*|bind\\w*|bound|clos(?:ed|ing)|error\\w*' +
    '|fail\\w*|exception|traceback|refused|timeout|timed out|unable|could not|cannot|retry\\w*' +
    '|final|finish\\w*|ended|setup|set up|warning|hello|ready|init|rate|speed|per second|hz)\\b',
  'i',
);
const ARRIVAL = new RegExp(
  '\\b(?:queued|enqueu\\w*|added|adding|append\\w*|arriv\\w*|put(?:ting)?|buffered|listener' +
    '|network)\\b',
  'i',
);
const BOTH = new RegExp(
  '(?:\\b|_)(?:both|all|broadcast\\w*|multi\\w*|double|two|everyone|every|everybody|others' +
    '|peers|sb|sendall|twice)(?:\\b|_)',
  'i',
);

/** The words of a text, of a name in camelCase and of one_with_underscores. */
export function subwords(text: string): string[] {
  return text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean);
}

/** A word cut into its own words, each with its stem. */
interface Cut {
  part: string;
  stem: Stem | null;
}

function stemOf(word: string): Stem | null {
  for (const [stem, event, weight] of STEMS) if (stem.test(word)) return { event, weight };
  return null;
}

/**
 * Logs repeat a few words in every line; so many of them are remembered, up to a length at which
 * a word holds on to the whole text that it was cut from.
 */
const CUTS = { words: 10_000, letters: 12 };
const cuts = new Map<string, readonly Cut[]>();

function cutOf(word: string): readonly Cut[] {
  const known = cuts.get(word);
  if (known) return known;
  const found = subwords(word).map((part) => ({ part, stem: stemOf(part) }));
  if (word.length <= CUTS.letters && cuts.size < CUTS.words) cuts.set(word, found);
  return found;
}

/** What a text says happened; `place` is where the telling word begins, in characters. */
export interface Said {
  event: TickEvent;
  weight: number;
  place: number;
  word: string;
}

const WORD = /[A-Za-z]+(?:_[A-Za-z]+)*/g;

/** Which event a text names, by its loudest word and then its first; null if by none. */
export function classify(text: string): Said | null {
  let best: Said | null = null;
  const clean = text.replace(/\bN\/A\b/gi, '   ');
  const found = [...clean.matchAll(WORD)];
  const told = TOLD.exec(clean);
  const from = told ? told.index + told[0].length - told[1]!.length : -1;
  const until = told ? from + told[1]!.length : -1;
  for (const [n, match] of found.entries()) {
    const parts = cutOf(match[0]);
    if (!parts.some(({ stem }) => stem)) continue;
    const isTold = match.index >= from && match.index < until;
    const next = cutOf(found[n + 1]?.[0] ?? '')[0]?.part ?? '';
    const behind = text.slice(match.index + match[0].length);
    for (const [at, { part, stem }] of parts.entries()) {
      if (!stem) continue;
      let { weight } = stem;
      if (NOUN.test(parts[at + 1]?.part ?? (/^[ _-]?[A-Za-z]/.test(behind) ? next : '')))
        weight = Math.min(weight, 1.5);
      if (part === 'event' && /^["']?\s*[=:]/.test(behind)) continue;
      // "Process 1", "local 7": a number or a name behind it makes a weak word a name.
      if (weight === 1 && NAMES.test(part) && /^[ _#:-]*[\d\u0001]/.test(behind)) continue;
      if (
        part === 'process' &&
        !isTold &&
        !/^(a|the|message|messages|msg|next)$/.test(next) &&
        parts.length === 1 &&
        behind.trim() !== '' &&
        /^[ \t]*\w/.test(behind)
      )
        continue;
      // A single letter is a code only where it stands in capitals.
      if (part.length === 1 && match[0] !== match[0].toUpperCase()) continue;
      // A longer word tells more than a letter, which may be a name.
      if (part.length === 1) weight -= 0.1;
      if (isTold) weight += 3;
      if (isDenied(text, match.index)) weight = Math.min(weight, 0.5);
      if (!best || weight > best.weight) {
        best = { event: stem.event, weight, place: match.index, word: match[0] };
      }
    }
  }
  return best;
}

/** What stands in a table where there is no value: it names no event. */
export const isMissing = (text: string): boolean =>
  /^\s*["']?(?:|-+|–|—|_|\.|n\/?a|nan|none|null|nil|undefined|empty)["']?\s*$/i.test(text);

/** "event_type=idle", '"action": "S"': the words behind such a name tell louder than all others. */
const TOLD = new RegExp(
  '\\b(?:event|action|operation|op|type|kind|event[ _]?(?:type|name|kind))' +
    String.raw`["']?\s*[:=]\s*["']?([A-Za-z][\w.]*(?: [a-z]+)?)`,
  'i',
);

/** "no message received", "did not receive", "failed to send". */
const isDenied = (text: string, place: number) =>
  /\b(?:no|not|without|never|failed to|waiting to|trying to|unable to)\s+(?:\w+\s+){0,2}$/i.test(
    text.slice(Math.max(0, place - 40), place),
  );

export const isNoEvent = (text: string): boolean => NO_EVENT.test(text.replaceAll('_', ' '));
export const isArrival = (text: string): boolean => ARRIVAL.test(text.replaceAll('_', ' '));
/** Whether a text says that a send went to several. */
export const saysBoth = (text: string): boolean =>
  BOTH.test(text) || /[\w\u0001]+ (?:and|&) [\w\u0001]+/.test(text);

// ── Which number is what ─────────────────────────────────────────────────────────────────────

export type Field = 'time' | 'clock' | 'queue' | 'peer' | 'message' | 'machine';

const NOUNS: Record<Field | 'old' | 'foreign' | 'rate' | 'roll', RegExp> = {
  clock: /logical|lamport|vector|\bl ?c\b|\bulc\b|\bclk\b|\bclock|\bvc\b/,
  time: new RegExp(
    '\\bsys|system|global|\\bwall|\\breal|physical|timestamp|\\bdate|epoch|\\btime\\b|\\bts\\b' +
      '|\\bat\\b|nano|milli|elapsed',
  ),
  queue: new RegExp(
    'num\\w* (?:of )?(?:messages|msgs)|(?:messages|msgs) (?:left|count|waiting)|unread|queue' +
      '|\\bq\\b|\\bql\\w*|\\bqsize|length|\\blen\\b|remaining|pending|backlog|inbox|buffer' +
      '|waiting|\\bleft\\b|\\bsize\\b',
  ),
  peer: new RegExp(
    '\\bto\\b|\\bfrom\\b|\\bdest|target|recipient|receiver|\\bsender\\b|\\bsource\\b|\\bsrc\\b' +
      '|\\bdst\\b|\\bpeer|\\bother\\b|\\bwith machine|\\bwith process',
  ),
  message: new RegExp(
    'message|\\bmsg|value|payload|content|carr|\\bsent clock|\\bsend clock|\\bsender clock' +
      '|received clock|received logical|received time|remote|\\btheir|incoming',
  ),
  machine:
    /machine|process|\bpid\b|\bvm\b|\bself\b|\bnode\b|\bid\b|server|client|\bproc\b|\bm\b|\bp\b/,
  old: /\bold|\bprev|\bbefore|\bwas\b|\bfrom\b clock|\blast\b/,
  foreign: /sender|\bsent clock|\bsend clock|message|\bmsg|received|remote|their|incoming|other/,
  rate: /\brate|speed|\bhz\b|freq|ticks|interval|period/,
  roll: new RegExp(
    '\\broll|\\bdie\\b|\\bdice|random|\\brand\\b|\\bcode|command|opcode|\\bop\\b|\\baction' +
      '|event (?:value|number|code|type)|\\bnumber\\b',
  ),
};

/** A label in plain words: `queue_len=`, `"logicalClock":` and `Queue Length: ` become words. */
export function plain(label: string): string {
  return subwords(label).join(' ');
}

/**
 * How well a label names a field, from −5 to 5.
 * @param label in plain words, the nearest ones last
 */
export function fits(field: Field, label: string): number {
  const near = label.split(' ').slice(-3).join(' ');
  const is = (name: keyof typeof NOUNS, text = label) => (NOUNS[name].test(text) ? 1 : 0);
  const physical = /\bsys|system|global|\bwall|\breal|physical|epoch|machine time|nano|milli/.test(
    label,
  )
    ? 1
    : 0;
  switch (field) {
    case 'clock':
      return (
        3 * is('clock', near) +
        is('clock') +
        (/logical|lamport|vector|new/.test(near) ? 1 : 0) +
        (/\btime$/.test(near) ? 0.5 : 0) -
        4 * physical -
        3 * is('old', near) -
        2 * is('foreign', near) -
        4 * is('queue', near) -
        4 * is('rate', near) -
        3 * is('peer', label.split(' ').slice(-1).join('')) -
        3 * is('roll', near)
      );
    case 'queue':
      return 4 * is('queue', near) - 3 * is('clock', label.split(' ').slice(-1).join(''));
    case 'peer':
      return (
        4 * is('peer', near) +
        (/\bto\b[^f]*$/.test(near) ? 0.5 : 0) -
        4 * is('queue', near) -
        4 * is('clock', near) -
        3 * physical -
        (/\bat$|\btime$/.test(near) ? 3 : 0)
      );
    case 'message':
      return (
        3 * is('message', label.split(' ').slice(-6).join(' ')) +
        (is('foreign', near) && is('clock', near) ? 2 : 0) +
        (is('clock', near) ? 0.5 : 0) -
        4 * is('queue', near) -
        3 * is('old', near) -
        4 * physical -
        3 * is('rate', near) -
        3 * is('machine', label.split(' ').slice(-1).join(''))
      );
    case 'machine':
      return (
        3 * is('machine', label.split(' ').slice(-2).join(' ')) -
        4 * is('peer', near) -
        3 * is('clock', near) -
        3 * is('queue', near) -
        3 * is('rate', near)
      );
    case 'time':
      return (
        3 * is('time', near) +
        2 * physical -
        4 * (/logical|lamport/.test(near) ? 1 : 0) -
        3 * is('queue', near) -
        3 * is('rate', near)
      );
  }
}
