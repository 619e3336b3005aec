import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { openStore } from '../../src/store/open.js';
import { endCell, endRun } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { storeCell } from '../support/rows.js';
import { edgeflex } from './support.js';

const folder = useFolder();
const root = packageRoot();

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  const cell = await storeCell(db, '20261001-a');
  await endCell(db, cell.id, 'done', null);
  await endRun(db, '20261001-a', '2026-10-01T10:00:00.000Z');
  await db.destroy();
});

/** Words after which nothing is left to show or to do, and what the message must name: what there is instead. */
const cases: readonly { readonly words: readonly string[]; readonly names: readonly string[] }[] = [
  { words: ['runs', 'prune', '--keep', '0', '--suite', 'tinny'], names: ['--suite', 'tinny', '"tiny"'] },
  { words: ['runs', 'prune', '--keep', '0', '--dry-run', '--suite', 'x'], names: ['--suite', 'tiny'] },
  { words: ['baseline', 'list', '--suite', 'tinny'], names: ['--suite', 'tinny', '"tiny"'] },
  { words: ['baseline', 'set', 'main', '--suite', 'tinny'], names: ['--suite', 'tinny', '"tiny"'] },
  { words: ['baseline', 'set', 'main', '20261001', '--suite', 'tinny'], names: ['--suite', '"tiny"'] },
  { words: ['baseline', 'rm', 'main', '--suite', 'tinny'], names: ['--suite', 'tinny', '"tiny"'] },
  { words: ['baseline', 'rm', 'main'], names: ['main', 'baseline list'] },
  { words: ['history', 'tinny'], names: ['tinny', '"tiny"'] },
  { words: ['report', '1999'], names: ['1999', 'edgeflex runs'] },
  { words: ['compare', '1999'], names: ['1999', 'edgeflex runs'] },
  { words: ['compare', '20261001', '1999'], names: ['1999', 'edgeflex runs'] },
  { words: ['procure', '1999'], names: ['1999', 'edgeflex runs'] },
  { words: ['procure', '--batch', '7'], names: ['--batch', '7'] },
  { words: ['run', join(root, 'suites', 'quickstrat.yaml')], names: ['quickstrat.yaml', 'quickstart.yaml"'] },
  {
    words: [
      'run',
      join(root, 'suites', 'quickstart.yaml'),
      '--device',
      join(root, 'devices', 'local-cpi.yaml'),
    ],
    names: ['local-cpi.yaml', 'local-cpu.yaml"'],
  },
  {
    words: ['run', join(root, 'suites', 'quickstart.yaml'), '--resume', '1999'],
    names: ['1999', 'edgeflex runs'],
  },
  {
    words: ['run', join(root, 'suites', 'quickstart.yaml'), '--images', '100000'],
    names: ['images', '100000', 'at most'],
  },
  {
    words: ['run', join(root, 'suites', 'quickstart.yaml'), '--model', 'vit-tinny'],
    names: ['vit-tinny', 'vit-tiny'],
  },
  { words: ['stages', 'prone'], names: ['prone', '"prune"'] },
];

describe('what matches nothing', () => {
  it.each(cases)('$words is refused by name, with what there is', async ({ words, names }) => {
    const { code, out, err } = await edgeflex(
      words[0] === 'stages' ? words : [...words, '--results', folder('results')],
      { EDGEFLEX_CACHE: folder('cache') },
    );
    for (const name of names) expect(err).toContain(name);
    expect([code, out]).toEqual([exitCodes.usage, '']);
  });

  it('is a folder without device profiles', async () => {
    await mkdir(folder('devices'));
    const { code, err } = await edgeflex(['devices', 'list', '--devices', folder('devices')], {});
    expect([code, err]).toEqual([exitCodes.usage, expect.stringContaining(folder('devices'))]);
  });
});
