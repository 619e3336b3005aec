/** Drives one parser with one seed in a process of its own; the last line on stdout says how it went. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import { isDocumented } from './parser.js';
import { parsers } from './parsers.js';
import { MAX_RSS_BYTES, MAX_SECONDS, type BatchResult } from './limits.js';

/** An input took longer, or more memory, than any may. */
class BeyondBounds extends Error {}

const [name, seed, runs, seconds, folder, note, replay] = process.argv.slice(2) as [
  ...[string, string, string, string, string, string],
  string?,
];
const parser = parsers.find((each) => each.name === name);
if (parser === undefined) throw new Error(`no parser called ${name}`);

let inputs = 0;
const progress = openSync(note, 'w');
const counter = Buffer.alloc(8);

/** The parent reads there which input it was when nothing more comes. */
function begin(): void {
  counter.writeBigUInt64LE(BigInt(inputs++));
  writeSync(progress, counter, 0, 8, 0);
}

const parse = await parser.prepare(folder);
const property = fc.asyncProperty(parser.inputs, async (input) => {
  begin();
  if (replay === 'show') return false;
  const before = process.cpuUsage();
  try {
    await parse(input);
  } catch (error) {
    if (!isDocumented(parser, error)) throw error;
  }
  // Of the processor and not of the clock: other processes may have it.
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1e6;
  if (took > MAX_SECONDS) throw new BeyondBounds(`${took.toFixed(1)} s of the processor`);
  const resident = process.memoryUsage.rss();
  if (resident > MAX_RSS_BYTES) throw new BeyondBounds(`${(resident / 2 ** 20).toFixed(0)} MiB resident`);
  return true;
});
const details = await fc.check(property, {
  seed: Number(seed),
  numRuns: Number(runs),
  ...(replay === 'show' && { path: runs, numRuns: 1, endOnFailure: true }),
  ...(replay !== 'show' && { interruptAfterTimeLimit: 1000 * Number(seconds) }),
  markInterruptAsFailure: false,
});
const { counterexample, counterexamplePath, errorInstance } = details;
const failure = details.failed && {
  kind: errorInstance instanceof BeyondBounds ? ('beyond bounds' as const) : ('crash' as const),
  path: counterexamplePath ?? '',
  input: shown(counterexample?.[0]),
  error:
    errorInstance instanceof Error ? (errorInstance.stack ?? String(errorInstance)) : String(errorInstance),
};
closeSync(progress);
const result: BatchResult = {
  inputs: details.numRuns,
  peakBytes: peakBytes(),
  ...(failure !== false && { failure }),
};
process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0));

/** The most that was resident since the process began. */
function peakBytes(): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(statusText()) ?? [];
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) * 1024;
}

function statusText(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/** An input as a message has it: bytes as text where they are text. */
function shown(input: unknown): string {
  const readable = (value: unknown): unknown => {
    if (!(value instanceof Uint8Array)) return value;
    const text = Buffer.from(value).toString('utf8');
    return Buffer.from(text).equals(value) ? text : `hex:${Buffer.from(value).toString('hex')}`;
  };
  const flat =
    input !== null && typeof input === 'object' && Object.getPrototypeOf(input) === Object.prototype
      ? Object.fromEntries(Object.entries(input).map(([key, value]) => [key, readable(value)]))
      : readable(input);
  const text = fc.stringify(flat);
  return text.length > 4000 ? `${text.slice(0, 4000)}… (${text.length} characters)` : text;
}
