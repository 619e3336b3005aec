import { z } from 'zod';

/** A figure of a stored report: JSON has no infinities, and reports of other versions may lack it. */
export const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

/** Names in a stored report. */
export const names = z.array(z.string()).default([]);

/** A figure as a fact has it. */
export function valueOf(figure: number | undefined): number | null {
  return figure ?? null;
}
