/** What a comment may hold, in characters: 65,536 on GitHub, less what marks it. */
const MOST_CHARACTERS = 65_000;

/**
 * A comment of a pull request, short enough for its host: where it is too long its folded tables go, and then its end.
 *
 * @param markdown - the comment
 * @param links - what stands at its end: where the whole of it is
 * @param most - characters
 */
export function commentText(
  markdown: string,
  links: readonly { readonly name: string; readonly address: string }[],
  most = MOST_CHARACTERS,
): string {
  const foot = links.map(({ name, address }) => `[${name}](${address})`).join(' · ');
  const end = foot === '' ? '' : `\n<sub>${foot}</sub>\n`;
  const room = most - end.length;
  if (markdown.length <= room) return markdown + end;
  const unfolded = markdown.replaceAll(
    /<details>.*?<\/details>/gs,
    '*The tables are too long for a comment; the report has them.*',
  );
  if (unfolded.length <= room) return unfolded + end;
  const cut = '\n\n*… The comment is too long; the report has the rest.*\n';
  const kept = unfolded.slice(0, room - cut.length);
  // Half of a pair is no character, and half of a line may be anything.
  return kept.slice(0, Math.max(0, kept.lastIndexOf('\n'))) + cut + end;
}
