import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type { Analysis } from '../../src/analysis/analysis.js';
import { htmlExporter } from '../../src/report/exporters/html.js';
import { mainTable } from '../../src/text/table.js';
import { useFolder } from '../support/folder.js';
import { describeInBrowser, useBrowser } from './support/browser.js';
import { figuresOf, storedExample } from '../analysis/support/stored.js';

const folder = useFolder();
const visit = useBrowser();

/** The example and its page, drawn once for all tests. */
let drawn: { readonly analysis: Analysis; readonly text: string } | undefined;

/** The example and its page in a file of the test's own. */
async function written(): Promise<{ analysis: Analysis; file: string }> {
  if (drawn === undefined) {
    const { analysis } = await storedExample(folder('results.sqlite'));
    drawn = { analysis, text: await htmlExporter.render(analysis) };
  }
  await writeFile(folder('report.html'), drawn.text);
  return { analysis: drawn.analysis, file: folder('report.html') };
}

/** Texts of elements, on one line each. */
const textsOf = (selector: string): string =>
  `[...document.querySelectorAll('${selector}')].map((each) => each.textContent.replace(/\\s+/g, ' ').trim())`;

describeInBrowser('the page', () => {
  it('asks for nothing but itself, and neither the browser nor its own policy complains', async () => {
    const { file } = await written();
    const { requests, complaints } = await visit(file);
    expect(requests).toEqual([pathToFileURL(file).href]);
    expect(complaints).toEqual([]);
  });

  it('forbids itself everything that it does not need', async () => {
    const { file } = await written();
    const { ask, complaints } = await visit(file);
    await ask(`(() => {
      const script = document.createElement('script');
      script.textContent = 'window.hacked = 1';
      const image = document.createElement('img');
      image.src = 'http://127.0.0.1:9/a.png';
      document.body.append(script, image);
      document.body.insertAdjacentHTML('beforeend', '<b onclick="window.hacked = 1" id="bait">bait</b>');
      document.getElementById('bait').click();
      return fetch('http://127.0.0.1:9/').catch(() => 0);
    })()`);
    expect(await ask(`window.hacked`)).toBeUndefined();
    const broken = complaints.flatMap((each) => /^policy: (.*)/.exec(each)?.[1] ?? []).sort();
    expect(broken).toEqual(['connect-src', 'img-src', 'script-src-attr', 'script-src-elem']);
  });

  it('draws every chart, with marks, in the place of its picture', async () => {
    const { analysis, file } = await written();
    const { ask } = await visit(file);
    const drawn = await ask<{ id: string; marks: number; width: number }[]>(
      `[...document.querySelectorAll('#charts figure')].map((figure) => ({
        id: figure.id,
        marks: figure.querySelectorAll('svg [role=graphics-symbol]').length,
        width: figure.querySelector('svg')?.getBoundingClientRect().width ?? 0,
      }))`,
    );
    expect(drawn).toHaveLength(8);
    for (const { id, marks, width } of drawn) {
      expect(width, id).toBeGreaterThan(100);
      expect(marks, id).toBeGreaterThan(3);
    }
    const points = await ask<string[]>(
      `[...document.querySelectorAll('#accuracy-latency [aria-roledescription=point]')].map((each) => each.ariaLabel)`,
    );
    for (const recipe of ['fp32', 'int8', 'pruned'])
      expect(points.filter((label) => label.includes(`variant: vit-drawn · ${recipe};`))).toHaveLength(
        figuresOf(analysis, recipe).latencies.length,
      );
  });

  it('shows the main table and its notes as the other formats do', async () => {
    const { analysis, file } = await written();
    const { ask } = await visit(file);
    const { columns, rows, notes, states } = mainTable(analysis);
    expect(await ask(textsOf('.main-table thead th'))).toEqual(columns.map(({ title }) => title));
    // Rows can be sorted and filtered, so that each has its name.
    expect(await ask(textsOf('.main-table tbody > tr > *'))).toEqual(
      rows.flatMap((row, index) =>
        columns.map(({ key }) => (key === 'variant' ? states[index]!.name : (row[key] ?? ''))),
      ),
    );
    expect(await ask(textsOf('.notes li'))).toEqual(notes);
  });

  it('warns of what failed with its reason, of what was not steady and of what is missing', async () => {
    const { ask } = await visit((await written()).file);
    expect(await ask(textsOf('.banner summary'))).toEqual([
      '✗ 1 cell failed · ⚑ 1 of 8 latencies in doubt · 1 cell not measured yet',
    ]);
    expect(await ask(textsOf('.banner li'))).toEqual([
      'vit-drawn · pruned, performance, batch 8: ' +
        'the agent was killed (SIGKILL) out of memory, "perhaps"; see the log',
      '‡ vit-drawn · int8, batch 1: 1 of 5 rounds never reached a steady state',
      '1 cell of this run is not measured yet.',
    ]);
    expect(await ask(textsOf('tr.failed'))).toEqual(['vit-drawn · pruned8✗ performance failed']);
    expect(await ask(textsOf('tr.pending'))).toEqual(['vit-large · int88not measured yet']);
  });

  it('never says an accuracy of synthetic weights', async () => {
    const { ask } = await visit((await written()).file);
    const findings = await ask<string[]>(textsOf('.findings li'));
    expect(findings).toHaveLength(3);
    expect(findings[0]).toMatch(/^vit-drawn · int8: .*top-1/);
    expect(findings[2]).toMatch(/^vit-large · int8: .*same class as fp32 for/);
    expect(findings[2]).not.toMatch(/top-1|McNemar/);
    expect(await ask(textsOf('h1'))).toEqual([
      'drawings: 5 variants of vit-drawn, vit-large (synthetic weights)',
    ]);
  });

  it('has links that lead somewhere, and every place once', async () => {
    const { ask } = await visit((await written()).file);
    expect(
      await ask(
        `[...document.querySelectorAll('nav a')].filter((a) => !document.querySelector(a.hash)).length`,
      ),
    ).toBe(0);
    const ids = await ask<string[]>(
      `[...document.querySelectorAll('[id]')].filter((each) => !each.closest('svg')).map(({ id }) => id)`,
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describeInBrowser('the page without JavaScript', () => {
  it('shows its charts as pictures and all figures', async () => {
    const { analysis, file } = await written();
    const { ask, complaints } = await visit(file, { javaScript: false });
    const pictures = await ask<[string, number][]>(
      `Promise.all([...document.querySelectorAll('figure img')].map(async (image) => {
        await image.decode();
        return [image.alt, image.naturalWidth];
      }))`,
    );
    expect(pictures).toHaveLength(8);
    for (const [alt, width] of pictures) {
      expect(alt).not.toBe('');
      expect(width, alt).toBeGreaterThan(100);
    }
    const { rows, columns } = mainTable(analysis);
    expect(await ask(textsOf('.main-table tbody > tr > *'))).toHaveLength(rows.length * columns.length);
    expect(complaints).toEqual([]);
  });
});

describeInBrowser('the page on other media', () => {
  const phone = { width: 400, height: 800, isMobile: true, hasTouch: true };
  const sizes = `[document.documentElement.scrollWidth, innerWidth]`;

  it('fits a phone: what is wider scrolls by itself, also with everything unfolded', async () => {
    const { file } = await written();
    for (const javaScript of [true, false]) {
      const { ask } = await visit(file, { viewport: phone, javaScript });
      await ask(`document.querySelectorAll('details').forEach((each) => (each.open = true))`);
      expect(await ask(sizes)).toEqual([400, 400]);
      const table = await ask<number[]>(
        `(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.scroll'))`,
      );
      // With code, the columns that fit are shown.
      if (javaScript) expect(table[0]).toBe(table[1]);
      else expect(table[0]).toBeGreaterThan(table[1]!);
    }
  });

  it('fits a phone with names that have no end', async () => {
    const { analysis } = await storedExample(folder('long.sqlite'), {
      dress: (text) => text + 'x'.repeat(150),
    });
    await writeFile(folder('long.html'), await htmlExporter.render(analysis));
    const { ask } = await visit(folder('long.html'), { viewport: phone });
    await ask(`document.querySelectorAll('details').forEach((each) => (each.open = true))`);
    expect(await ask(sizes)).toEqual([400, 400]);
  });

  it('breaks no word in the head of the table, on paper and on screens of any size', async () => {
    const { file } = await written();
    for (const viewport of [{ width: 1400, height: 900 }, phone]) {
      const { page, ask } = await visit(file, { viewport });
      for (const medium of ['screen', 'print']) {
        await page.emulateMediaType(medium);
        const broken = `[...document.querySelectorAll('.main-table th')].flatMap((head) =>
          [...head.textContent.matchAll(/[^\\s-]+/g)].filter(({ 0: word, index }) => {
            const range = document.createRange();
            const text = document.createTreeWalker(head, NodeFilter.SHOW_TEXT).nextNode();
            range.setStart(text, index);
            range.setEnd(text, index + word.length);
            return range.getClientRects().length > 1;
          }).map(([word]) => word))`;
        expect(await ask(broken), medium).toEqual([]);
      }
    }
  });

  it('keeps the names of the variants in sight while the table scrolls', async () => {
    const { ask } = await visit((await written()).file, { viewport: phone, javaScript: false });
    const left = `document.querySelector('.main-table tbody th').getBoundingClientRect().left`;
    const before = await ask(left);
    await ask(`document.querySelector('.scroll').scrollLeft = 300`);
    expect(await ask(left)).toBe(before);
  });

  it('is printed without what can only be clicked, and nothing is cut off', async () => {
    // What the margins leave of A4 on its side.
    const paper = { width: 1032, height: 703 };
    const { page, ask } = await visit((await written()).file, { viewport: paper });
    await page.emulateMediaType('print');
    expect(await ask(`getComputedStyle(document.querySelector('nav')).display`)).toBe('none');
    const wide = await ask<string[]>(
      `[...document.querySelectorAll('.main-table, figure svg.marks')]
        .filter((each) => each.getBoundingClientRect().right > ${paper.width})
        .map((each) => each.closest('[id]').id)`,
    );
    expect(wide).toEqual([]);
  });

  it('is dark where the reader prefers that, and light on paper', async () => {
    const { page, ask } = await visit((await written()).file);
    const colours = (selector: string): Promise<readonly string[]> =>
      ask(
        `(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.querySelector('${selector}')))`,
      );
    expect(await colours('body')).toEqual(['rgb(34, 34, 34)', 'rgb(255, 255, 255)']);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    expect(await colours('body')).toEqual(['rgb(230, 230, 230)', 'rgb(22, 25, 29)']);
    expect((await colours('figure .picture'))[1]).toBe('rgb(25, 25, 25)');
    await page.emulateMediaType('print');
    expect(await colours('body')).toEqual(['rgb(34, 34, 34)', 'rgb(255, 255, 255)']);
  });
});
