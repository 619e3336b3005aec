import { fileOf, findFiles } from '../../src/model/files.js';
import { loadCheckpoint, type Checkpoint } from '../../src/vit/checkpoints/load.js';

/** The checkpoint in a folder. */
export async function loadFolder(folder: string): Promise<Checkpoint> {
  const files = await findFiles(folder);
  return loadCheckpoint(files.weights, fileOf(files, 'config'));
}
