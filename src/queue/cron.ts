import type * as Library from 'cron-parser';
import { InputError, messageOf } from '../base/errors.js';
import { optional } from '../base/optional.js';

/** So many times that nobody handled are counted one by one. */
const MOST_COUNTED = 10_000;

/** What is used of the library. */
type Parser = Pick<typeof Library, 'parseExpression'>;

const HOUR = 3_600_000;

/** Times at which something is due. */
export interface DueTimes {
  /** The last of them. */
  readonly last: Date;
  /** The one before it; undefined where there is none. */
  readonly before: Date | undefined;
  readonly count: number;
}

/** When a schedule is due: five fields of cron, in a time zone. The expressions are those of pg-boss, whose parser reads them. */
export class Cron {
  private constructor(
    private readonly library: Parser,
    private readonly expression: string,
    private readonly timezone: string,
  ) {}

  /**
   * Reads an expression.
   *
   * @param expression - `0 3 * * *`
   * @param timezone - as the IANA calls it: `Europe/Berlin`
   * @throws InputError when one of them is none, or the parser is not installed
   */
  static async read(expression: string, timezone: string): Promise<Cron> {
    const library = await loadLibrary();
    if (expression.trim().split(/\s+/).length !== 5) throw noCron(expression, 'five fields are needed');
    try {
      new Intl.DateTimeFormat('en', { timeZone: timezone });
    } catch {
      throw new InputError({
        source: '--tz',
        found: timezone,
        expected: 'a time zone as the IANA calls it, such as UTC or Europe/Berlin',
      });
    }
    const cron = new Cron(library, expression.trim(), timezone);
    try {
      cron.next(new Date());
    } catch (error) {
      throw noCron(expression, messageOf(error));
    }
    return cron;
  }

  /** The first time after a moment. */
  next(after: Date): Date {
    return this.from(after).next().toDate();
  }

  /**
   * What was due after one moment and up to another.
   *
   * @returns undefined where nothing was
   */
  due(after: Date, until: Date): DueTimes | undefined {
    // What is due at the moment itself is due.
    const times = this.from(new Date(until.getTime() + 1));
    const found: Date[] = [];
    for (
      let time = times.prev().toDate();
      time > after && found.length < MOST_COUNTED;
      time = times.prev().toDate()
    )
      if (!this.isRepeated(time)) found.push(time);
    const [last, before] = found;
    return last && { last, before, count: found.length };
  }

  /** Whether the clocks were put back and showed a fixed hour the hour before, too: that is once a night, unlike what is due every hour. */
  private isRepeated(time: Date): boolean {
    const [, hours = '*'] = this.expression.split(/\s+/);
    return !hours.startsWith('*') && this.shown(time) === this.shown(new Date(time.getTime() - HOUR));
  }

  private shown(time: Date): string {
    return time.toLocaleTimeString('en-GB', { timeZone: this.timezone });
  }

  private from(currentDate: Date): Library.CronExpression {
    return this.library.parseExpression(this.expression, { currentDate, tz: this.timezone });
  }
}

function noCron(found: string, why: string): InputError {
  return new InputError({
    source: 'schedule',
    found: `"${found}" (${why})`,
    expected:
      'minute, hour, day of the month, month and day of the week, such as "0 3 * * *" for 3 o’clock each night',
  });
}

async function loadLibrary(): Promise<Parser> {
  const part = { packages: ['cron-parser'], source: 'schedules', what: 'the reader of cron expressions' };
  return (await optional(part, () => import('cron-parser'))).default;
}
