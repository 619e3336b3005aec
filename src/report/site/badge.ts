import { escapeHtml } from '../html/markup.js';

/** What a badge says by its colour. */
export type BadgeState = 'good' | 'bad' | 'plain';

/** White text on them has a contrast of 4.5 and more. */
const colours: Readonly<Record<BadgeState, string>> = { good: '#2c7a4b', bad: '#b3261e', plain: '#0b5394' };

const SIZE = 11;
const HEIGHT = 20;
const PADDING = 7;

/**
 * A badge as an SVG document that needs no font but those of every system: the texts are fitted to their boxes.
 *
 * @param label - what it is about
 * @param value - what is to be said of it
 * @param state - gives the colour
 */
export function badge(label: string, value: string, state: BadgeState): string {
  const [left, right] = [boxOf(label), boxOf(value)];
  const width = left.width + right.width;
  const text = (box: typeof left, from: number): string =>
    `<text x="${from + box.width / 2}" y="14" textLength="${box.width - 2 * PADDING}" lengthAdjust="spacingAndGlyphs">${escapeHtml(box.text)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" role="img" aria-label="${escapeHtml(`${left.text}: ${right.text}`)}">`,
    `<title>${escapeHtml(`${left.text}: ${right.text}`)}</title>`,
    `<clipPath id="round"><rect width="${width}" height="${HEIGHT}" rx="3"/></clipPath>`,
    `<g clip-path="url(#round)"><rect width="${left.width}" height="${HEIGHT}" fill="#444a52"/>`,
    `<rect x="${left.width}" width="${right.width}" height="${HEIGHT}" fill="${colours[state]}"/></g>`,
    `<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="${SIZE}">`,
    `${text(left, 0)}${text(right, left.width)}</g></svg>\n`,
  ].join('');
}

/** How wide a text is in such a font, about: narrow signs take half of what others do. */
function boxOf(given: string): { readonly text: string; readonly width: number } {
  // XML has no way to write other characters.
  const text = given.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ');
  const units = Array.from(text).reduce(
    (sum, sign) => sum + (/[ .,:;|!'ijltfrI()·]/.test(sign) ? 0.42 : 0.66),
    0,
  );
  return { text, width: Math.round(units * SIZE) + 2 * PADDING };
}
