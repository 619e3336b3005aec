import { writeFile } from 'node:fs/promises';
import axe from 'axe-core';
import { expect, it } from 'vitest';
import { analyse, type Analysis } from '../../src/analysis/analysis.js';
import { htmlExporter } from '../../src/report/exporters/html.js';
import { writeHistory } from '../../src/report/history/write.js';
import { variantPages } from '../../src/report/picture/write.js';
import { writeProcurement } from '../../src/report/procure/write.js';
import { openStore } from '../../src/store/open.js';
import { fullFactorial } from '../../src/suite/matrix/combinations.js';
import { storeAblation, switches } from '../analysis/ablation/support.js';
import { catalogueOf, euros, offer, procured } from '../analysis/procure/support.js';
import { historyOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { storedExample } from '../analysis/support/stored.js';
import { useFolder } from '../support/folder.js';
import { describeInBrowser, useBrowser, type Visit } from './support/browser.js';

const folder = useFolder();
const visit = useBrowser();

const phone = { width: 390, height: 844, isMobile: true, hasTouch: true };
const desk = { width: 1280, height: 800 };

async function report(analysis: Analysis): Promise<string> {
  await writeFile(folder('report.html'), await htmlExporter.render(analysis));
  return folder('report.html');
}

async function ablation(): Promise<Analysis> {
  const db = await openStore(folder('ablation.db'));
  try {
    const design = switches(['prune', 'int8'], 'full-factorial', fullFactorial([2, 2]));
    return analyse(
      await storeAblation(db, design, 3, (_, [prune = 0, int8 = 0]) => ({
        milliseconds: () => 20 * 0.5 ** int8 * (4 / 3) ** (prune * int8),
        mebibytes: 30 - 10 * int8,
        fileBytes: 2 ** (22 - 2 * int8),
        right: Array.from({ length: 100 }, (_, image) => image < 90 - 3 * prune),
      })),
    );
  } finally {
    await db.destroy();
  }
}

async function procurement(): Promise<string> {
  const bought = procured(
    await storedExample(folder('buy.db'), {
      devices: ['laptop', 'board', 'twin', 'tower'],
      slowness: [1, 2, 2, 0.5],
      smooth: true,
    }),
    // Two that nobody can tell apart, and runners-up.
    catalogueOf(
      offer('laptop', euros(900)),
      offer('board', euros(85)),
      offer('twin', euros(85)),
      offer('tower', euros(1200)),
    ),
    { constraints: { latency: { milliseconds: 300, quantile: 0.5 } } },
  );
  return (await writeProcurement(bought, folder('buy')))[0]!;
}

async function followed(): Promise<string> {
  const db = await openStore(folder('history.db'));
  try {
    await storeHistory(
      db,
      5,
      0.01,
      runsOf(16, (index) => ({ milliseconds: index < 8 ? 10 : 12 })),
    );
    return await writeHistory(await historyOf(db), folder('reports'));
  } finally {
    await db.destroy();
  }
}

/** The page of a variant whose images and model are no longer there. */
async function variant(): Promise<string> {
  const { analysis } = await storedExample(folder('variant.sqlite'));
  const pages = await variantPages(analysis, folder('none'));
  await writeFile(
    folder('variant.html'),
    pages.find(({ path }) => path === 'models/vit-drawn-int8.html')!.text,
  );
  return folder('variant.html');
}

/** What axe-core finds wrong, light and dark, with everything unfolded. */
async function faults({ page, ask }: Visit): Promise<unknown> {
  await ask(`document.querySelectorAll('details').forEach((each) => (each.open = true))`);
  await page.evaluate(axe.source);
  const found = [];
  for (const value of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    found.push(
      await ask(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]))`),
    );
  }
  return found;
}

describeInBrowser('pages', () => {
  it('of a run have no fault that axe finds, fit a desk and a phone, and print on six sheets', async () => {
    const { analysis } = await storedExample(folder('results.sqlite'), { devices: ['laptop', 'board'] });
    const file = await report(analysis);
    for (const viewport of [desk, phone]) {
      const seen = await visit(file, { viewport });
      const { ask, page, complaints } = seen;
      expect(await ask('document.documentElement.scrollWidth')).toBe(viewport.width);
      if (viewport === desk) {
        expect(
          await ask(
            `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.framed'))`,
          ),
        ).toBe(0);
        const pdf = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString('latin1');
        expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeLessThanOrEqual(6);
      }
      expect(await faults(seen)).toEqual([[], []]);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it('of a run are sorted, filtered and looked at by the keyboard', async () => {
    const { analysis } = await storedExample(folder('results.sqlite'));
    const { ask, page } = await visit(await report(analysis), { viewport: desk });
    const column = (key: string): Promise<string[]> =>
      ask(`[...document.querySelectorAll('.main-table tbody tr:not([hidden])')].map(
        (row) => row.cells[document.querySelector('th[data-key=${key}]').cellIndex].textContent)`);
    const before = await column('variant');
    await page.focus('th[data-key=latency] button');
    await page.keyboard.press('Enter');
    const up = (await column('latency')).map(parseFloat).filter((each) => !Number.isNaN(each));
    expect(up).toEqual([...up].sort((a, b) => a - b));
    expect(await ask(`document.querySelector('th[data-key=latency]').ariaSort`)).toBe('ascending');
    await page.keyboard.press('Enter');
    const down = (await column('latency')).map(parseFloat).filter((each) => !Number.isNaN(each));
    expect(down).toEqual([...up].reverse());
    await page.keyboard.press('Enter');
    expect(await column('variant')).toEqual(before);

    await page.type('.tools input[type=search]', 'int8 smaller');
    expect(await column('variant')).toEqual(before.filter((name) => name.includes('int8')).slice(0, 3));
    await ask(`document.querySelector('.tools input[type=search]').value = ''`);

    await ask(`document.querySelector('.choice').open = true`);
    const shown = `getComputedStyle(document.querySelector('th[data-key=latency]')).display`;
    await page.click('input[value=latency]');
    expect(await ask(shown)).toBe('none');
    await page.click('button[value=all]');
    expect(await ask(shown)).toBe('table-cell');

    await page.focus('tr[data-series="vit-drawn · int8"] th button');
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      `[...document.querySelectorAll('#accuracy-latency [aria-roledescription=point]')].some((each) => each.getAttribute('opacity') === '0.1')`,
    );
    const faint = await ask<string[]>(
      `[...document.querySelectorAll('#accuracy-latency [aria-roledescription=point]')]
        .filter((each) => each.getAttribute('opacity') === '0.1').map((each) => each.ariaLabel)`,
    );
    expect(faint.length).toBeGreaterThan(0);
    for (const label of faint) expect(label).not.toContain('variant: vit-drawn · int8;');
  });

  it.each([
    ['an ablation', async () => report(await ablation())],
    ['a procurement', procurement],
    ['a variant', variant],
    ['a history', followed],
  ])('of %s have no fault that axe finds', async (_, written) => {
    expect(await faults(await visit(await written(), { viewport: phone }))).toEqual([[], []]);
  });
});
