import { firstLine, InputError, messageOf } from './errors.js';

/** An optional part of the installation, in the words of the refusal where it is not there. */
export interface OptionalPart {
  /** Its packages, as npm knows them. */
  readonly packages: readonly string[];
  /** What needs it. */
  readonly source: string;
  /** What it is, such as "the driver of PostgreSQL". */
  readonly what: string;
  /** What works without it, as a full sentence. */
  readonly without?: string;
}

/**
 * Loads an optional part, which no other command waits for.
 *
 * @param part - what it is
 * @param load - imports it
 * @throws InputError when it is not installed, or cannot be loaded here
 *
 * @example
 * ```ts
 * const { default: pino } = await optional(PINO, () => import('pino'));
 * ```
 */
export async function optional<T>(part: OptionalPart, load: () => Promise<T>): Promise<T> {
  const { packages, source, what, without } = part;
  try {
    return await load();
  } catch (error) {
    const named = packages.map((name) => `"${name}"`).join(', ');
    throw new InputError({
      source,
      found: `no usable ${packages.length === 1 ? 'library' : 'libraries'} ${named} (${firstLine(messageOf(error))})`,
      expected: `${what}, which npm installs unless optional parts are left out`,
      hint: [
        `Install with "npm install --include=optional ${packages.join(' ')}".`,
        ...(without ? [without] : []),
      ].join(' '),
    });
  }
}
