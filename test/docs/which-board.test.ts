import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../src/base/paths.js';
import { openStore } from '../../src/store/open.js';
import { storeExample } from '../analysis/support/example.js';
import { edgeflex } from '../cli/support.js';
import { wordsOf } from '../cli/parsed.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

/** Every call of the command in a page's code, as words. */
function callsIn(text: string): string[][] {
  const blocks = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].map(([, code]) => code!.replace(/\\\n/g, ' '));
  return blocks.flatMap((code) =>
    [...code.matchAll(/npx edgeflex ([^\n#]*)/g)].map(([, line]) => wordsOf(line!.trim())),
  );
}

describe('which board to buy', () => {
  const page = readFileSync(join(packageRoot(), 'docs', 'tutorials', 'which-board.md'), 'utf8');

  it('gives an answer to each of its questions, from stored runs and its own profile', async () => {
    const db = await openStore(folder('results', 'edgeflex.db'));
    await storeExample(db, { devices: ['local-cpu', 'raspberry-pi-5'], smooth: true });
    await db.destroy();
    await mkdir(folder('devices'));
    const yaml = /^```yaml\n(.*?)^```/ms.exec(page)![1]!;
    await writeFile(folder('devices', 'raspberry-pi-5.yaml'), yaml);
    const { price } = parse(yaml) as { price: { amount: number } };
    const places = ['--results', folder('results'), '--devices', folder('devices')];
    const asked = callsIn(page).filter(([name, second]) => name === 'procure' || second === 'compare');
    expect(asked).toHaveLength(3);
    for (const words of asked) {
      const own = words.map((word) => (word === 'buy/' ? folder('buy') : word)).concat(places);
      const { code, out, err } = await edgeflex(own, {});
      expect([err, code]).toEqual(['', 0]);
      expect(out).toContain('raspberry-pi-5');
    }
    expect((await readdir(folder('buy'))).sort()).toEqual(
      [
        '.edgeflex-output.json',
        'charts',
        ...['csv', 'html', 'json', 'md'].map((end) => `procurement.${end}`),
      ].sort(),
    );
    const written = await readFile(folder('buy', 'procurement.md'), 'utf8');
    expect(written).toContain(`${price.amount} EUR`);
    expect(written).toMatch(/\*\*Buy .*raspberry-pi-5/);
  });
});
