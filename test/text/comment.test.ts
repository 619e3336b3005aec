import { describe, expect, it } from 'vitest';
import { commentText } from '../../src/text/comment.js';

const links = [{ name: 'full reports', address: 'https://example.org/1' }];
const folded = `<details><summary>All</summary>\n${'| a | b |\n'.repeat(500)}</details>`;

describe('the text of a comment', () => {
  it('is the whole of it, and links, where that fits', () => {
    const text = commentText(`# One\n${folded}\n`, links);
    expect(text).toContain('| a | b |');
    expect(text.trimEnd().endsWith('[full reports](https://example.org/1)</sub>')).toBe(true);
    expect(commentText('# One\n', [])).toBe('# One\n');
  });

  it('is never longer than the host takes, and keeps what changed and the links rather than the tables', () => {
    const text = `# One\n\n- slower\n\n${folded}\n\nfoot\n`;
    const short = commentText(text, links, 600);
    expect(short.length).toBeLessThanOrEqual(600);
    for (const part of ['- slower', 'foot', 'full reports']) expect(short).toContain(part);
    expect(short).not.toContain('| a |');
    for (const most of [300, 250, 220]) {
      const cut = commentText(`${'- a change 🙂\n'.repeat(200)}${folded}`, links, most);
      expect(cut.length).toBeLessThanOrEqual(most);
      expect(cut).toContain('full reports');
      expect(cut).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
    }
  });
});
