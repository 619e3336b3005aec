import type Pino from 'pino';
import { optional } from '../base/optional.js';
import { withoutPassword } from '../base/server-address.js';

/** How a log is written: as lines for people, as JSON (a line each), or not at all. */
export const logForms = ['pretty', 'json', 'off'] as const;

/** See `logForms`. */
export type LogForm = (typeof logForms)[number];

/** From which weight on something is logged. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** See `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

/** Fields that hold secrets, wherever they come from; what they hold is not logged. */
const SECRET = /password|passwd|secret|token|authorization|cookie|signature|smtp|api[-_]?key/i;

/** What takes the place of a secret. */
export const HIDDEN = '[hidden]';

/** Deeper than this nothing is logged. */
const DEEPEST = 6;

/** Writes what happens. */
export type Log = (level: LogLevel, text: string, facts?: Readonly<Record<string, unknown>>) => void;

/**
 * Opens a log.
 *
 * @param form - how it is written
 * @param least - what weighs less is left out
 * @param write - gets each line, with its end; standard error if left out
 * @throws InputError when JSON is asked for and pino is not installed
 */
export async function openLog(
  form: LogForm,
  least: LogLevel,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Promise<Log> {
  const isLogged = (level: LogLevel): boolean => logLevels.indexOf(level) >= logLevels.indexOf(least);
  if (form === 'off') return () => undefined;
  if (form === 'pretty')
    return (level, text) => {
      if (isLogged(level))
        write(`${new Date().toISOString().slice(11, 19)} ${withoutSecrets(text) as string}\n`);
    };
  const pino = await loadLibrary();
  const logger = pino(
    { level: least, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    { write },
  );
  return (level, text, facts = {}) => {
    logger[level](withoutSecrets(facts), withoutSecrets(text) as string);
  };
}

/**
 * A value without what nobody but its owner may read: passwords in addresses of servers, and fields whose names say that they hold secrets.
 *
 * @param value - a text or facts, nested or not
 */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutPassword(value).replace(/(\bsmtps?:\/\/)[^@\s]*@/gi, '$1');
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) return value.map((each: unknown) => withoutSecrets(each, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, each]: [string, unknown]) => [
      name,
      SECRET.test(name) && each !== undefined && each !== null ? HIDDEN : withoutSecrets(each, depth + 1),
    ]),
  );
}

async function loadLibrary(): Promise<typeof Pino> {
  const part = {
    ...{ packages: ['pino'], source: '--log json', what: 'the writer of structured logs' },
    without: '"--log pretty" needs none.',
  };
  return (await optional(part, () => import('pino'))).default;
}
