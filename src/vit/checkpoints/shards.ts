import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { readJson } from './json.js';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads the index of a sharded checkpoint.
 *
 * @param index - the file `….safetensors.index.json` or `….bin.index.json`
 * @returns the file of each tensor, by the tensor's name
 * @throws InputError when it is no index, or a file would lie in another folder
 */
export async function readShardIndex(index: string): Promise<ReadonlyMap<string, string>> {
  const parsed = indexSchema.safeParse(await readJson(index, 'an index of shards'));
  if (!parsed.success)
    throw new InputError({
      source: index,
      found: 'no weight_map',
      expected: 'a map from tensor to file name',
    });
  const files = new Map(Object.entries(parsed.data.weight_map));
  for (const [name, file] of files)
    if (/[\\/]/.test(file) || !/\.(safetensors|bin)$/.test(file))
      throw new InputError({
        source: index,
        place: `weight_map.${name}`,
        found: file,
        expected: 'the name of a .safetensors or .bin file in the same directory',
      });
  return files;
}

/**
 * The shards that an index names.
 *
 * @param index - the file `….safetensors.index.json`
 * @returns file names in its folder, sorted
 * @throws InputError when it is no index
 */
export async function shardsOf(index: string): Promise<string[]> {
  return [...new Set((await readShardIndex(index)).values())].sort();
}
