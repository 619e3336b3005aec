import { z } from 'zod';

/** A share of the images, or of each class. */
const share = z.number().gt(0).lt(1);

/** What a user says of images of their own, in a suite or in a file of its own. */
export const declarationFields = {
  /** The folder, or a file of all images: a list, Parquet or arrays. */
  path: z.string().min(1).optional(),
  /** The folder, list, split or file of the training images in it; left out, train. */
  train: z.string().min(1).optional(),
  /** The folder, list, split or file of the test images in it; left out, test, val, validation or valid. */
  test: z.string().min(1).optional(),
  /** Where there is one split only: which share of each class is kept for the test. */
  holdout: share.optional(),
  /** What the classes are called, in the order of their folders or labels; or a file that has it, one a line. */
  labels: z.union([z.string().min(1), z.array(z.string().min(1)).min(2)]).optional(),
  /** The column of the images, or of their paths; the array of the images. Left out, the one that is called so. */
  image: z.string().min(1).optional(),
  /** The column or array of the classes. */
  label: z.string().min(1).optional(),
  /** Turn images as their EXIF says, which torchvision's loader does not. */
  exif: z.boolean().optional(),
};

/** A declaration as a file of its own has it. */
export const declarationSchema = z.strictObject({ ...declarationFields, path: z.string().min(1) });

/** Images of a user, declared: where they lie is an absolute path. */
export interface Declaration extends z.infer<typeof declarationSchema> {
  /** How suites and reports call them. */
  readonly name: string;
  /** Where that is said, for messages: a suite or a file of its own. */
  readonly source: string;
}
