/*
 * How users write quantities, in flags, suites and the environment alike. Each reader gives undefined for what is none, and whoever
 * asked says what is expected.
 */

const NUMBER = String.raw`(\d+(?:\.\d*)?|\.\d+)`;

const bytesOf: Readonly<Record<string, number>> = {
  ...{ b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const millisecondsOf: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: SECOND, min: 60 * SECOND },
  ...{ h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR },
};

/**
 * A whole number: digits alone, and not so many that they would not be exact.
 *
 * @returns undefined for anything else
 */
export function readWhole(text: string): number | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}

/**
 * A number without a unit: `0.05`.
 *
 * @returns undefined for anything else
 */
export function readPlain(text: string): number | undefined {
  const [, digits] = matched(NUMBER, text);
  return finite(digits === undefined ? undefined : Number(digits));
}

/**
 * A share: `2%`, `2 %`, or `0.02` as in YAML. A number of 1 or more without a percent sign is none: nobody knows which of both was meant.
 *
 * @returns 0.02; undefined for anything else
 */
export function readShare(text: string): number | undefined {
  const [, digits, percent] = matched(`${NUMBER} *(%?)`, text);
  if (digits === undefined) return undefined;
  // Shifted as decimals are, so that 1% is 0.01 to the last bit.
  const share = Number(percent ? `${digits}e-2` : digits);
  return finite(percent || share < 1 ? share : undefined);
}

/**
 * A difference of accuracies in percentage points: `0.3pt`, `0.3 pp`.
 *
 * @returns 0.003; undefined for anything else
 */
export function readPoints(text: string): number | undefined {
  const [, digits] = matched(`${NUMBER} *(?:pt|pp)`, text);
  return finite(digits === undefined ? undefined : Number(`${digits}e-2`));
}

/**
 * A size: `200MiB`, `1.5 GB`, decimal or binary.
 *
 * @param text - what was written
 * @param plain - whether a number without a unit is one of bytes
 * @returns bytes, whole ones; undefined for anything else
 */
export function readBytes(text: string, plain = false): number | undefined {
  const [, digits, unit] = matched(`${NUMBER} *([a-z]*)`, text);
  const factor = unit === '' ? (plain ? 1 : undefined) : bytesOf[unit?.toLowerCase() ?? ''];
  return finite(
    digits === undefined || factor === undefined ? undefined : Math.floor(Number(digits) * factor),
  );
}

/**
 * A time span: `30ms`, `1.5s`, `5min`, `36h`, `90d`, `12w`.
 *
 * @returns milliseconds; undefined for anything else
 */
export function readDuration(text: string): number | undefined {
  const [, digits, unit] = matched(`${NUMBER} *(ms|s|min|h|d|w)`, text);
  const factor = millisecondsOf[unit?.toLowerCase() ?? ''];
  return finite(digits === undefined || factor === undefined ? undefined : Number(digits) * factor);
}

function matched(pattern: string, text: string): RegExpExecArray | readonly undefined[] {
  return new RegExp(`^${pattern}$`, 'i').exec(text.trim()) ?? [];
}

/** Digits without end are infinite, and no quantity. */
function finite(value: number | undefined): number | undefined {
  return value !== undefined && value < Infinity ? value : undefined;
}
