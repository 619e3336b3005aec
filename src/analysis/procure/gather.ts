import type { ImageSet, Observation } from './observe.js';

/** What is known of a variant on a machine from all runs together. */
export interface Gathered {
  /** The newest that timed it, or else the newest: the device, the variant and its timing are from it. */
  readonly main: Observation;
  /** The newest that scored the very same artifact there; undefined where none did. */
  readonly scored: Observation | undefined;
  /** The newest that put the very same artifact under load there; undefined where none did. */
  readonly served: Observation | undefined;
  /** Runs that measured it, too, and are older: they do not count. */
  readonly older: readonly string[];
  /** Whether several machines go by the device's name. */
  readonly sharesName: boolean;
  /** Whether this is another one of them than the one that was measured last. */
  readonly isFormerMachine: boolean;
}

/** What all runs say together. */
export interface Gathering {
  readonly gathered: readonly Gathered[];
  /** That the newest run is about; undefined where there is no run. */
  readonly images: ImageSet | undefined;
  /** Runs about other images, which are another task and are left out. */
  readonly otherImages: readonly { readonly name: string; readonly runs: readonly string[] }[];
}

/**
 * Puts together what runs say of the same variant on the same machine. The newest run counts, as its software is the newest: figures
 * of several runs are not averaged, as between them other things may have changed. An accuracy and a rate under load may come from another
 * run than the timing when it is of the very same artifact. Runs about other images than the newest are about another task, whose models do not
 * compete with these: they are left out, and named.
 *
 * @param observations - of all runs, in any order
 */
export function gather(observations: readonly Observation[]): Gathering {
  const newestFirst = [...observations].sort((a, b) => byTime(b, a));
  const images = newestFirst[0]?.images;
  const own = newestFirst.filter((each) => each.images.hash === images?.hash);
  const machines = new Map<string, Set<string>>();
  const groups = new Map<string, Observation[]>();
  for (const each of own) {
    machines.set(each.device, (machines.get(each.device) ?? new Set()).add(each.hardware));
    const key = JSON.stringify([each.device, each.hardware, each.emulated, each.model, each.recipe]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return {
    gathered: [...groups.values()].flatMap((group) => gatheredOf(group, machines)),
    images,
    otherImages: otherImagesIn(newestFirst.filter((each) => each.images.hash !== images?.hash)),
  };
}

function gatheredOf(
  group: readonly Observation[],
  machines: ReadonlyMap<string, ReadonlySet<string>>,
): Gathered[] {
  const main = group.find(({ timed }) => timed !== undefined) ?? group[0];
  if (main === undefined) return [];
  const scored = group.find(({ artifact, top1 }) => artifact === main.artifact && top1 !== undefined);
  const served = group.find((each) => each.artifact === main.artifact && each.served !== undefined);
  const used = new Set([main.runId, scored?.runId, served?.runId]);
  const [latest, ...others] = machines.get(main.device) ?? [];
  return [
    {
      ...{ main, scored, served },
      older: [...new Set(group.map(({ runId }) => runId))].filter((id) => !used.has(id)),
      sharesName: others.length > 0,
      isFormerMachine: main.hardware !== latest,
    },
  ];
}

function otherImagesIn(observations: readonly Observation[]): Gathering['otherImages'] {
  const others = new Map<string, { readonly name: string; readonly runs: Set<string> }>();
  for (const { runId, images } of observations) {
    const known = others.get(images.hash) ?? { name: images.name, runs: new Set() };
    others.set(images.hash, known);
    known.runs.add(runId);
  }
  return [...others.values()].map(({ name, runs }) => ({ name, runs: [...runs] }));
}

function byTime(a: Observation, b: Observation): number {
  return a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0;
}
