import { writeFile } from 'node:fs/promises';
import type { Visit } from './browser.js';

/** A mark that a picture draws, as it is read out to those who cannot see it. */
export interface Mark {
  /** `point`, `bar`, `line mark`, … */
  readonly kind: string;
  /** Its values by the names they are shown under. */
  readonly values: Readonly<Record<string, string>>;
  /** Whether it has an outline at all. */
  readonly drawn: boolean;
}

/** A picture, as an XML parser sees it. */
export interface Picture {
  /** What breaks the rules of XML; nothing if it is well-formed. */
  readonly error: string;
  readonly root: string;
  readonly texts: readonly string[];
  readonly marks: readonly Mark[];
  /** Elements and attributes that could run code or fetch something. */
  readonly strays: readonly string[];
}

/** Runs in the browser: what there is to know of a picture. */
const inspect = `(svg) => {
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
  const all = [...document.querySelectorAll('*')];
  const marks = all.filter((each) => each.getAttribute('role') === 'graphics-symbol');
  return {
    error: document.querySelector('parsererror')?.textContent ?? '',
    root: document.documentElement.localName,
    texts: all.filter((each) => each.localName === 'text').map((each) => each.textContent),
    marks: marks.map((each) => ({
      kind: each.getAttribute('aria-roledescription'),
      label: each.getAttribute('aria-label') ?? '',
      drawn: (each.getAttribute('d') ?? each.textContent) !== '',
    })),
    strays: all.flatMap((each) => [
      ...(['svg', 'g', 'path', 'text', 'rect', 'line', 'defs', 'clipPath', 'linearGradient', 'stop', 'title']
        .includes(each.localName) ? [] : [each.localName]),
      ...[...each.attributes].map(({ name }) => name).filter((name) => /^on|href$/.test(name)),
    ]),
  };
}`;

/**
 * Parses pictures with the XML parser of a browser.
 *
 * @param visit - opens a page
 * @param blank - where an empty page can be put
 * @param pictures - SVG documents by name
 */
export async function parsedSvg(
  visit: (file: string) => Promise<Visit>,
  blank: string,
  pictures: ReadonlyMap<string, string>,
): Promise<Map<string, Picture>> {
  await writeFile(blank, '<!doctype html><title>blank</title>');
  const { page, ask } = await visit(blank);
  const parsed = new Map<string, Picture>();
  for (const [name, svg] of pictures) {
    const { marks, ...rest } = await ask<
      Omit<Picture, 'marks'> & { marks: { kind: string; label: string; drawn: boolean }[] }
    >(`(${inspect})(${JSON.stringify(svg)})`);
    const read = marks.map(({ label, ...mark }) => ({ ...mark, values: valuesOf(label) }));
    parsed.set(name, { ...rest, marks: read });
  }
  await page.close();
  return parsed;
}

function valuesOf(label: string): Record<string, string> {
  return Object.fromEntries(
    label.split('; ').map((entry) => {
      const colon = entry.lastIndexOf(': ');
      return [entry.slice(0, colon), entry.slice(colon + 2)];
    }),
  );
}
