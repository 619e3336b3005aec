import { stripVTControlCharacters } from 'node:util';

/** Characters that turn the direction of what follows, so that a text reads otherwise than it is (CVE-2021-42574). */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text from outside as a terminal can show it: without sequences that command a terminal (colours, moves of the cursor, the
 * clipboard), without any other control character but ends of lines and tabs, and without characters that turn its direction.
 *
 * @param text - names of files and tensors, what other programs and devices said
 */
export function withoutControls(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(TURNING, '');
}
