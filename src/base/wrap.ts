/**
 * A text in lines that are no longer than a width, broken between words; a word that is longer is broken within.
 *
 * @param text - what its own line ends part stays apart; spaces at the beginning of a line stay
 * @param width - in characters; `Infinity` breaks nothing
 * @param indent - what lines after the first begin with
 */
export function wrapped(text: string, width: number, indent = ''): string[] {
  return text.split('\n').flatMap((line) => wrappedLine(line, Math.max(width, indent.length + 1), indent));
}

function wrappedLine(text: string, width: number, indent: string): string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let empty = true;
  const end = (): void => {
    lines.push(line);
    line = indent;
    empty = true;
  };
  for (let word of text.trim().split(/ +/)) {
    if (!empty && line.length + 1 + word.length > width) end();
    while (line.length + word.length > width && (empty || line === indent)) {
      const room = Math.max(1, width - line.length);
      line += word.slice(0, room);
      word = word.slice(room);
      end();
    }
    if (word === '') continue;
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return empty ? lines : [...lines, line];
}

/** Names and texts share the width; a longer name has its text below it. */
const MOST_OF_WIDTH = 0.6;

/** A column of fewer characters than this is no column. */
const LEAST_BESIDE = 20;

/**
 * Names with a text each, in two columns: the text is wrapped beside its name, or stands below it where there is no room for that.
 *
 * @param entries - name and text
 * @param width - in characters
 * @param indent - what every line begins with
 */
export function definitions(
  entries: readonly (readonly [name: string, text: string])[],
  width: number,
  indent = '  ',
): string[] {
  const most = width * MOST_OF_WIDTH - indent.length;
  const widest = Math.max(0, ...entries.map(([name]) => name.length).filter((length) => length <= most));
  const column = indent.length + widest + 2;
  const hasRoom = column + LEAST_BESIDE <= width;
  return entries.flatMap(([name, text]) => {
    if (text === '') return wrapped(`${indent}${name}`, width, `${indent}  `);
    if (!hasRoom || name.length > widest) {
      const below = `${indent}    `;
      return [
        ...wrapped(`${indent}${name}`, width, `${indent}  `),
        ...wrapped(`${below}${text}`, width, below),
      ];
    }
    const lines = wrapped(text, width - column);
    return lines.map((line, index) => `${indent}${(index === 0 ? name : '').padEnd(widest)}  ${line}`);
  });
}
