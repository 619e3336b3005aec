import { z } from 'zod';

/** JSON has no number for these. */
const notFinite = z.enum(['NaN', 'Infinity', '-Infinity']);

/** Kinds that say all that there is to say themselves. */
const plainKinds = [
  /** Words of a version that stored nothing else. */
  z.strictObject({ kind: z.literal('text'), text: z.string() }),
  /** A device could not be reached or used; the text is what was found there. */
  z.strictObject({ kind: z.literal('device'), text: z.string() }),
  /** The way to the device broke, so often that it was given up. */
  z.strictObject({ kind: z.literal('link-lost'), tries: z.number().int().positive(), text: z.string() }),
  /** The recipe asks for what the model does not have or cannot be: nothing was made that could be measured. */
  z.strictObject({
    kind: z.literal('recipe-refused'),
    /** The option or the part of the model; left out where it is the recipe as a whole. */
    place: z.string().optional(),
    found: z.string(),
    expected: z.string(),
  }),
  /** A file that is to be run as it is cannot be: nothing was made that could be measured. */
  z.strictObject({
    kind: z.literal('file-refused'),
    /** Its path. */
    file: z.string(),
    /** The part of the file; left out where it is the file as a whole. */
    place: z.string().optional(),
    found: z.string(),
    expected: z.string(),
  }),
  /** Compressing the model went wrong otherwise. */
  z.strictObject({ kind: z.literal('not-compressed'), text: z.string() }),
  /** An agent said that it could not do its task, in its own words. */
  z.strictObject({ kind: z.literal('agent-failed'), text: z.string() }),
  /** An agent said that its runtime has no kernels for the model, in its own words. */
  z.strictObject({ kind: z.literal('no-kernels'), text: z.string() }),
  /** The process of an agent ended before its task was done. */
  z.strictObject({
    kind: z.literal('agent-ended'),
    code: z.number().int().nullable(),
    signal: z.string().nullable(),
    text: z.string(),
  }),
  /** An agent said nothing new for so long. */
  z.strictObject({ kind: z.literal('agent-silent'), seconds: z.number().nonnegative() }),
  /** A task went on for longer than it can take. */
  z.strictObject({ kind: z.literal('task-too-long'), seconds: z.number().nonnegative() }),
  /** What an agent said cannot be: not a message, out of order, not plausible. */
  z.strictObject({ kind: z.literal('protocol-broken'), text: z.string() }),
  /** A node ran on another execution provider than the one that was asked for. */
  z.strictObject({
    kind: z.literal('other-provider'),
    opType: z.string(),
    ran: z.string(),
    asked: z.string(),
  }),
  /** The kernels that a variant stands for did not run as often as its model has them. */
  z.strictObject({
    kind: z.literal('kernels-missing'),
    opType: z.string(),
    ran: z.number().int(),
    expected: z.number().int(),
  }),
  /** A model gave no number. */
  z.strictObject({
    kind: z.literal('logits-not-finite'),
    image: z.number().int(),
    logit: z.number().int(),
    found: notFinite,
  }),
  /** The timed pass, or another device than this machine's processor, gave other answers. */
  z.strictObject({
    kind: z.literal('logits-differ'),
    from: z.enum(['accuracy-pass', 'local-cpu']),
    image: z.number().int(),
    logit: z.number().int(),
    here: z.union([z.number(), notFinite]),
    /** Null where there is no such image. */
    there: z.number().nullable(),
  }),
  /** A file that is run as it is takes another number of images at once. */
  z.strictObject({ kind: z.literal('fixed-batch'), takes: z.number().int(), asked: z.number().int() }),
  /** A file that is run as it is has logits of another number of classes than the images have. */
  z.strictObject({ kind: z.literal('other-classes'), has: z.number().int(), images: z.number().int() }),
  /** A file that quantises what it multiplies ran without a single product of integers. */
  z.strictObject({ kind: z.literal('no-integer-kernels') }),
  /** A weight is larger than what the adapter binds at once. */
  z.strictObject({ kind: z.literal('weight-too-large'), bytes: z.number(), most: z.number() }),
  /** A model is larger than what a page's runtime can address. */
  z.strictObject({ kind: z.literal('model-too-large'), bytes: z.number(), most: z.number() }),
  /** Something went wrong that nobody had expected: a fault of EdgeFlex. */
  z.strictObject({ kind: z.literal('internal'), text: z.string() }),
] as const;

const plainFailure = z.discriminatedUnion('kind', plainKinds);

/** Why a cell failed, or is not supported: facts, which `text/failures.ts` puts into words. */
export const cellFailureSchema = z.discriminatedUnion('kind', [
  ...plainKinds,
  /** A cell was not timed, because one of the same variant on the same device had failed. */
  z.strictObject({ kind: z.literal('not-timed'), because: plainFailure }),
]);

export type CellFailure = z.infer<typeof cellFailureSchema>;

/** A failure that does not follow from another one. */
export type RootFailure = z.infer<typeof plainFailure>;

/**
 * Reads a failure as it was stored: JSON, or the words of an older version.
 *
 * @param stored - the text
 */
export function parseFailure(stored: string): CellFailure {
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    return { kind: 'text', text: stored };
  }
  const parsed = cellFailureSchema.safeParse(value);
  return parsed.success ? parsed.data : { kind: 'text', text: stored };
}

/**
 * A number as a failure keeps it.
 *
 * @param value - any, also one that JSON does not have
 */
export function jsonNumber(value: number): number | z.infer<typeof notFinite> {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return value;
  return value > 0 ? 'Infinity' : '-Infinity';
}
