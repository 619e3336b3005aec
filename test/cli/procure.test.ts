import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import type { ProcurementDocument } from '../../src/report/procure/document.js';
import { openStore } from '../../src/store/open.js';
import { storeExample } from '../analysis/support/example.js';
import { useFolder } from '../support/folder.js';
import { edgeflex, type Outcome } from './support.js';

const folder = useFolder();

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  await storeExample(db, { devices: ['laptop', 'board'], smooth: true });
  await db.destroy();
  await mkdir(folder('devices'));
  await profile(
    'laptop',
    'price: { amount: 900, currency: EUR, date: 2026-11-01 }\npower: { idle: 6, load: 30 }\n',
  );
  await profile(
    'board',
    'price: { amount: 85, currency: EUR, date: 2026-11-01 }\npower: { idle: 3, load: 9 }\n',
  );
});

function profile(name: string, more: string): Promise<void> {
  return writeFile(folder('devices', `${name}.yaml`), `name: ${name}\nkind: local\n${more}`);
}

function procure(...words: readonly string[]): Promise<Outcome> {
  const places = ['--results', folder('results'), '--devices', folder('devices')];
  return edgeflex(['procure', ...words, ...places], {});
}

async function asked(...words: readonly string[]): Promise<ProcurementDocument> {
  const { out, err } = await procure(...words, '--json');
  expect(err).toBe('');
  return JSON.parse(out) as ProcurementDocument;
}

const owned = ['--years', '3', '--energy-price', '0.32EUR'];

describe('edgeflex procure', () => {
  it('reads prices when it is asked, whatever they were when the run was made', async () => {
    const bestOf = async (): Promise<string> => {
      const { decision, candidates } = await asked(...owned, '--requests', '100000000', '--peak', '3');
      if (decision.kind !== 'buy') throw new Error(decision.kind);
      return candidates[decision.best[0]!]!.device;
    };
    expect(await bestOf()).toBe('board');
    await profile('board', 'price: { amount: 9000, currency: EUR }\npower: { idle: 3, load: 9 }\n');
    expect(await bestOf()).toBe('laptop');
  });

  it('says the answer first, and writes what a decision needs', async () => {
    const { code, out } = await procure('--max-latency', '1s', '-o', folder('buy'));
    expect(code).toBe(exitCodes.fine);
    expect(out.split('\n')[0]).toMatch(/^Buy .*board/);
    expect(out).toContain(folder('buy', 'procurement.html'));
    expect(await readFile(folder('buy', 'procurement.csv'), 'utf8')).toContain('laptop');
  });

  it('ends with 1 and names the nearest where nothing qualifies', async () => {
    const { code, out } = await procure('--min-accuracy', '99.99%', '--max-latency', '1s');
    expect(code).toBe(exitCodes.gate);
    for (const part of ['Nothing qualifies', 'top-1 accuracy', 'at least 100.0 %'])
      expect(out).toContain(part);
    const { decision } = await asked('--max-latency', '0.001ms');
    expect(decision).toMatchObject({ kind: 'nothing qualifies', nearest: { lacks: ['latency'] } });
  });

  it('says which profile cannot be read, and goes on with the others', async () => {
    await profile('laptop', 'prize: { amount: 900, currency: EUR }\n');
    const found = await asked();
    expect(found.unreadable).toEqual([
      { path: folder('devices', 'laptop.yaml'), fault: expect.stringContaining('prize') as string },
    ]);
    for (const { device, cost } of found.candidates) expect(cost === undefined).toBe(device === 'laptop');
  });

  it.each([
    [['--requests', '5'], ['--years']],
    [
      ['--years', '3', '--requests', '5'],
      ['--energy-price', '0.32EUR'],
    ],
    [owned, ['--requests', '--utilisation']],
    [
      [...owned, '--requests', '5', '--utilisation', '50%'],
      ['--requests', '--utilisation'],
    ],
    [[...owned, '--utilisation', '50%', '--peak', '2'], ['--peak']],
    [
      ['--years', '3', '--energy-price', '0.32', '--requests', '5'],
      ['--energy-price', '0.32EUR'],
    ],
    [
      ['--years', '3', '--energy-price', '1CHF', '--requests', '5'],
      ['CHF', 'EUR', '--exchange'],
    ],
    [
      [...owned, '--requests', '5', '--peak', '0.5'],
      ['peak', '0.5', '1'],
    ],
    [
      ['--max-latency', '30'],
      ['--max-latency', '30ms@p90'],
    ],
    [
      ['--suite', 'drawing'],
      ['drawing', '"drawings"'],
    ],
  ])('refuses %j, and names what it lacks', async (words, names) => {
    const { code, out, err } = await procure(...words);
    for (const name of names) expect(err).toContain(name);
    expect([code, out]).toEqual([exitCodes.usage, '']);
  });
});

describe('edgeflex devices compare', () => {
  const compare = (...words: readonly string[]): Promise<Outcome> =>
    edgeflex(
      ['devices', 'compare', ...words, '--results', folder('results'), '--devices', folder('devices')],
      {},
    );

  it('sets the variants of two devices side by side', async () => {
    const { code, out } = await compare('laptop', 'board');
    expect(code).toBe(exitCodes.fine);
    for (const part of ['fp32', 'int8', 'pruned', 'laptop', 'EUR per image/s', '100.00'])
      expect(out).toContain(part);
    const { out: json } = await compare('laptop', 'board', '--json');
    const { figures } = JSON.parse(json) as {
      figures: { speed: { value: number }; cost: { value: number } }[];
    };
    expect(figures).toHaveLength(6);
    for (const { speed, cost } of figures) {
      expect(speed.value).toBeCloseTo(0.5, 1);
      // 85 / 900 of the price for half of the speed.
      expect(cost.value).toBeCloseTo((2 * 85) / 900, 1);
    }
  });

  it('refuses a device that nobody measured, with the nearest name', async () => {
    const { code, err } = await compare('laptop', 'bord');
    expect([code, err]).toEqual([exitCodes.usage, expect.stringContaining('"board"')]);
    expect((await compare('board', 'board')).code).toBe(exitCodes.usage);
  });
});
