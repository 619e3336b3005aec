import { z } from 'zod';
import { InputError, type InputFault } from '../../base/errors.js';

/** Why no model was recognised in an ONNX file: facts, which `text/raw.ts` puts into words. */
export const unrecognisedSchema = z.discriminatedUnion('kind', [
  /** A node is not what a Vision Transformer has there. */
  z.strictObject({
    kind: z.literal('node'),
    /** Its name, or its first output where it has none; null where a value has no node. */
    node: z.string().nullable(),
    /** With its domain where that is not ONNX's own: `com.microsoft.Attention`. */
    operator: z.string().nullable(),
    /** What would have been understood there. */
    expected: z.string(),
  }),
  /** It computes with quantised numbers already. */
  z.strictObject({ kind: z.literal('quantised'), node: z.string(), operator: z.string() }),
  /** It computes in floats of 16 bits: in records of versions that did not widen them. */
  z.strictObject({ kind: z.literal('sixteen-bit'), place: z.string(), type: z.string() }),
  /** Its input is none of images. */
  z.strictObject({ kind: z.literal('inputs'), found: z.string(), expected: z.string() }),
  /** A weight has another shape than it must have in a Vision Transformer. */
  z.strictObject({ kind: z.literal('shape'), weight: z.string(), found: z.string(), expected: z.string() }),
  /** What was recognised gives other logits: how far apart on random images, null where one is no number. */
  z.strictObject({ kind: z.literal('logits-differ'), output: z.string(), difference: z.number().nullable() }),
  /** It has something that ONNX defines and EdgeFlex does not read: subgraphs, functions, other types. */
  z.strictObject({ kind: z.literal('not-read'), found: z.string() }),
  /** ONNX Runtime does not run it with further outputs. */
  z.strictObject({ kind: z.literal('not-run'), text: z.string() }),
  /** Nobody looked: it was to be run as it is. */
  z.strictObject({ kind: z.literal('asked') }),
]);

export type Unrecognised = z.infer<typeof unrecognisedSchema>;

/** An ONNX file in which no model was recognised, so that it cannot be compressed: it can still be run as it is. */
export class UnrecognisedGraph extends InputError {
  /**
   * @param reason - why, as facts
   * @param fault - the same for the message
   */
  constructor(
    readonly reason: Exclude<Unrecognised, { kind: 'asked' }>,
    fault: InputFault,
  ) {
    super(fault);
  }
}
