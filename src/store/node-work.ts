import { z } from 'zod';

/** In what numbers a product is computed: what its ceiling is measured in. */
export const precisions = ['float32', 'float16', 'int8', 'w8', 'w4'] as const;

/** `int8`: uint8 by int8. `w8`, `w4`: float32 by weights of 8 or 4 bits with a scale for each block, as MatMulNBits computes it. */
export type Precision = (typeof precisions)[number];

const count = z.number().int().nonnegative();

/** The shape of a matrix product: `[rows, inner] · [inner, columns]`. */
export const productShapeSchema = z.strictObject({ rows: count, inner: count, columns: count });

export type ProductShape = z.infer<typeof productShapeSchema>;

/** What a node computes and moves in a query. */
export const nodeWorkSchema = z.strictObject({
  /** Its matrix products; undefined for a node without. */
  product: z
    .strictObject({
      precision: z.enum(precisions),
      /** Of one of them, the largest. */
      shape: productShapeSchema,
      /** Of all of them. */
      multiplications: count,
    })
    .optional(),
  /** Bytes of what it reads and writes, each once. */
  bytes: count,
});

export type NodeWork = z.infer<typeof nodeWorkSchema>;
