import { InputError } from '../base/errors.js';
import { readBytes, readPlain } from '../base/quantities.js';

/** What is known of a device, by name: a number, a text, or that it has something. Sizes are bytes. */
export type Labels = Readonly<Record<string, number | string | true>>;

/** One thing that a job asks of a device. */
export interface Requirement {
  readonly label: string;
  /** Whether the device must have it, be it, or have at least or at most so much of it. */
  readonly op: 'has' | 'is' | '>=' | '<=';
  /** What it is compared with: a text for `is`, a number for the bounds; null for `has`. */
  readonly value: string | number | null;
}

const NEED = /^([a-z0-9][a-z0-9_.-]*)(?:\s*(>=|<=|=)\s*(\S+))?$/i;

/**
 * Reads what a job asks of a device: `vnni, memory>=8GiB, arch=arm64`. A name alone must be among the device's labels.
 *
 * @param text - requirements, separated by commas; all must be met
 * @param source - what it stands in, for the message
 * @throws InputError that names the requirement that is none
 */
export function readRequirements(text: string, source = '--needs'): readonly Requirement[] {
  return text.split(',').map((each) => {
    const [, label, op, value] = NEED.exec(each.trim()) ?? [];
    const refuse = (expected: string): InputError =>
      new InputError({ source, found: `"${each.trim()}"`, expected });
    if (label === undefined)
      throw refuse('a label, or a label with a bound or a value: vnni, memory>=8GiB, arch=arm64');
    const name = label.toLowerCase();
    if (op === undefined || value === undefined) return { label: name, op: 'has', value: null };
    if (op === '=') return { label: name, op: 'is', value };
    const bound = readPlain(value) ?? readBytes(value);
    if (bound === undefined)
      throw refuse('a number or a size behind the bound, such as cores>=4 or memory>=8GiB');
    return { label: name, op: op === '>=' ? '>=' : '<=', value: bound };
  });
}

/**
 * Requirements as they are written.
 *
 * @param needs - what a job asks for
 */
export function requirementsText(needs: readonly Requirement[]): string {
  return needs
    .map(({ label, op, value }) => (value === null ? label : `${label}${op === 'is' ? '=' : op}${value}`))
    .join(', ');
}
