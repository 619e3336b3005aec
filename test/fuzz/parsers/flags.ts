import fc from 'fast-check';
import { InvalidArgumentError } from 'commander';
import { InputError } from '../../../src/base/errors.js';
import {
  ageOf,
  batchSizes,
  countOf,
  pointsOf,
  seedOf,
  shareOf,
  wholeNumber,
} from '../../../src/cli/options/flags.js';
import { hubReference } from '../../../src/net/hub-reference.js';
import { parseGates } from '../../../src/analysis/compare/gates.js';
import {
  parseAccuracy,
  parseEnergy,
  parseLatency,
  parseMemory,
  parseThroughput,
} from '../../../src/analysis/procure/constraints.js';
import { parseEnergyPrice, parseExchangeRate } from '../../../src/analysis/procure/money.js';
import { parseTarget } from '../../../src/search/target.js';
import { awkwardNames, awkwardNumbers } from '../generate/json.js';
import { defineParser, type Parser } from '../parser.js';

const part = fc.oneof(
  fc.constantFrom(
    'latency',
    'memory',
    'cosine',
    'accuracy',
    'accuracy-loss',
    'file',
    'p90',
    ':',
    '=',
    ',',
    '@p',
    '@',
  ),
  fc.constantFrom(
    'ms',
    's',
    'x',
    '×',
    '%',
    'pt',
    'pp',
    'MiB',
    'GB',
    'KiB',
    '-',
    '−',
    '+',
    '.',
    ' ',
    '/',
    '..',
    '0x',
  ),
  fc.constantFrom(...awkwardNumbers).map(String),
  fc.constantFrom(...awkwardNames),
  fc.integer({ min: 1, max: 400 }).map((digits) => '9'.repeat(digits)),
  fc.nat(100).map(String),
  fc.string({ maxLength: 3 }),
);

/** All numbers in what was read are finite: with others nothing could be compared. */
function finite(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`accepted ${value}`);
  if (value !== null && typeof value === 'object') Object.values(value).forEach(finite);
}

/** A size of something that is allocated by it. */
function allocatable(value: number | readonly number[]): void {
  for (const each of [value].flat())
    if (!(Number.isInteger(each) && each >= 0 && each < 1e9)) throw new TypeError(`accepted ${each}`);
}

function flag(name: string, seeds: readonly string[], parse: (text: string) => unknown): Parser {
  const pieces = seeds.map((seed) => seed.match(/\d+(\.\d+)?|[^\d\s]+?(?=\d|[:=,@]|$)|./g) ?? []);
  return defineParser({
    name,
    documents: (error) => error instanceof InputError || error instanceof InvalidArgumentError,
    inputs: fc.oneof(
      fc
        .tuple(fc.constantFrom(...pieces), fc.array(fc.tuple(fc.nat(50), part), { maxLength: 3 }))
        .map(([seed, changes]) => {
          const text: string[] = [...seed];
          for (const [at, piece] of changes) text[at % (text.length + 1)] = piece;
          return text.join('');
        }),
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
    ),
    prepare: () => Promise.resolve(parse),
  });
}

/** What flags of the command line say. */
export const flags: readonly Parser[] = [
  flag('gates', ['latency:2%,memory:5%,accuracy:0.3pt', 'p90:1.5%,file:3%'], (text) =>
    finite(parseGates(text)),
  ),
  flag('target', ['latency=6x,memory=-76%,accuracy-loss=0.5pt', 'latency=30ms,memory=200MiB'], (text) =>
    finite(parseTarget(text)),
  ),
  flag(
    'limits',
    ['30ms@p90', '0.5s', '200MiB', '1.5GB', '80.5%', '50/s', '200mJ', '0.3EUR', 'USD=0.86EUR'],
    (text) => {
      const parsers = [parseLatency, parseMemory, parseAccuracy, parseThroughput, parseEnergy];
      for (const parse of [...parsers, parseEnergyPrice, parseExchangeRate])
        try {
          finite(parse(text));
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
        }
    },
  ),
  flag('counts', ['1,8', '100', '7'], (text) => {
    for (const parse of [batchSizes, wholeNumber, seedOf])
      try {
        allocatable(parse(text));
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
      }
  }),
  flag('figures', ['2%', '0.3pt', '20', '36h', '90d'], (text) => {
    for (const parse of [shareOf, pointsOf, countOf, ageOf])
      try {
        finite(parse(text));
        if (parse === ageOf) new Date(Date.now() - ageOf(text)).toISOString();
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
      }
  }),
  flag('hub-name', ['owner/name@main', 'owner/name'], (text) => {
    const found = hubReference(text);
    if (found !== undefined && /\.\.|[\\\s\p{Cc}]/u.test(`${found.repository}${found.revision}`))
      throw new TypeError('accepted a name that leads elsewhere');
  }),
];
