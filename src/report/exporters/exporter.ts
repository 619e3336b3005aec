import type { PluginRecord } from '../../base/plugin.js';
import type { Analysis } from '../../analysis/analysis.js';

/** A format of reports: a text, or bytes. A new one is a new file here, and a line in `list.ts`. */
export interface Exporter<Content extends string | Uint8Array = string> {
  /** What a user calls it. */
  readonly name: string;
  /** Of its file, without the dot. */
  readonly extension: string;
  /** The plug-in that brought it; undefined for EdgeFlex's own. */
  readonly origin?: PluginRecord;
  /**
   * The report of a run in this format.
   *
   * @param analysis - of the run
   */
  render(analysis: Analysis): Content | Promise<Content>;
}
