import { z } from 'zod';

/** A share of the images, or of each class. */
const share = z.number().gt(0).lt(1);

/** What a user says of images of their own, in a suite or in a file of its own. */
export const declarationFields = {
  path: z.string().min(1).optional().describe('Folder of the images, or a list, Parquet file or arrays.'),
  train: z
    .string()
    .min(1)
    .optional()
    .describe('Folder, list, split or file of the training images; default: `train`.'),
  test: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder, list, split or file of the test images; default: `test`, `val`, `validation` or `valid`.',
    ),
  holdout: share.optional().describe('With a single split: share of each class to keep for the test.'),
  labels: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(2)])
    .optional()
    .describe('Class names in the order of their folders or labels, or a file with one per line.'),
  image: z
    .string()
    .min(1)
    .optional()
    .describe('Column or array of the images, or column of their paths; default: found by its name.'),
  label: z.string().min(1).optional().describe('Column or array of the classes; default: found by its name.'),
  exif: z
    .boolean()
    .optional()
    .describe("Rotate images as their EXIF data says, which torchvision's loader does not; default: no."),
};

/** A declaration as a file of its own has it. */
export const declarationSchema = z.strictObject({
  ...declarationFields,
  path: z.string().min(1).describe('Folder of the images, or a list, Parquet file or arrays.'),
});

/** Images of a user, declared: where they lie is an absolute path. */
export interface Declaration extends z.infer<typeof declarationSchema> {
  /** How suites and reports call them. */
  readonly name: string;
  /** Where that is said, for messages: a suite or a file of its own. */
  readonly source: string;
}
