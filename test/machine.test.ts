import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CLOCK_MAX, encodeLine, LINE_MAX, lineDecoder, parseLine, WireError, type Wire,
} from '../machine.ts';

// ── The wire ────────────────────────────────────────────────────────────────────────────────

/** What a decoder makes of chunks of bytes: the lines, and the error that ended them. */
function decode(chunks: Uint8Array[]): Promise<{ lines: Wire[]; error: Error | null }> {
  return new Promise((resolve) => {
    const lines: Wire[] = [];
    const decoder = lineDecoder();
    decoder.on('data', (line: Wire) => lines.push(line));
    decoder.on('error', (error) => resolve({ lines, error }));
    decoder.on('end', () => resolve({ lines, error: null }));
    for (const chunk of chunks) decoder.write(chunk);
    decoder.end();
  });
}

const talk: Wire[] = [
  { hello: 2, token: 'ключ' }, { ready: true }, { start_us: 1_700_000_000_000_000 },
  { clock: 0 }, { clock: CLOCK_MAX }, { stop: true },
];
const wire = suite('lineDecoder');
wire('finds the same lines wherever the bytes are cut, also within a character', async () => {
  const bytes = Buffer.from(talk.map(encodeLine).join(''));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { lines, error } = await decode([bytes.subarray(0, cut), bytes.subarray(cut)]);
    assert.equal(lines, talk);
    assert.is(error, null);
  }
  const { lines } = await decode([...bytes].map((byte) => Uint8Array.of(byte)));
  assert.equal(lines, talk);
});
wire('makes of 10,000 random byte strings a clean error or nothing, and no message', async () => {
  const some = fc.uint8Array({ minLength: 1, maxLength: 64 });
  await fc.assert(fc.asyncProperty(some, async (bytes) => {
    const { lines, error } = await decode([bytes, Uint8Array.of(10)]);
    assert.ok(error instanceof WireError, String(error));
    assert.is(lines.length, 0);
  }), { numRuns: 10_000 });
});
wire('gives up on a line of over 1 KiB, also when its end never comes', async () => {
  const long = Buffer.alloc(LINE_MAX + 1, 'x');
  assert.match((await decode([long])).error!.message, /maximum|more than/);
  assert.match((await decode([long, Buffer.from('\n')])).error!.message, /maximum|more than/);
  const { error } = await decode([Buffer.concat([long, Buffer.from('\n')])]);
  assert.match(error!.message, /more than/);
});
wire.run();

const parse = suite('parseLine');
parse('takes back what encodeLine wrote', () => {
  for (const line of talk) assert.equal(parseLine(encodeLine(line)), line);
});
parse('refuses a clock that is not a safe non-negative integer', () => {
  const bad =
    ['-1', '1.5', '"3"', 'null', 'true', '[1]', '9007199254740993', '1e400', 'NaN', '0x10'];
  for (const value of bad) {
    assert.throws(() => parseLine(`{"clock":${value}}`), /not a line/, value);
  }
});
parse('refuses what is JSON and no line of the protocol', () => {
  for (const text of ['', '1', 'null', '[]', '"clock"', '{}', '{"ready":false}', '{"hello":0}',
    '{"hello":-1,"token":"a"}', '{"hello":0,"token":7}']) {
    assert.throws(() => parseLine(text), /not a line/, text);
  }
});
parse.run();
