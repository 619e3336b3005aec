/** Text that is HTML already. Everything else is escaped where it is put into HTML, so that data cannot become markup. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What can be put into HTML: markup as it is, texts and numbers escaped, nothing as nothing, lists one after the other. */
export type Content = Markup | string | number | undefined | readonly Content[];

/**
 * HTML with values put in, escaped unless they are markup. In attributes only between double quotes.
 *
 * @example html`<td class="${name}">${text}</td>`
 */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(strings.map((text, index) => text + textOf(values[index])).join(''));
}

/**
 * A text as HTML shows it, also between the quotes of an attribute.
 *
 * @param text - any
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * A value as JSON that can stand in a script element: it has no `<` that could end it.
 *
 * @param value - what JSON can express
 */
export function embeddedJson(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'));
}

/**
 * An element whose content is code: exactly as it is, because a policy names it by its hash.
 *
 * @param tag - with the attributes it needs
 * @param code - trusted, and without the end of the element in it
 */
export function codeElement(tag: 'script' | 'style', code: string): Markup {
  return new Markup(`<${tag}>${code}</${tag}>`);
}

/**
 * A text whose figures stay on the line of their units.
 *
 * @param text - a sentence, or a title
 */
export function unbroken(text: string): string {
  return text
    .replace(/(?<=\d) (?=%|[KMG]iB|ms|dB|s\b|M\b)/g, '\u00a0')
    .replace(/\bp ([<=]) (?=\d)/g, 'p\u00a0$1\u00a0');
}

function textOf(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(textOf).join('');
  return escapeHtml(String(content));
}
