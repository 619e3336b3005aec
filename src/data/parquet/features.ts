import type { FileMetaData } from 'hyparquet';
import { z } from 'zod';
import { firstLine, InputError, messageOf } from '../../base/errors.js';

/** What Hugging Face's `datasets` says of a column. */
export interface Feature {
  /** `Image`, `ClassLabel`, `Value`, … */
  readonly type: string | undefined;
  /** Of a `ClassLabel`: what the classes are called. */
  readonly names: readonly string[] | undefined;
}

/** The key under which `datasets` writes what its columns are. */
const KEY = 'huggingface';

const metadataSchema = z.object({
  info: z.object({ features: z.record(z.string(), z.unknown()) }).optional(),
});

const featureSchema = z.object({ _type: z.string(), names: z.array(z.string()).nullish() });

/**
 * What `datasets` wrote of the columns of a Parquet file.
 *
 * @param path - of the file, for messages
 * @param metadata - its own
 * @returns by column; none where another program wrote the file
 * @throws InputError when that is no JSON of its form
 */
export function featuresOf(
  path: string,
  { key_value_metadata: pairs }: Pick<FileMetaData, 'key_value_metadata'>,
): ReadonlyMap<string, Feature> {
  const text = pairs?.find(({ key }) => key === KEY)?.value;
  if (text === undefined) return new Map();
  const features = written(path, text).info?.features ?? {};
  return new Map(
    Object.entries(features).map(([column, feature]) => {
      const known = featureSchema.safeParse(feature).data;
      return [column, { type: known?._type, names: known?.names ?? undefined }];
    }),
  );
}

function written(path: string, text: string): z.infer<typeof metadataSchema> {
  try {
    return metadataSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new InputError({
      source: path,
      place: `the metadata "${KEY}"`,
      found: error instanceof SyntaxError ? firstLine(messageOf(error)) : 'other JSON',
      expected: 'the JSON that datasets writes: info.features, an object by column',
    });
  }
}
