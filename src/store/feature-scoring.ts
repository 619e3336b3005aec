import { z } from 'zod';

/**
 * How a variant without a head is scored: each test image gets the class that its nearest neighbours among embeddings of training images
 * vote for.
 */
export const featureScoringSchema = z.object({
  /** Of an embedding. */
  width: z.number().int().positive(),
  /** How many vote. */
  neighbours: z.number().int().positive(),
  /** A vote weighs exp(cosine / temperature). */
  temperature: z.number().positive(),
  /** Training images among which neighbours are looked for. */
  images: z.number().int().positive(),
  /** How many were asked for; left out where there were as many. */
  asked: z.number().int().positive().optional(),
});

export type FeatureScoring = z.infer<typeof featureScoringSchema>;
