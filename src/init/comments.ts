/** Columns of a comment's text, about. */
export const COMMENT_WIDTH = 110;

/** Lines as comments of a YAML file. */
export function comments(lines: readonly string[]): string {
  return lines.map((line) => (line === '' ? '#\n' : `# ${line}\n`)).join('');
}

/** The first sentence of a description, as plain text. */
export function firstSentence(markdown: string): string {
  const plain = markdown.replaceAll('`', '');
  return /^.*?[.;](?= |$)/.exec(plain)?.[0].replace(/;$/, '.') ?? plain;
}
