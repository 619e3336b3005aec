import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/analysis/analysis.js';
import { htmlExporter } from '../../src/report/exporters/html.js';
import { embeddedJson, escapeHtml, html, unbroken } from '../../src/report/html/markup.js';
import { useFolder } from '../support/folder.js';
import { describeInBrowser, useBrowser } from './support/browser.js';
import { hostileDress, payloads } from './support/hostile.js';
import { storedExample } from '../analysis/support/stored.js';

const folder = useFolder();
const visit = useBrowser();

/** The example with hostile texts in every field, and its page. */
async function written(first: number): Promise<{ analysis: Analysis; file: string }> {
  const { analysis } = await storedExample(folder(`${first}.sqlite`), {
    // Ids are our own; what a database cannot give back as it was could not be one.
    ...{ id: payloads[first % 10]!, dress: hostileDress(first) },
  });
  const file = folder(`${first}.html`);
  await writeFile(file, await htmlExporter.render(analysis));
  return { analysis, file };
}

/** A text without what HTML cannot hold. */
function legible(text: string): string {
  return text.replace(/[\p{Cc}\ufffd]/gu, '');
}

/** Elements by name, and attributes that hold code, outside the drawn charts. */
const anatomy = `(() => {
  const all = [...document.querySelectorAll('*')].filter((each) => !each.closest('.chart'));
  const counts = {};
  for (const { localName } of all) counts[localName] = (counts[localName] ?? 0) + 1;
  return {
    counts,
    code: all.flatMap((each) => [...each.attributes].filter(({ name }) => name.startsWith('on'))).length,
    links: all.flatMap((each) => each.getAttribute('href') ?? []).filter((link) => !/^(#|report\\.)/.test(link)),
  };
})()`;

describeInBrowser('hostile names and reasons in the page', () => {
  it('become no markup and run no code: the page has the elements that it has with harmless ones', async () => {
    const { analysis } = await storedExample(folder('plain.sqlite'));
    await writeFile(folder('plain.html'), await htmlExporter.render(analysis));
    const plain = await (await visit(folder('plain.html'))).ask(anatomy);
    for (const first of [0, 3, 6, 10]) {
      const { file } = await written(first);
      const { page, ask, requests, complaints } = await visit(file);
      expect(await ask(anatomy), payloads[first]).toEqual(plain);
      expect(await ask('window.hacked'), payloads[first]).toBeUndefined();
      expect(requests).toEqual([pathToFileURL(file).href]);
      expect(complaints, payloads[first]).toEqual([]);
      await page.close();
    }
  });

  it('are shown as they are', async () => {
    for (const first of [0, 3]) {
      const { analysis, file } = await written(first);
      const { page, ask } = await visit(file);
      const shown = legible(await ask<string>('document.body.textContent'));
      const { row, data, devices, variants } = analysis.run;
      for (const word of [row.id, row.suite, row.command, data.name, devices[0]!.row.name])
        expect(shown).toContain(legible(word));
      for (const { model, recipe, description } of variants) {
        expect(shown).toContain(legible(`${model} · ${recipe}`));
        expect(shown).toContain(legible(description));
      }
      expect(await ask('document.title')).toBe(
        `EdgeFlex: ${row.suite}, run ${row.id}`.replace(/\s+/g, ' ').trim(),
      );
      await page.close();
    }
  });

  it('become no markup in what appears when a chart is pointed at', async () => {
    const { file } = await written(1);
    const { page, ask, complaints } = await visit(file);
    const marks = await page.$$('#accuracy-latency [aria-roledescription=point]');
    expect(marks.length).toBeGreaterThan(2);
    await marks[1]!.hover();
    await page.waitForSelector('#vg-tooltip-element.visible');
    expect(await ask('document.querySelector("#vg-tooltip-element").textContent')).toContain('int8');
    expect(
      await ask('document.querySelectorAll("#vg-tooltip-element :is(img, script, svg, b)").length'),
    ).toBe(0);
    expect(await ask('window.hacked')).toBeUndefined();
    expect(complaints).toEqual([]);
  });
});

describe('markup', () => {
  const hostile = payloads.join('\n');

  it('holds texts as texts, in elements and in attributes', () => {
    expect(html`<p title="${hostile}">${hostile}</p>`.text).not.toMatch(/<(?!p |\/p>)|(?<!^<p title=)"(?!>)/);
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe('&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;');
  });

  it('takes markup, numbers, nothing and lists of them', () => {
    expect(html`${[html`<b>1</b>`, 2, undefined, '<', [html`<i></i>`]]}`.text).toBe('<b>1</b>2&#60;<i></i>');
  });

  it('holds JSON that no script element ends at, and that says the same', () => {
    const { text } = embeddedJson({ hostile });
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual({ hostile });
  });

  it('keeps figures on the line of their units, and p on that of its value', () => {
    expect(unbroken('peak −12.3 %, 4.5 MiB in 2 ms (p < 0.001) of 20 mammals')).toBe(
      'peak −12.3\u00a0%, 4.5\u00a0MiB in 2\u00a0ms (p\u00a0<\u00a00.001) of 20 mammals',
    );
  });
});
