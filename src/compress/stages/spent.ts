import { z } from 'zod';
import type { Fact, FactTable, FactUnit } from '../facts.js';
import { figure, valueOf } from './stored.js';

const lost = z.object({
  points: z.object({ value: z.number(), low: z.number(), high: z.number() }),
  changed: figure,
  expected: figure,
  atMost: figure,
  ran: figure,
  passes: z.boolean(),
});

/**
 * How a budget of accuracy was spent, as it is stored.
 *
 * @param tried - what a stage says of a candidate
 */
export function accuracyOutcome<Tried extends z.ZodRawShape>(tried: Tried) {
  const candidate = lost.extend(tried);
  return z.object({
    kind: z.enum(['accuracy', 'agreement']),
    allowed: z.number(),
    confidence: z.number(),
    images: z.number(),
    accuracy: figure,
    chosen: candidate.optional(),
    tried: z.array(candidate),
  });
}

type Lost = z.infer<typeof lost>;

interface Outcome<Tried> {
  readonly kind: 'accuracy' | 'agreement';
  readonly allowed: number;
  readonly confidence: number;
  readonly images: number;
  readonly chosen?: Tried | undefined;
  readonly tried: readonly Tried[];
}

/**
 * What a budget of accuracy came to.
 *
 * @param outcome - how it was spent
 * @param of - what is said of the candidate that was chosen, before what it lost
 */
export function spentFacts<Tried extends Lost>(
  { kind, allowed, images, chosen, tried }: Outcome<Tried>,
  of: (chosen: Tried) => readonly Fact[],
): Fact[] {
  const what = kind === 'accuracy' ? 'top-1' : 'agreement';
  return [
    { label: `${what} that may be lost`, value: allowed, unit: 'points' },
    ...(chosen === undefined
      ? [{ label: 'removed', value: nothing(tried.length), unit: 'name' as const }]
      : [
          ...of(chosen),
          {
            label: `${what} lost on images held out`,
            value: chosen.points.value,
            unit: 'points' as const,
            interval: { low: chosen.points.low, high: chosen.points.high },
          },
        ]),
    { label: 'images held out', value: images, unit: 'count' },
  ];
}

function nothing(tried: number): string {
  return tried === 0
    ? 'nothing: this model has nothing that can go'
    : 'nothing: the least that can go may lose more';
}

/** A column of what was tried. */
interface Column<Tried> {
  readonly title: string;
  readonly unit: FactUnit;
  of(tried: Tried): number | null;
}

/**
 * What was tried.
 *
 * @param outcome - how the budget was spent
 * @param columns - what a candidate is, before what it lost
 */
export function triedTable<Tried extends Lost>(
  { kind, confidence, tried }: Outcome<Tried>,
  columns: readonly Column<Tried>[],
): FactTable {
  const what = kind === 'accuracy' ? 'Top-1' : 'Agreement';
  return {
    title: 'what was tried',
    note: `${what} lost on held-out training images, which nothing was calibrated on. ${expectation(kind)} At most: what that stays below with ${Math.round(100 * confidence)} % confidence, by Fay and Feuer's limit (where images are too few for it, what the counted loss stays below, by Tango's interval). Ran: images that the model ran on, those that it is least sure of first; the others are taken to keep their class.`,
    columns: [
      ...columns.map(({ title, unit }) => ({ title, unit })),
      { title: 'lost', unit: 'points' },
      { title: 'expected', unit: 'points' },
      { title: 'at most', unit: 'points' },
      { title: 'other class', unit: 'share' },
      { title: 'ran', unit: 'count' },
      { title: '', unit: 'name' },
    ],
    rows: tried.map((each) => [
      ...columns.map((column) => column.of(each)),
      ...[each.points.value, valueOf(each.expected), valueOf(each.atMost)],
      ...[valueOf(each.changed), valueOf(each.ran)],
      each.passes ? 'within the budget' : null,
    ]),
  };
}

function expectation(kind: Outcome<Lost>['kind']): string {
  return kind === 'accuracy'
    ? 'Expected: the loss by how likely the model itself, with its logits scaled to suit the true classes, finds the old and the new class of each image that changed.'
    : 'Expected: the same.';
}
