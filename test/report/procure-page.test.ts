import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { decisionOf } from '../../src/analysis/procure/decision.js';
import type { Procurement } from '../../src/analysis/procure/procurement.js';
import { procurementCharts } from '../../src/report/procure/charts.js';
import type { ProcurementDocument } from '../../src/report/procure/document.js';
import { writeProcurement } from '../../src/report/procure/write.js';
import { headline } from '../../src/text/procure/words.js';
import { procurementTable } from '../../src/text/procure/table.js';
import { catalogueOf, euros, offer, procured, twoDevices } from '../analysis/procure/support.js';
import { useFolder } from '../support/folder.js';
import { describeInBrowser, useBrowser } from './support/browser.js';

const folder = useFolder();
const visit = useBrowser();

const terms: Procurement['terms'] = {
  ...{ years: 3, energyPrice: { amount: 0.32, currency: 'EUR' } },
  use: { kind: 'load', requestsPerDay: 40_000_000, peak: 4, headroom: 0.3 },
};

/** A procurement with everything that a page may show, and names that are markup. */
async function full(
  changes: Parameters<typeof procured>[2] = {},
  database = 'results.db',
): Promise<Procurement> {
  const stored = await twoDevices(folder(database));
  const catalogue = {
    offers: [
      offer('laptop', { ...euros(900), board: 'A <b>laptop</b>', power: { idle: 6, load: 30 }, count: 500 }),
      offer('board', { ...euros(85), board: 'Board 5, 8 GiB', power: { idle: undefined, load: 9 } }),
      ...Array.from({ length: 12 }, (_, index) => offer(`never-seen-${index}`)),
    ],
    unreadable: [{ path: 'devices/broken.yaml', fault: 'devices/broken.yaml: found <i>nothing</i>' }],
  };
  return procured(stored, catalogue, {
    constraints: { latency: { milliseconds: 30, quantile: 0.5 }, accuracy: 0.5 },
    ...{ terms, ...changes },
  });
}

describe('a written procurement', () => {
  it('says the same in Markdown, CSV, JSON and the page', async () => {
    const procurement = await full();
    const files = await writeProcurement(procurement, folder('buy'));
    expect(files[0]).toBe(join(folder('buy'), 'procurement.html'));
    const decision = decisionOf(procurement);
    if (decision.kind !== 'buy') throw new Error(decision.kind);
    const document = JSON.parse(
      await readFile(folder('buy', 'procurement.json'), 'utf8'),
    ) as ProcurementDocument;
    expect(document).toMatchObject({ schemaVersion: 1, currency: 'EUR' });
    if (document.decision.kind !== 'buy') throw new Error(document.decision.kind);
    expect(document.decision.best.map((index) => document.candidates[index]!.variant)).toEqual(
      decision.best.map(({ variant }) => variant),
    );
    const rows: Record<string, string>[] = parse(await readFile(folder('buy', 'procurement.csv'), 'utf8'), {
      columns: true,
    });
    expect(rows).toHaveLength(procurement.candidates.length);
    for (const [index, row] of rows.entries()) {
      const { cost, byCost, ownership } = procurement.candidates[index]!;
      expect(Number(row['cost_per_million_images'])).toBe(cost!.value);
      expect(Number(row['fleet_high_devices'])).toBe(ownership!.fleet.high);
      expect(row['tie']).toBe(String(byCost?.tie ?? ''));
    }
    const markdown = await readFile(folder('buy', 'procurement.md'), 'utf8');
    for (const each of decision.best) expect(markdown).toContain(each.variant);
    expect(markdown).not.toMatch(/<[bi]>/);
    for (const id of ['cost-latency', 'cost-accuracy'])
      expect(await readFile(folder('buy', 'charts', `${id}.svg`), 'utf8')).toContain('<svg');
    // A second one takes its place.
    await writeProcurement(procurement, folder('buy'));
  });

  it('draws every candidate whose cost is known, and nothing where none is', async () => {
    const procurement = await full();
    for (const { spec } of procurementCharts(procurement, decisionOf(procurement)))
      for (const { variant, deviceLabel } of procurement.candidates)
        expect(JSON.stringify(spec)).toContain(`${variant} on ${deviceLabel}`);
    const unpriced = procured(await twoDevices(folder('b.db')), catalogueOf());
    expect(procurementCharts(unpriced, decisionOf(unpriced))).toEqual([]);
    expect(headline(decisionOf(unpriced), unpriced)).toContain('cost not known');
  });

  it('names every figure that it rests on and does not have', async () => {
    const notes = procurementTable(await full()).notes.join('\n');
    for (const part of ['never-seen-0', 'broken.yaml', 'no idle power', '40,000,000', '0.32 EUR', '3 years'])
      expect(notes).toContain(part);
    const none = await full({ constraints: { accuracy: 0.9999 } }, 'none.db');
    const answer = headline(decisionOf(none), none);
    expect(answer).toContain('Nothing qualifies');
    expect(answer).toContain('top-1 accuracy');
  });
});

describeInBrowser('the page for a decision maker', () => {
  it.each([
    ['a recommendation', {}],
    ['nothing that qualifies', { constraints: { accuracy: 0.9999 } }],
    ['neither limits nor a load', { constraints: {}, terms: undefined }],
  ])('with %s is read offline, fits a phone and prints on one sheet', async (_, changes) => {
    const procurement = await full(changes);
    const [file] = await writeProcurement(procurement, folder('buy'));
    const phone = { width: 390, height: 844 };
    const { page, requests, complaints, ask } = await visit(file!, { viewport: phone });
    expect(requests).toEqual([pathToFileURL(file!).href]);
    expect(complaints).toEqual([]);
    expect(await ask<number>('document.documentElement.scrollWidth')).toBe(phone.width);
    const text = await ask<string>('document.body.textContent');
    expect(text.replace(/\s+/g, ' ')).toContain(
      headline(decisionOf(procurement), procurement).slice(0, 20).replace(/\s+/g, ' '),
    );
    expect(await ask<number>(`document.querySelectorAll('b').length`)).toBe(0);
    const pdf = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    const [back, ink] = await ask<number[]>(
      `['backgroundColor', 'color'].map((each) => getComputedStyle(document.body)[each].match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0))`,
    );
    expect(back).toBeLessThan(ink! / 3);
  });
});
