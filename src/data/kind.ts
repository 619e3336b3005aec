import type { PluginRecord } from '../base/plugin.js';
import type { Dataset } from './dataset.js';
import type { Findings } from './sets/findings.js';

/** Both splits of a dataset, and how much of it was verified. */
export interface OpenedData {
  readonly train: Dataset<'train'>;
  readonly test: Dataset<'test'>;
  /** Whether a `SHA256SUMS` beside the files vouched for every one of them. */
  readonly verified: boolean;
  /** What was seen when they were opened; only of images of a user's own. */
  readonly findings?: Findings;
}

/** A dataset that suites can name: how its files are found and opened. */
export interface DatasetKind {
  /** How suites call it. */
  readonly name: string;
  /** The folder it lies in: of its archive, also looked for inside a directory that is given, and in the cache. */
  readonly folder: string;
  /** Folders of other versions of it, which are looked for like the first. */
  readonly otherFolders?: readonly string[];
  /** Where it lies when it comes with EdgeFlex or a plug-in. */
  readonly builtIn?: string;
  /** The dataset that is fetched to have this one, where the same files hold both. */
  readonly fetchedAs?: string;
  /** How to get the images, for whoever has not got them. */
  readonly hint: string;
  /** The plug-in that brought it; undefined for EdgeFlex's own. */
  readonly origin?: PluginRecord;
  /**
   * Whether a directory holds the dataset.
   *
   * @param directory - where to look; it need not be there
   */
  holds(directory: string): Promise<boolean>;
  /**
   * Opens the dataset and checks what is there.
   *
   * @param directory - where its files lie
   * @throws InputError when a file is missing, truncated or altered, or a label is out of range
   */
  open(directory: string): Promise<OpenedData>;
}

/**
 * Defines a dataset.
 *
 * @param dataset - the dataset
 * @throws RangeError for a name that no suite could have
 */
export function defineDataset(dataset: DatasetKind): DatasetKind {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(dataset.name))
    throw new RangeError(`"${dataset.name}" is no name of a dataset: lower-case letters, digits and hyphens`);
  return dataset;
}
