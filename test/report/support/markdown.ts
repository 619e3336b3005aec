/**
 * What a reader sees of escaped Markdown.
 *
 * @param text - without markup of its own
 */
export function unescaped(text: string): string {
  return text
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
